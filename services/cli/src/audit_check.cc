// SPDX-License-Identifier: Apache-2.0
#include "audit_check.h"

#include <algorithm>
#include <deque>
#include <map>

#include "crypto/merkle.h"
#include "domain/audit.h"
#include "log_fold.h"
#include "wire/event_codec.h"
#include "wire/topics.h"

namespace sandtrail::cli {
namespace {

std::string place_of(const TopicPartition& where, std::int64_t position) {
  return where.text() + "/" + std::to_string(position);
}

// The first member in which two values differ, as a JSON pointer.
std::string first_difference(const json::value& a, const json::value& b, const std::string& at) {
  if (!a.is_object() || !b.is_object()) return at;
  for (const auto& member : a.get_object()) {
    const std::string pointer = json::pointer_to(at, member.key());
    const json::value* other = b.get_object().if_contains(member.key());
    if (other == nullptr) return pointer;
    if (*other != member.value()) return first_difference(member.value(), *other, pointer);
  }
  for (const auto& member : b.get_object()) {
    if (!a.get_object().contains(member.key())) return json::pointer_to(at, member.key());
  }
  return at;  // equal members in another order
}

// The audited events of one source partition, in order.
class Source {
 public:
  explicit Source(std::unique_ptr<PartitionFolder> folder) : folder_(std::move(folder)) {}

  // The entry that the next audited event must have; nullopt at the tail.
  Result<std::optional<AuditRecorded>> next() {
    while (true) {
      ST_ASSIGN(const JudgedRecord* judged, folder_->next());
      if (judged == nullptr) return std::optional<AuditRecorded>();
      if (judged->event == nullptr) continue;
      const AuditOrigin origin{folder_->where().topic, folder_->where().partition,
                               judged->stored.position.value, judged->stored.stamp};
      auto entry = audit_entry_of(*judged->event, judged->judgement, origin);
      if (!entry) continue;
      entry->source.previous = last_;
      last_ = entry->source.position;
      return entry;
    }
  }
  // The next audited event is lost; an entry about it says that it stood there.
  void lost_at(std::int64_t position) { last_ = position; }
  std::int64_t last() const { return last_; }

 private:
  std::unique_ptr<PartitionFolder> folder_;
  std::int64_t last_ = -1;
};

class Checker {
 public:
  Checker(EventLog& log, const NoteVerifier& verifier) : log_(log), verifier_(verifier) {}

  Result<AuditReport> run();

 private:
  Status open();
  Status record(const JudgedRecord& judged);
  Status entry(const JudgedRecord& judged, const AuditRecorded& found);
  Status learn_losses();
  bool is_lost(const AuditSource& source) const;
  void take(const JudgedRecord& judged);
  void compare(const JudgedRecord& judged, AuditRecorded expected);
  void checkpoint(const JudgedRecord& judged, const AuditCheckpointSigned& signed_by);
  Result<std::uint64_t> count_pending();
  void differ(std::string place, std::string field, std::string detail) {
    report_.difference = {std::move(place), std::move(field), std::move(detail)};
  }

