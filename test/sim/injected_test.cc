// SPDX-License-Identifier: Apache-2.0
// Records that a log may hold besides the right ones, put below the runtime: a copy that comes
// again or late, a decision of an owner that was replaced, nonsense. Two logs hold the same history
// at the same positions; where one has such a record, the other has left the position out.
#include <doctest/doctest.h>

#include "wire/event_codec.h"
#include "wire/topics.h"
#include "world.h"

using namespace sandtrail;
using namespace sandtrail::sim;

namespace {

using History = std::map<TopicPartition, std::vector<StoredRecord>>;

Record encoded(const Event& event) {
  auto record = encode_event(event);
  REQUIRE(record.ok());
  return std::move(record).value();
}

// A claim names what its maker had folded; at other positions that is another digest.
Record without_digest(Record record) {
  auto decoded = decode_event(record);
  auto* event = std::get_if<Event>(&decoded);
  auto* claim = event == nullptr ? nullptr : std::get_if<OwnerClaimed>(&event->body);
  if (claim == nullptr) return record;
  claim->digest_position = -1;
  claim->digest = {};
  return encoded(*event);
}

History history_of(std::uint64_t seed) {
  World world(seed, 2);
  world.begin();
  world.live_dangerously(25);
  world.recover();
  REQUIRE_MESSAGE(world.shared.problems.none(), world.shared.problems.text());
  const auto log = world.shared.log.connect();
  History out;
  for (const TopicPartition& where : all_partitions()) {
    auto reader = log->open_reader(where, {0});
    REQUIRE(reader.ok());
    for (;;) {
      auto batch = (*reader)->poll(1 << 20);
      REQUIRE(batch.ok());
      if (batch->records.empty()) break;
      for (StoredRecord& stored : batch->records) {
        stored.record = without_digest(std::move(stored.record));
        out[where].push_back(std::move(stored));
      }
    }
  }
  return out;
}

// Makes records that must change nothing, from what a partition holds so far.
class Intruder {
 public:
  explicit Intruder(std::uint64_t seed) : random_(seed) {}

  void saw(const StoredRecord& stored) {
    auto decoded = decode_event(stored.record);
    if (auto* event = std::get_if<Event>(&decoded)) {
      if (const auto* claim = std::get_if<OwnerClaimed>(&event->body)) {
        epochs_[claim->role] = std::max(epochs_[claim->role], claim->epoch);
      }
      seen_.push_back(std::move(*event));
    }
  }

  std::optional<Record> make(UnixMs now) {
    if (seen_.empty()) return std::nullopt;
    Event event = seen_[random_.below(seen_.size())];
    switch (random_.below(4)) {
      case 0:
        return repeated(std::move(event), now);
      case 1:
        return fenced(std::move(event), now);
      case 2:
        return late(std::move(event), now);
      default:
        return nonsense(std::move(event));
    }
  }

  std::map<std::string, int> made;

 private:
  // An attempt that is refused for its time is audited if it has an actor: it is no copy that
  // nobody needs to hear of. So those come again only while their id is known.
  static bool may_be_stale(const Event& event, UnixMs now) {
    return event.time < now - limits::kEventAgeMax;
  }
  std::optional<Record> repeated(Event event, UnixMs now) {
    if (event.actor && may_be_stale(event, now)) return std::nullopt;
    ++made["repeated"];
    return encoded(event);
  }
  std::optional<Record> fenced(Event event, UnixMs now) {
    if (!event.decision || epochs_[event.decision->role] < 2) return std::nullopt;
    ++made["fenced"];
    event.id = EventId::fresh(ManualClock(now), random_);
    event.time = now;
    event.decision->epoch = epochs_[event.decision->role] - 1;
    // Legal at any time, but for the epoch.
    if (random_.below(2) == 0) event.body = EffectParked{"work", "broken"};
    return encoded(event);
  }
  std::optional<Record> late(Event event, UnixMs now) {
    if (event.actor) return std::nullopt;
    ++made["late"];
    event.id = EventId::fresh(ManualClock(now), random_);
    event.time = now - limits::kEventAgeMax - seconds(1);
    return encoded(event);
  }
  std::optional<Record> nonsense(const Event& event) {
    ++made["nonsense"];
    Record record = encoded(event);
    if (random_.below(2) == 0) {
      record.value.resize(record.value.size() / 2);
    } else {
      for (auto& [name, value] : record.headers) {
        if (name == "ce_type") value = "sandtrail.execution.promoted";
      }
    }
    return record;
  }

