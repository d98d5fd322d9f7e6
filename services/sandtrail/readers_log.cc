// SPDX-License-Identifier: Apache-2.0
#include "readers_log.h"

#include "data_directory.h"
#include "kafka/kafka_log.h"
#include "log_embedded/embedded_log.h"
#include "places.h"
#include "roles.h"

namespace sandtrail {
namespace {

Result<LogPlace> noted_below(const std::string& data_directory) {
  auto noted = DataDirectory::noted_log(data_directory);
  for (const ServerRole role : all_roles()) {
    if (noted.ok() || noted.error().code != ErrorCode::not_found) break;
    noted = DataDirectory::noted_log(data_directory + "/" + std::string(name_of(role)));
  }
  return noted;
}

}  // namespace

Result<std::unique_ptr<EventLog>> open_readers_log(const std::string& data_directory,
                                                   const std::optional<Config>& config,
                                                   const Clock& clock) {
  Config::Log place;
  if (config) {
    place = config->log;
  } else if (auto noted = noted_below(data_directory); noted.ok()) {
    place.url = noted->url;
    place.topic_prefix = noted->topic_prefix;
    place.kafka = noted->kafka;
  } else if (noted.error().code != ErrorCode::not_found) {
    return noted.error();
  }
  if (place.embedded()) return open_embedded_log_read_only(data_directory + "/log", {});
  KafkaLogOptions options;
  options.connection = kafka_connection(place, "sandtrail-reader");
  options.read_only = true;
  return open_kafka_log(options, clock);
}

}  // namespace sandtrail