  EventLog& log_;
  const NoteVerifier& verifier_;
  std::unique_ptr<PartitionFolder> audit_;
  std::map<std::string, Source> sources_;  // by topic/partition
  std::vector<LostRange> losses_;          // that were accepted
  AuditReport report_;
  MerkleFrontier tree_;         // of all entries so far
  MerkleFrontier signed_tree_;  // of those under the newest checkpoint
  std::deque<Bytes> unsigned_;  // leaf hashes behind it
};

// The audit log first: whatever it names stands in its source by then.
Status Checker::open() {
  const TopicPartition audit{kAuditTopic, 0};
  ST_ASSIGN(audit_, PartitionFolder::open(log_, audit));
  ST_ASSIGN(const auto partitions, audited_partitions(log_));
  bool whole = audit_->from_beginning();
  for (const TopicPartition& where : partitions) {
    ST_ASSIGN(auto folder, PartitionFolder::open(log_, where));
    whole = whole && folder->from_beginning();
    sources_.emplace(where.text(), Source(std::move(folder)));
  }
  if (whole) return learn_losses();
  return Error{ErrorCode::conflict, "the log was trimmed, so nothing can be derived from it", ""};
}

Status Checker::learn_losses() {
  ST_ASSIGN(const auto partitions, partitions_of(log_, kPlatformTopic));
  for (const TopicPartition& where : partitions) {
    ST_ASSIGN(const auto folder, PartitionFolder::open(log_, where));
    while (true) {
      ST_ASSIGN(const JudgedRecord* judged, folder->next());
      if (judged == nullptr) break;
      if (judged->event == nullptr || !judged->judgement.applied()) continue;
      const auto* accepted = std::get_if<LogLossAccepted>(&judged->event->body);
      if (accepted == nullptr) continue;
      losses_.insert(losses_.end(), accepted->partitions.begin(), accepted->partitions.end());
    }
  }
  return {};
}

bool Checker::is_lost(const AuditSource& source) const {
  return std::any_of(losses_.begin(), losses_.end(), [&source](const LostRange& lost) {
    return lost.topic == source.topic && lost.partition == source.partition &&
           source.position >= lost.found && source.position < lost.expected;
  });
}

Result<AuditReport> Checker::run() {
  ST_CHECK_OK(open());
  while (!report_.difference) {
    ST_ASSIGN(const JudgedRecord* judged, audit_->next());
    if (judged == nullptr) break;
    ST_CHECK_OK(record(*judged));
  }
  report_.root = tree_.root();
  if (!report_.difference) {
    ST_ASSIGN(report_.pending, count_pending());
  }
  return std::move(report_);
}

Status Checker::record(const JudgedRecord& judged) {
  if (judged.event == nullptr || !judged.judgement.applied()) {
    ++report_.void_records;
    return {};
  }
  if (const auto* found = std::get_if<AuditRecorded>(&judged.event->body)) {
    return entry(judged, *found);
  }
  if (const auto* found = std::get_if<AuditCheckpointSigned>(&judged.event->body)) {
    checkpoint(judged, *found);
  }
  return {};
}

Status Checker::entry(const JudgedRecord& judged, const AuditRecorded& found) {
  const std::string place = place_of(audit_->where(), judged.stored.position.value);
  const auto source =
      sources_.find(found.source.topic + "/" + std::to_string(found.source.partition));
  if (source == sources_.end()) {
    differ(place, "/source", "the log has no such partition");
    return {};
  }
  if (is_lost(found.source)) {
    if (found.source.previous != source->second.last()) {
      differ(place, "/source/previous", "it is not the audited event before it");
      return {};
    }
    source->second.lost_at(found.source.position);
    ++report_.lost_sources;
    take(judged);
    return {};
  }
  ST_ASSIGN(auto expected, source->second.next());
  if (!expected) {
    differ(place, "/source/position",
           "no audited event stands at " + source->first + "/" +
               std::to_string(found.source.position));
    return {};
  }
  if (expected->source.position != found.source.position) {
    const bool left_out = expected->source.position < found.source.position;
    differ(left_out ? source->first + "/" + std::to_string(expected->source.position) : place,
           left_out ? "" : "/source/position",
           left_out ? "the event was left out: " + place + " is about a later one"
                    : "no audited event stands there");
    return {};
  }
  compare(judged, std::move(*expected));
  if (!report_.difference) take(judged);
  return {};
}

void Checker::take(const JudgedRecord& judged) {
  ++report_.entries;
  Bytes leaf = merkle_leaf_hash(judged.stored.record.value);
  tree_.append(leaf);
  unsigned_.push_back(std::move(leaf));
}

// The record as it would have to be, but for what the appender chose: id, time, source.
void Checker::compare(const JudgedRecord& judged, AuditRecorded expected) {
  const std::string place = place_of(audit_->where(), judged.stored.position.value);
  Event event;
  event.id = judged.event->id;
  event.time = judged.event->time;
  if (expected.organization) event.org = *expected.organization;
  event.source = judged.event->source;
  event.body = std::move(expected);
  const auto record = encode_event(event);
  if (!record.ok()) return differ(place, "", record.error().message);
  const Bytes& found = judged.stored.record.value;
  if (record->key != judged.stored.record.key) {
    return differ(place, "key", "expected " + record->key);
  }
  if (record->value == found) return;
  const auto wanted = json::parse(record->value);
  const auto parsed = json::parse(found);
  const std::string field =
      wanted.ok() && parsed.ok() ? first_difference(*wanted, *parsed, "") : "";
  differ(place, field, "the entry is not the one its event gives");
}

void Checker::checkpoint(const JudgedRecord& judged, const AuditCheckpointSigned& signed_by) {
  const std::string place = place_of(audit_->where(), judged.stored.position.value);
  const auto note = open_note(signed_by.note, {verifier_});
  if (!note.ok()) return differ(place, "/note", note.error().message);
  const auto found = parse_checkpoint(note->text);
  if (!found.ok()) return differ(place, "/note", found.error().message);
  if (found->origin != verifier_.name()) {
    return differ(place, "/note", "it is of another log: " + found->origin);
  }
  // The fold lets sizes only grow, up to the entries before it.
  if (static_cast<std::int64_t>(found->size) != signed_by.size || found->size > tree_.size() ||
      found->size < signed_tree_.size()) {
    return differ(place, "/size",
                  "the note is about " + std::to_string(found->size) + " entries, of " +
                      std::to_string(tree_.size()));
  }
  while (signed_tree_.size() < found->size) {
    signed_tree_.append(std::move(unsigned_.front()));
    unsigned_.pop_front();
  }
  if (found->root != signed_tree_.root()) {
    return differ(place, "/note",
                  "its root " + base64(found->root) + " is not that of the first " +
                      std::to_string(found->size) + " entries, " + base64(signed_tree_.root()));
  }
  ++report_.checkpoints;
  report_.checkpoint_size = found->size;
}

Result<std::uint64_t> Checker::count_pending() {
  std::uint64_t count = 0;
  for (auto& [name, source] : sources_) {
    while (true) {
      ST_ASSIGN(const auto entry, source.next());
      if (!entry) break;
      ++count;
    }
  }
  return count;
}

}  // namespace

Result<AuditReport> check_audit(EventLog& log, const NoteVerifier& verifier) {
  return Checker(log, verifier).run();
}

}  // namespace sandtrail::cli
