// SPDX-License-Identifier: Apache-2.0
// One process on a log in memory: a runtime without threads, a projection, a role that does what a
// test tells it, an observer. Everything happens in settle().
#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/random.h"
#include "event_log/memory_log.h"
#include "runtime/runtime.h"
#include "store/memory_kv_store.h"

namespace sandtrail::test {

inline const TopicPartition kEvents{"events", 0};
inline const TopicPartition kPlatform{"platform", 0};
inline constexpr std::string_view kTally = "tally";

// Rows "t" + type -> number of records of it, and "p" + position -> verdict for the last 5 records.
class TallyProjection final : public Projection {
 public:
  std::string_view name() const override { return kTally; }
  bool folds(TopicKind topic) const override { return topic == TopicKind::events; }
  void apply(const Folded& folded, const CoreState& state, Rows& rows) const override;
};

// What a ScriptRole has seen, over all its lives.
struct Script {
  std::map<TopicPartition, RoleContext*> live;
  std::vector<std::string> seen;  // "open", "resume", "batch 3-5", "close"
  // Called by every life for resume() and on_committed(); may be empty.
  std::function<void(RoleContext&)> on_resume;
  std::function<void(RoleContext&, const std::vector<Folded>&)> on_batch;

  int count(const std::string& what) const;
};

class ScriptRole final : public Role {
 public:
  explicit ScriptRole(Script& script) : script_(script) {}
  DeciderRole name() const override { return DeciderRole::billing; }
  bool owns(TopicKind topic) const override { return topic == TopicKind::events; }
  std::unique_ptr<RolePartition> open(RoleContext& context) override;

 private:
  Script& script_;
};

class RecordingObserver final : public Observer {
 public:
  std::vector<std::string> seen;  // "loaded 4", "batch 4-6"
  void on_loaded(const PartitionView& view) override;
  void on_committed(const PartitionView& view, const std::vector<Folded>& batch) override;
};

struct BenchOptions {
  MemoryLogOptions log;
  bool role = true;
  bool projection = true;
  bool threads = false;
  std::string group;         // reports under it
  OpenObjects objects = {};  // where bases are
};

class Bench {
 public:
  explicit Bench(BenchOptions options = {});

  // A runtime on the same log and store; the one before is stopped.
  Status start();
  void stop();
  // Steps the log and the partitions until neither has anything to do.
  void settle();
  void pass(Millis span);  // in small steps, settling after each

  // Straight to the log, as another process would.
  Position append(const TopicPartition& where, const Event& event);
  Event event(EventBody body);
  // The role's claim by another process, with this fold's digest left out.
  void foreign_claim(std::int64_t epoch);
  PartitionStatus status(const TopicPartition& where = kEvents);
  PartitionDigests digests(const TopicPartition& where = kEvents);
  std::string tally(const std::string& key);
  std::int64_t epoch();

  ManualClock clock;
  SeededRandom random{7};
  BenchOptions options;
  MemoryLog log;
  MemoryKvStore store;
  Script script;
  RecordingObserver observer;
  std::unique_ptr<Runtime> runtime;
};

// An operator creates an organisation: legal anywhere on `events`, any number of times.
Proposal create_organization(const OrgId& org);
// Legal on `events` for the billing role only, versions rising.
Proposal adopt_card(std::int64_t version);
Actor an_operator();

// Ends of a proposal, which must come exactly once.
struct Ended {
  int times = 0;
  ProposalOutcome outcome;
  ProposalDone done() {
    return [this](const ProposalOutcome& o) {
      ++times;
      outcome = o;
    };
  }
};

}  // namespace sandtrail::test
