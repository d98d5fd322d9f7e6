// SPDX-License-Identifier: Apache-2.0
#include "kafka_settings.h"

#include <algorithm>
#include <array>
#include <string_view>
#include <utility>

#include "base/limits.h"

namespace sandtrail {
namespace config {
namespace {

constexpr std::string_view kFileSuffix = "_file";

// Those that say how to reach and trust a broker, as libs/kafka knows them. Prefixes end with a
// point.
constexpr std::array<std::string_view, 8> kAllowed{"security.protocol",
                                                   "ssl.",
                                                   "sasl.",
                                                   "socket.connection.",
                                                   "enable.ssl.",
                                                   "client.rack",
                                                   "broker.address.family",
                                                   "socket.keepalive.enable"};

// Each is given as the path of a file, with kFileSuffix at the name.
constexpr std::array<std::string_view, 2> kSecrets{"sasl.password", "ssl.key.password"};

// Of settings with this beginning, why they are not for the operator.
constexpr std::array<std::pair<std::string_view, std::string_view>, 21> kOurs{
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
     {"ssl.keystore.password", "name certificate and key as PEM files"},
     {"sasl.oauthbearer.client.secret", "secrets do not stand in the settings"},
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
    return "is not passed through; security.protocol, ssl.*, sasl.*, client.rack and a few more "
           "are";
  }
  if (value.size() > limits::kKafkaSettingBytesMax) {
    return "must be at most " + std::to_string(limits::kKafkaSettingBytesMax) + " bytes";
  }
  return value.empty() ? "must not be empty" : "";
}

}  // namespace config
}  // namespace sandtrail
