// SPDX-License-Identifier: Apache-2.0
#include "log_places.h"

#include <filesystem>

#include "base/file.h"
#include "kafka/kafka_import.h"
#include "kafka/kafka_key_store.h"
#include "kafka/kafka_log.h"
#include "log_embedded/embedded_import.h"
#include "log_embedded/embedded_log.h"
#include "places.h"
#include "store_rocksdb/key_store.h"

namespace sandtrail {
namespace {

constexpr std::string_view kEmbedded = "embedded:";
constexpr std::string_view kKafka = "kafka://";
constexpr std::size_t kCheckBytesMax = 4096;

// What a place says.
struct Place {
  std::string directory;  // a data directory; empty: over Kafka
  KafkaConnection connection;
};

Result<Place> parse_place(const std::string& text, const std::optional<Config>& settings) {
  Place out;
  if (text.starts_with(kEmbedded) && text.size() > kEmbedded.size()) {
    std::error_code ignored;
    out.directory = std::filesystem::absolute(text.substr(kEmbedded.size()), ignored)
                        .lexically_normal()
                        .string();
    return out;
  }
  if (!text.starts_with(kKafka)) {
    return Error{ErrorCode::invalid_argument, "\"" + text + "\" is no place of a log",
                 "write embedded:DATA_DIR or kafka://HOST:PORT,…"};
  }
  const std::size_t slash = text.find('/', kKafka.size());
  Config::Log log = settings ? settings->log : Config::Log{};
  log.url = text.substr(0, slash);
  ST_CHECK_OK(parse_kafka_url(log.url));
  if (slash != std::string::npos) log.topic_prefix = text.substr(slash + 1);
  out.connection = kafka_connection(log, "sandtrail-copy");
  return out;
}

std::string root_check_file(const std::string& place) {
  return place.substr(kEmbedded.size()) + "/root.check";
}

Result<std::string> read_root_check(const std::string& place) {
  if (!place.starts_with(kEmbedded)) return std::string();
  auto text = read_file(root_check_file(place), kCheckBytesMax);
  if (!text.ok() && text.error().code == ErrorCode::not_found) return std::string();
  if (!text.ok()) return text.error();
  while (text->ends_with('\n')) text->pop_back();
  return std::move(*text);
}

Result<std::unique_ptr<KeyStore>> open_keys(const Place& place, bool read_only,
                                            const Clock& clock) {
  if (place.directory.empty()) {
    KafkaKeyStoreOptions options;
    options.connection = place.connection;
    return open_kafka_key_store(options, clock);
  }
  const std::string directory = place.directory + "/keys";
  if (read_only) return open_rocksdb_key_store_read_only(directory, "/tmp");
  return open_rocksdb_key_store(directory);
}

}  // namespace

LogPlaces make_log_places(const Clock& clock, Random& random) {
  LogPlaces out;
  out.open = [&clock](const std::string& text,
                      const std::optional<Config>& settings) -> Result<std::unique_ptr<EventLog>> {
    ST_ASSIGN(const Place place, parse_place(text, settings));
    if (!place.directory.empty()) return open_embedded_log_read_only(place.directory + "/log", {});
    KafkaLogOptions options;
    options.connection = place.connection;
    options.read_only = true;
    return open_kafka_log(options, clock);
  };
  out.import = [&clock, &random](
                   const std::string& text,
                   const std::optional<Config>& settings) -> Result<std::unique_ptr<LogImport>> {
    ST_ASSIGN(const Place place, parse_place(text, settings));
    if (place.directory.empty()) return open_kafka_import(place.connection, clock);
    return open_embedded_import(place.directory + "/log", "", random);
  };
  out.keys = [&clock](const std::string& text, const std::optional<Config>& settings,
                      bool read_only) -> Result<std::unique_ptr<KeyStore>> {
    ST_ASSIGN(const Place place, parse_place(text, settings));
    return open_keys(place, read_only, clock);
  };
  out.hold = [](const std::string& text) -> Result<std::shared_ptr<void>> {
    if (!text.starts_with(kEmbedded)) return std::shared_ptr<void>();
    return hold_embedded_log(text.substr(kEmbedded.size()) + "/log");
  };
  out.root_check = read_root_check;
  out.set_root_check = [](const std::string& place, const std::string& check) {
    return write_file_durably(root_check_file(place), check + "\n", 0600);
  };
  return out;
}

}  // namespace sandtrail
