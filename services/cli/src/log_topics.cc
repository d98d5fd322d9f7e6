// SPDX-License-Identifier: Apache-2.0
// log topics: what the log holds, by topic and partition.
#include <algorithm>

#include "api.h"
#include "commands.h"
#include "listing.h"
#include "progress.h"
#include "session.h"
#include "wire/topics.h"

namespace sandtrail::cli {
namespace {

constexpr const char* kTopics[] = {kEventsTopic, kPlatformTopic, kAuditTopic};

json::value text(std::string_view content) {
  return json::value(content);
}

Result<json::object> describe(EventLog& log, const std::string& topic) {
  json::object out;
  out["topic"] = text(topic);
  const std::int32_t count = log.partitions(topic);
  out["partitions"] = count;
  std::int64_t records = 0;
  json::array marks_shown;
  for (std::int32_t i = 0; i < count; ++i) {
    ST_ASSIGN(const Marks marks, log.marks({topic, i}));
    records += marks.high.value - marks.low.value;
    json::object one;
    one["partition"] = i;
    one["low"] = marks.low.value;
    one["high"] = marks.high.value;
    marks_shown.push_back(std::move(one));
  }
  out["records"] = records;
  out["marks"] = std::move(marks_shown);
  const auto facts = log.facts(topic);
  if (!facts.ok()) {
    out["settings_unknown_because"] = text(facts.error().message);
    return out;
  }
  if (facts->bytes) out["bytes"] = *facts->bytes;
  if (facts->settings.empty()) return out;
  json::object settings;
  for (const auto& [name, value] : facts->settings) settings[name] = text(value);
  out["settings"] = std::move(settings);
  return out;
}

void show(Session& session, const std::string& identity, const json::array& topics) {
  Table table({"TOPIC", "PARTITION", "LOW", "HIGH", "RECORDS", "BYTES"});
  for (const json::value& topic : topics) {
    const json::object& its = topic.get_object();
    const json::value* bytes = its.if_contains("bytes");
    const std::string name(its.at("topic").as_string());
    table.add({name, "all", "", "", std::to_string(its.at("records").as_int64()),
               bytes == nullptr ? "" : bytes_text(bytes->as_int64())});
    for (const json::value& partition : its.at("marks").as_array()) {
      const std::int64_t low = partition.as_object().at("low").as_int64();
      const std::int64_t high = partition.as_object().at("high").as_int64();
      table.add({name, shown(partition, "partition"), std::to_string(low), std::to_string(high),
                 std::to_string(high - low), ""});
    }
  }
  session.line("log " + identity);
  session.print(table.text());
  for (const json::value& topic : topics) {
    const json::value* settings = topic.get_object().if_contains("settings");
    if (settings == nullptr) continue;
    session.line("");
    session.line("settings of " + shown(topic, "topic"));
    for (const auto& [name, value] : settings->as_object()) {
      session.line("  " + printable(name) + " = " + printable(std::string_view(value.as_string())));
    }
  }
}

int topics(Session& session, NoOptions&) {
  const auto log = session.open_log();
  if (!log.ok()) return session.fail(log.error());
  json::array found;
  for (const char* topic : kTopics) {
    auto described = describe(**log, topic);
    if (!described.ok()) return session.fail(described.error());
    // A log on servers may not say why it has none: away, or not for this user.
    const bool none = described->at("partitions").as_int64() == 0;
    const auto marks = none ? (*log)->marks({topic, 0}) : Result<Marks>(Marks{});
    if (!marks.ok() && marks.error().code != ErrorCode::not_found &&
        marks.error().code != ErrorCode::invalid_argument) {
      return session.fail(marks.error());
    }
    if (!none) found.push_back(std::move(*described));
  }
  const std::string identity = (*log)->identity();
  if (!session.globals.json) {
    show(session, identity, found);
    return 0;
  }
  json::object out;
  out["identity"] = text(identity);
  out["topics"] = std::move(found);
  session.document(out);
  return 0;
}

void no_options(Options&, NoOptions&) {}

}  // namespace

Commands log_topics_commands() {
  return {make_command<NoOptions>(
      "log topics", "Topics, their partitions, marks and settings",
      "sandtrail log topics\nsandtrail log topics --config st.toml --json", no_options, topics)};
}

}  // namespace sandtrail::cli
