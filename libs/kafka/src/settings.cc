// SPDX-License-Identifier: Apache-2.0
#include "settings.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <string_view>

#include "base/file.h"
#include "crypto/secret.h"
#include "obs/log.h"

namespace sandtrail {
namespace {

constexpr std::string_view kScheme = "kafka://";

// How to reach and trust a broker is the user's to say; everything else decides what our promises
// rest on.
bool passed_through(std::string_view name) {
  constexpr std::array<std::string_view, 3> kExact{"security.protocol", "broker.address.family",
                                                   "client.rack"};
  constexpr std::array<std::string_view, 3> kSecrets{"sasl.password", "ssl.key.password",
                                                     "ssl.keystore.password"};
  if (std::find(kSecrets.begin(), kSecrets.end(), name) != kSecrets.end()) return false;
  if (name == "ssl.key.pem" || name == "sasl.oauthbearer.client.secret") return false;
  return std::find(kExact.begin(), kExact.end(), name) != kExact.end() ||
         name.starts_with("ssl.") || name.starts_with("sasl.") ||
         name.starts_with("socket.connection.") || name == "socket.keepalive.enable" ||
         name.starts_with("enable.ssl.");
}

// "sasl.password_file" names the file that holds "sasl.password".
std::optional<std::string> secret_of(std::string_view name) {
  constexpr std::string_view kSuffix = "_file";
  if (!name.ends_with(kSuffix)) return std::nullopt;
  return std::string(name.substr(0, name.size() - kSuffix.size()));
}

Error refused(const std::string& name, const std::string& why) {
  return {ErrorCode::invalid_argument, "log.kafka: " + name + ": " + why, ""};
}

}  // namespace

Result<std::string> parse_kafka_url(std::string_view url) {
  const auto wrong = [&url](const std::string& why) {
    return Error{ErrorCode::invalid_argument, "\"" + std::string(url) + "\" " + why,
                 "like \"kafka://broker-1:9092,broker-2:9092\""};
  };
  if (!url.starts_with(kScheme)) return wrong("does not begin with kafka://");
  const std::string_view brokers = url.substr(kScheme.size());
  for (std::size_t begin = 0; begin <= brokers.size();) {
    const std::size_t end = std::min(brokers.find(',', begin), brokers.size());
    const std::string_view broker = brokers.substr(begin, end - begin);
    const std::size_t colon = broker.rfind(':');
    const std::string_view port =
        colon == std::string_view::npos ? std::string_view() : broker.substr(colon + 1);
    const bool digits =
        std::all_of(port.begin(), port.end(), [](unsigned char c) { return std::isdigit(c) != 0; });
    const bool host = colon != std::string_view::npos && colon > 0 &&
                      std::all_of(broker.begin(), broker.end(), [](unsigned char c) {
                        return std::isalnum(c) != 0 || c == '.' || c == '-' || c == ':' ||
                               c == '_' || c == '[' || c == ']';
                      });
    if (!host || !digits || port.empty() || port.size() > 5)
      return wrong("is no list of host:port");
    begin = end + 1;
  }
  return std::string(brokers);
}

Status check_kafka_settings(const std::map<std::string, std::string>& settings) {
  const kafka::Conf conf(rd_kafka_conf_new());
  for (const auto& [name, value] : settings) {
    const auto secret = secret_of(name);
    if (!secret && (name == "sasl.password" || name == "ssl.key.password")) {
      return refused(name, "a secret is given as " + name + "_file, the path of its file");
    }
    if (secret) {
      if (*secret != "sasl.password" && *secret != "ssl.key.password") {
        return refused(name, "is not known");
      }
      continue;
    }
    if (!passed_through(name)) {
      return refused(name,
                     "is not yours to set: only how to connect is (security.protocol, ssl.*, "
                     "sasl.*, …)");
    }
    std::array<char, 512> why{};
    if (rd_kafka_conf_set(conf.get(), name.c_str(), value.c_str(), why.data(), why.size()) !=
        RD_KAFKA_CONF_OK) {
      return refused(name, why.data());
    }
  }
  return {};
}

namespace kafka {
namespace {

constexpr std::size_t kSecretBytesMax = 4096;

void log_line(const rd_kafka_t*, int level, const char* facility, const char* text) {
  constexpr int kWarning = 4;  // syslog's
  const LogFields fields{{"facility", facility}, {"text", text}};
  // Connections and producers that fail are told of by those who have them, once.
  const bool told = std::string_view(facility) == "FAIL" || std::string_view(facility) == "FATAL";
  // Much of what librdkafka calls an error passes by itself: a broker restarts, a member moves.
  if (level <= kWarning && !told) {
    log_info("kafka client", fields);
  } else {
    log_debug("kafka client", fields);
  }
}

Status set(rd_kafka_conf_t* conf, const std::string& name, const std::string& value) {
  std::array<char, 512> why{};
  if (rd_kafka_conf_set(conf, name.c_str(), value.c_str(), why.data(), why.size()) ==
      RD_KAFKA_CONF_OK) {
    return {};
  }
  return refused(name, why.data());
}

Status set_connection(rd_kafka_conf_t* conf, const KafkaConnection& connection) {
  ST_CHECK_OK(check_kafka_settings(connection.settings));
  for (const auto& [name, value] : connection.settings) {
    const auto secret = secret_of(name);
    if (!secret) {
      ST_CHECK_OK(set(conf, name, value));
      continue;
    }
    ST_ASSIGN(Bytes content, read_secret_file(value, kSecretBytesMax));
    if (content.ends_with('\n')) content.pop_back();
    const Status done = set(conf, *secret, content);
    wipe(content);
    ST_CHECK_OK(done);
  }
  return {};
}

// Nobody joins it, and nothing is committed to it.
std::string nobodys_group(const KafkaConnection& connection) {
  return connection.topic_prefix + "sandtrail-reader";
}

}  // namespace

Result<Conf> make_conf(const KafkaConnection& connection, const Settings& own) {
  Conf conf(rd_kafka_conf_new());
  const Settings common{
      {"bootstrap.servers", connection.brokers},
      {"client.id", connection.client_id},
      // The default of 10 s made an outage of 3 s last 13.5 s; with 1 s it lasted 3.0 s.
      {"reconnect.backoff.ms", "50"},
      {"reconnect.backoff.max.ms", "1000"},
      // A broker that hangs is told from one that is slow only by this.
      {"socket.timeout.ms", "10000"},
      // On by default before 2.10: small requests would wait for the peer's acknowledgement.
      {"socket.nagle.disable", "true"},
      {"socket.keepalive.enable", "true"},
      {"topic.metadata.refresh.interval.ms", "30000"},
      {"log.connection.close", "false"},
  };
  for (const auto& [name, value] : common) ST_CHECK_OK(set(conf.get(), name, value));
  ST_CHECK_OK(set_connection(conf.get(), connection));
  for (const auto& [name, value] : own) ST_CHECK_OK(set(conf.get(), name, value));
  rd_kafka_conf_set_log_cb(conf.get(), log_line);
  return conf;
}

Settings producer_settings(Millis append_timeout, Millis linger) {
  return {
      // Sets acks=all, at most 5 requests in flight and retries without end: no loss, no reordering
      // and no copies by retrying.
      {"enable.idempotence", "true"},
      {"linger.ms", std::to_string(linger.count)},
      // Well above our own limits, for our counters say no first: librdkafka counts a record until
      // all the reports that came together with its own are read.
      {"queue.buffering.max.messages", std::to_string(limits::kAppendQueueRecordsMax * 2)},
      {"queue.buffering.max.kbytes", std::to_string(limits::kAppendQueueBytesMax / 1024 * 2)},
      {"message.timeout.ms", std::to_string(append_timeout.count)},
      {"retry.backoff.ms", "50"},
  };
}

Settings fetcher_settings(const KafkaConnection& connection, std::size_t prefetch_bytes) {
  return {
      // assign() asks for a group, and librdkafka for its coordinator.
      {"group.id", nobodys_group(connection)},
      // Never jumps: a position that is not there is an error.
      {"auto.offset.reset", "error"},
      {"enable.auto.commit", "false"},
      {"enable.auto.offset.store", "false"},
      {"allow.auto.create.topics", "false"},
      {"check.crcs", "true"},
      // Nobody of ours uses transactions, and a stranger's open one would hold back every reader.
      {"isolation.level", "read_uncommitted"},
      // Tells the tail even where it is a transaction's marker, which is a position without record.
      {"enable.partition.eof", "true"},
      // A consumer has one fetch under way for each broker, and a partition that is newly assigned
      // waits for its end: with the default of 500 ms a start over 18 partitions took 9 s.
      {"fetch.wait.max.ms", "100"},
      {"fetch.min.bytes", "1"},
      {"fetch.error.backoff.ms", "100"},
      // The largest eater of memory: 64 MiB a consumer by default.
      {"queued.max.messages.kbytes", std::to_string(prefetch_bytes / 1024)},
      // Bytes are what bounds it. Past either of the two a partition is not fetched for a whole
      // second (settable from 2.2 on): with 1000 messages a replay got 1.9 k records/s.
      {"queued.min.messages", "1000000"},
      {"fetch.message.max.bytes", std::to_string(limits::kReadBatchBytesMax)},
  };
}

Settings admin_settings(const KafkaConnection& connection) {
  // A consumer, since asking for the metadata of a topic as a producer may create it.
  return {{"allow.auto.create.topics", "false"},
          {"enable.auto.commit", "false"},
          // One without a group of its own that asks for the offsets of another group, and is told
          // that this broker does not coordinate that one, crashes (librdkafka's issue 5040).
          {"group.id", nobodys_group(connection)},
          // Marks go by it as well: by default a log ends before a stranger's oldest open
          // transaction, so before what is folded, and a process that starts would say that
          // acknowledged records are gone.
          {"isolation.level", "read_uncommitted"}};
}

Settings group_settings(const std::string& group, Millis session_timeout) {
  return {
      {"group.id", group},
      {"enable.auto.commit", "false"},
      {"enable.auto.offset.store", "false"},
      {"allow.auto.create.topics", "false"},
      // The incremental protocol loses and repeats assignments before 2.6.1. Members are not static
      // either: a static member that leaves keeps its partitions until its session ends.
      {"partition.assignment.strategy", "range"},
      {"session.timeout.ms", std::to_string(session_timeout.count)},
      // Others hear with their next heartbeat that somebody left.
      {"heartbeat.interval.ms", std::to_string(limits::kKafkaHeartbeat.count)},
      {"auto.offset.reset", "error"},
  };
}

}  // namespace kafka
}  // namespace sandtrail
