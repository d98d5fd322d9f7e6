// SPDX-License-Identifier: Apache-2.0
#include "kafka_settings.h"

#include <algorithm>
#include <array>
#include <string_view>
#include <utility>

#include "base/file.h"
#include "base/limits.h"
#include "config/config.h"

namespace sandtrail {
namespace config {
namespace {

constexpr std::string_view kFileSuffix = "_file";

// Prefixes end with a point.
constexpr std::array<std::string_view, 11> kAllowed{"security.protocol",
                                                    "ssl.",
                                                    "sasl.",
                                                    "socket.",
                                                    "broker.address.family",
                                                    "broker.address.ttl",
                                                    "client.rack",
                                                    "connections.max.idle.ms",
                                                    "metadata.max.age.ms",
                                                    "compression.codec",
                                                    "compression.type"};

// Each is given as the path of a file, with kFileSuffix at the name.
constexpr std::array<std::string_view, 4> kSecrets{
    "sasl.password", "ssl.key.password", "ssl.keystore.password", "sasl.oauthbearer.client.secret"};

// Of settings with this beginning, why they are not for the operator.
constexpr std::array<std::pair<std::string_view, std::string_view>, 19> kOurs{
    {{"bootstrap.servers", "set log.url"},
     {"metadata.broker.list", "set log.url"},
     {"client.id", "it is made of the role"},
     {"group.", "groups decide who acts on a partition; their names and members are fixed"},
     {"session.timeout.ms", "set log.session_timeout_ms"},
     {"heartbeat.interval.ms", "it follows from log.session_timeout_ms"},
     {"partition.assignment.strategy", "groups depend on it"},
     {"enable.idempotence", "records must keep their order"},
     {"acks", "acknowledged means durable"},
     {"request.required.acks", "acknowledged means durable"},
     {"max.in.flight", "records must keep their order"},
     {"transactional.id", "no transactions are used"},
     {"enable.auto", "positions stand in the store, beside what was folded up to them"},
     {"auto.offset.reset", "a reader never jumps"},
     {"isolation.level", "every reader must see the same records"},
     {"partitioner", "an organisation's partition is part of the log"},
     {"message.timeout.ms", "it decides when an append counts as unknown"},
     {"ssl.key.pem", "a key does not stand in the settings; name its file as ssl.key.location"},
     {"socket.nagle.disable", "it is set: else each append waits"}}};

bool matches(std::string_view pattern, std::string_view name) {
  return pattern.ends_with('.') ? name.starts_with(pattern) : name == pattern;
}

bool is_secret(std::string_view name) {
  return std::find(kSecrets.begin(), kSecrets.end(), name) != kSecrets.end();
}

// The secret whose file it names; empty if it is none.
std::string_view secret_of(std::string_view name) {
  if (!name.ends_with(kFileSuffix)) return {};
  name.remove_suffix(kFileSuffix.size());
  return is_secret(name) ? name : std::string_view();
}

}  // namespace

std::string kafka_setting_problem(const std::string& name, const std::string& value) {
  for (const auto& [beginning, reason] : kOurs) {
    if (name.starts_with(beginning)) return "is not for you to set: " + std::string(reason);
  }
  if (is_secret(name)) {
    return "secrets do not stand in the settings; name a file as \"" + name +
           std::string(kFileSuffix) + "\"";
  }
  if (!secret_of(name).empty()) return value.starts_with('/') ? "" : "must be an absolute path";
  const bool allowed = std::any_of(kAllowed.begin(), kAllowed.end(), [&](std::string_view pattern) {
    return matches(pattern, name);
  });
  if (!allowed) {
    return "is not passed through; security.protocol, ssl.*, sasl.*, socket.*, client.rack and a "
           "few more are";
  }
  if (value.size() > limits::kKafkaSettingBytesMax) {
    return "must be at most " + std::to_string(limits::kKafkaSettingBytesMax) + " bytes";
  }
  return value.empty() ? "must not be empty" : "";
}

}  // namespace config

Result<std::map<std::string, std::string>> kafka_settings(const Config& config) {
  std::map<std::string, std::string> out;
  for (const auto& [name, value] : config.log.kafka) {
    const std::string_view secret = config::secret_of(name);
    if (secret.empty()) {
      out[name] = value;
      continue;
    }
    ST_ASSIGN(Bytes text, read_secret_file(value, limits::kConfigBytesMax));
    while (text.ends_with('\n') || text.ends_with('\r')) text.pop_back();
    if (text.empty()) {
      return Error{ErrorCode::invalid_argument, value + " is empty",
                   "it is what log.kafka.\"" + name + "\" names"};
    }
    out[std::string(secret)] = std::move(text);
  }
  return out;
}

}  // namespace sandtrail