  SeededRandom random_;
  std::vector<Event> seen_;
  std::map<DeciderRole, std::int64_t> epochs_;
};

// The history once more, in logs of its own.
struct Copy {
  Copy() : log({}, clock) {
    for (const TopicPartition& where : all_partitions()) {
      const std::int32_t count = where.topic == kEventsTopic ? kEventsPartitions : 1;
      REQUIRE(log.ensure_topic({where.topic, count}).ok());
    }
  }
  void append(const TopicPartition& where, const Record& record, UnixMs stamp) {
    clock.jump(stamp - clock.now());
    end = std::max(end, stamp);
    log.append(where, record, [](const AppendOutcome& outcome) { REQUIRE(outcome.committed()); });
  }
  void fold() {
    clock.jump(end - clock.now());
    RuntimeOptions options;
    options.events_partitions = kEventsPartitions;
    options.threads = false;
    runtime = std::make_unique<Runtime>(options, log, store, clock, random);
    add_projections(*runtime);
    REQUIRE(runtime->start().ok());
    for (std::size_t i = 0; i < kPartitions; ++i) {
      while (runtime->step(i)) {
      }
    }
    REQUIRE_MESSAGE(runtime->not_ready_because().empty(), runtime->not_ready_because());
  }
  std::int64_t void_records(const TopicPartition& where) {
    for (const PartitionStatus& status : runtime->status()) {
      if (status.where == where) return status.void_records;
    }
    return -1;
  }

  ManualClock clock;
  UnixMs end;
  SeededRandom random{1};
  MemoryLog log;
  MemoryKvStore store;
  std::unique_ptr<Runtime> runtime;
};

// Long after everything: what is remembered of ids for a while is forgotten.
Event long_after(UnixMs last) {
  Event event;
  event.time = last + minutes(30);
  SeededRandom random(9);
  event.id = EventId::fresh(ManualClock(event.time), random);
  event.source = "/test";
  event.body = AccessDenied{"execution.create", "missing_scope", 1, {}, {}};
  return event;
}

}  // namespace

TEST_CASE("records that come again, late, from a replaced owner or from nowhere change nothing") {
  std::map<std::string, int> made;
  for (std::uint64_t seed = 1; seed <= 3; ++seed) {
    CAPTURE(seed);
    SeededRandom random(seed);
    Copy plain;
    Copy crowded;
    std::map<TopicPartition, std::int64_t> extra;
    for (const auto& [where, records] : history_of(seed)) {
      Intruder intruder(seed);
      UnixMs last;
      for (const StoredRecord& stored : records) {
        last = std::max(last, stored.stamp);
        for (std::uint64_t n = random.below(3); n > 0; --n) {
          const auto intruding = intruder.make(last);
          if (!intruding) continue;
          crowded.append(where, *intruding, last);
          plain.log.skip(where, 1);
          ++extra[where];
        }
        plain.append(where, stored.record, last);
        crowded.append(where, stored.record, last);
        intruder.saw(stored);
      }
      const Event end = long_after(last);
      for (Copy* copy : {&plain, &crowded}) copy->append(where, encoded(end), end.time);
      for (const auto& [kind, times] : intruder.made) made[kind] += times;
    }
    plain.fold();
    crowded.fold();
    for (const TopicPartition& where : all_partitions()) {
      CAPTURE(where.text());
      const auto a = plain.runtime->digests(where);
      const auto b = crowded.runtime->digests(where);
      REQUIRE(a.ok());
      REQUIRE(b.ok());
      CHECK(a->next == b->next);
      CHECK(a->core == b->core);
      CHECK(a->projections == b->projections);
      CHECK(a->projections.size() >= (where.topic == kEventsTopic ? 4U : 1U));
      CHECK(crowded.void_records(where) == plain.void_records(where) + extra[where]);
    }
  }
  for (const char* kind : {"repeated", "fenced", "late", "nonsense"}) {
    CAPTURE(kind);
    CHECK(made[kind] > 20);
  }
}
