// SPDX-License-Identifier: Apache-2.0
#include "loss.h"

#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <map>

#include "base/file.h"
#include "data_directory.h"
#include "json_file.h"
#include "log_embedded/inspect.h"
#include "loss_repair.h"
#include "runtime/runtime.h"
#include "store_rocksdb/kv_store.h"
#include "wire/event_codec.h"
#include "wire/topics.h"

namespace sandtrail {
namespace {

constexpr std::size_t kNoteBytesMax = 1u << 20;
constexpr std::size_t kReadBytes = 1u << 20;
using Ends = std::map<TopicPartition, Position>;

std::string note_path(const std::string& data_directory) {
  return data_directory + "/loss.json";
}

const std::vector<std::string>& topics() {
  static const std::vector<std::string> all{kEventsTopic, kPlatformTopic, kAuditTopic};
  return all;
}

// nullopt if there is none.
Result<std::optional<LossNote>> read_note(const std::string& data_directory) {
  const std::string path = note_path(data_directory);
  auto text = read_file(path, kNoteBytesMax);
  if (!text.ok() && text.error().code == ErrorCode::not_found) return std::optional<LossNote>();
  if (!text.ok()) return text.error();
  ST_ASSIGN(LossNote note, parse_json_file<LossNote>(path, *text, "restore the data directory"));
  return std::optional<LossNote>(std::move(note));
}

void raise_to(Ends& ends, const TopicPartition& where, Position end) {
  Position& known = ends[where];
  known = std::max(known, end);
}

// Behind the source of each audit entry there is.
Status note_audited(EventLog& log, Ends& ends) {
  const TopicPartition where{kAuditTopic, 0};
  if (log.partitions(kAuditTopic) == 0) return {};
  ST_ASSIGN(const Marks marks, log.marks(where));
  ST_ASSIGN(const auto reader, log.open_reader(where, marks.low));
  for (Position at = marks.low; at < marks.high;) {
    const auto batch = reader->poll(kReadBytes);
    // Damage is not what this is about; whoever reads it is told.
    if (!batch.ok() && batch.error().code == ErrorCode::corrupt) return {};
    if (!batch.ok()) return batch.error();
    for (const StoredRecord& stored : batch->records) {
      const auto event = decode_event(stored.record);
      if (!std::holds_alternative<Event>(event)) continue;
      const auto* entry = std::get_if<AuditRecorded>(&std::get<Event>(event).body);
      if (entry == nullptr) continue;
      raise_to(ends, {entry->source.topic, static_cast<std::int32_t>(entry->source.partition)},
               Position{entry->source.position}.next());
    }
    at = batch->next;
  }
  return {};
}

// What the store has folded of this log. A store that cannot be read is made anew in any case.
Status note_folded(const std::string& data_directory, const LogCondition& condition, Ends& ends) {
  const std::string path = data_directory + "/store";
  std::error_code ignored;
  if (!std::filesystem::exists(path, ignored)) return {};
  const auto store = open_rocksdb_kv_store(path);
  if (!store.ok() && store.error().code == ErrorCode::corrupt) return {};
  if (!store.ok()) return store.error();
  Ends all = condition.marked;
  all.insert(condition.found.begin(), condition.found.end());
  for (const auto& [where, end] : all) {
    const auto folded = stored_fold(**store, where);
    if (!folded.ok() || !*folded || (*folded)->log_identity != condition.identity) continue;
    raise_to(ends, where, (*folded)->next);
  }
  return {};
}

Status check_embedded(const std::string& data_directory) {
  const auto place = DataDirectory::noted_log(data_directory);
  if (!place.ok() && place.error().code != ErrorCode::not_found) return place.error();
  if (!place.ok() || place->url == "embedded") return {};
  return Error{ErrorCode::invalid_argument, "the log is not an embedded one: " + place->url, ""};
}

}  // namespace

Status check_no_loss_pending(const std::string& data_directory) {
  std::error_code ignored;
  if (!std::filesystem::exists(note_path(data_directory), ignored)) return {};
  return Error{ErrorCode::conflict, "accepting a loss of the log has begun and not ended",
               "repeat it: sandtrail log accept-loss"};
}

Result<LogLoss> find_log_loss(const std::string& data_directory, const Clock& clock,
                              Random& random) {
  ST_CHECK_OK(check_embedded(data_directory));
  Ends expected;
  ST_ASSIGN(
      const LogCondition condition,
      inspect_embedded_log(data_directory + "/log", topics(), clock, random,
                           [&expected](EventLog& log) { return note_audited(log, expected); }));
  ST_CHECK_OK(note_folded(data_directory, condition, expected));
  for (const auto& [where, end] : condition.marked) raise_to(expected, where, end);
  Ends found = condition.found;
  ST_ASSIGN(const auto note, read_note(data_directory));
  if (note) {
    for (const LostRange& lost : note->partitions) {
      const TopicPartition where{lost.topic, static_cast<std::int32_t>(lost.partition)};
      raise_to(expected, where, {lost.expected});
      found[where] = std::min(found[where], Position{lost.found});
    }
  }
  LogLoss out;
  for (const auto& [where, end] : expected) {
    if (found[where] < end) out.partitions.push_back({where, end, found[where]});
  }
  out.what = condition.loss;
  if (out.what.empty() && note) out.what = "accepting a loss has begun and not ended";
  if (out.what.empty() && !out.partitions.empty()) {
    out.what = "the store has folded records that the log does not hold any more";
  }
  return out;
}

Result<LossAccepted> accept_log_loss(const std::string& data_directory, const std::string& reason,
                                     const Clock& clock, Random& random) {
  ST_ASSIGN(const LogLoss loss, find_log_loss(data_directory, clock, random));
  if (loss.what.empty()) {
    return Error{ErrorCode::conflict, "nothing of the log is missing", "start the server"};
  }
  ST_ASSIGN(auto known, read_note(data_directory));
  LossNote note;
  if (known) {
    note = std::move(*known);
  } else {
    note.event = EventId::fresh(clock, random).text();
    note.reason = reason;
  }
  note.partitions.clear();
  for (const LogLoss::Partition& one : loss.partitions) {
    note.partitions.push_back(
        {one.where.topic, one.where.partition, one.expected.value, one.found.value});
  }
  LossRepair repair(data_directory, note_path(data_directory), std::move(note), clock, random);
  return repair.run();
}

}  // namespace sandtrail
