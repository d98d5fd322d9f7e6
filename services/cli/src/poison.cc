// SPDX-License-Identifier: Apache-2.0
#include "poison.h"

#include "api.h"
#include "listing.h"
#include "log_fold.h"
#include "progress.h"
#include "wire/topics.h"

namespace sandtrail::cli {
namespace {

constexpr std::int64_t kRecordsDefault = 100;

struct PoisonOptions {
  std::optional<std::int64_t> limit;
};

json::value text(std::string_view content) {
  return json::value(content);
}

json::object unreadable(const TopicPartition& where, const JudgedRecord& judged) {
  const StoredRecord& stored = judged.stored;
  json::object out;
  out["what"] = "record";
  out["partition"] = text(where.text());
  out["position"] = stored.position.value;
  out["since"] = text(rfc3339(stored.stamp));
  out["reason"] = text(enum_text(judged.judgement.reason));
  out["type"] = text(printable(stored.record.header("ce_type").value_or("(none)")));
  return out;
}

// Records without an event that can be read: void, passed over by every fold.
Status find_records(Session& session, EventLog& log, std::size_t limit, json::array& into) {
  ProgressLine line(session);
  for (const char* topic : {kEventsTopic, kPlatformTopic, kAuditTopic}) {
    ST_ASSIGN(const auto partitions, partitions_of(log, topic));
    for (const TopicPartition& where : partitions) {
      ST_ASSIGN(const auto folder, PartitionFolder::open(log, where));
      for (std::int64_t read = 0;; ++read) {
        ST_ASSIGN(const JudgedRecord* judged, folder->next());
        if (judged == nullptr) break;
        line.show("reading " + where.text(), read, folder->limit().value);
        if (judged->event != nullptr) continue;
        into.push_back(unreadable(where, *judged));
        if (into.size() >= limit) return {};
      }
    }
  }
  return {};
}

// Effects that stand aside until an operator says what to do: sandtrail effects.
Status find_effects(Session& session, json::array& into) {
  ST_ASSIGN(Api api, operator_api(session));
  ST_ASSIGN(const ApiAnswer answer, api.get("/operator/effects"));
  const auto* object = answer.body.if_object();
  const json::value* data = object == nullptr ? nullptr : object->if_contains("data");
  if (data == nullptr || !data->is_array()) return {};
  for (const json::value& effect : data->get_array()) {
    json::object out;
    out["what"] = "effect";
    out["partition"] = text(shown(effect, "topic") + "/" + shown(effect, "partition"));
    out["position"] = nullptr;
    out["since"] = text(shown(effect, "since"));
    out["reason"] = text(shown(effect, "error"));
    out["type"] = text(shown(effect, "role") + " " + shown(effect, "effect"));
    into.push_back(std::move(out));
  }
  return {};
}

int poison(Session& session, PoisonOptions& o) {
  const std::int64_t limit = o.limit.value_or(kRecordsDefault);
  if (limit <= 0) return session.usage("--limit must be above 0");
  const auto log = session.open_log();
  if (!log.ok()) return session.fail(log.error());
  json::array found;
  const Status records = find_records(session, **log, static_cast<std::size_t>(limit), found);
  if (!records.ok()) return session.fail(records.error());
  const Status effects = find_effects(session, found);
  if (!effects.ok()) session.note("parked effects are not known: " + effects.error().message);
  return show_list(session, found,
                   {{"WHAT", "what"},
                    {"PARTITION", "partition"},
                    {"POSITION", "position"},
                    {"SINCE", "since"},
                    {"TYPE", "type"},
                    {"REASON", "reason"}});
}

}  // namespace

Command poison_command() {
  return make_command<PoisonOptions>(
      "projection poison", "Records that hold no event, and effects that are parked",
      "sandtrail projection poison\nsandtrail projection poison --limit 10 --json",
      [](Options& to, PoisonOptions& o) {
        to.number("-n,--limit", o.limit, "how many records at most (100)");
      },
      poison);
}

}  // namespace sandtrail::cli
