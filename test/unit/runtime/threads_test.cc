// SPDX-License-Identifier: Apache-2.0
// The runtime with its threads, used from many at once, while ownership moves and it is stopped.
#include <doctest/doctest.h>

#include <atomic>
#include <thread>

#include "base/clock.h"
#include "event_log/memory_log.h"
#include "runtime/runtime.h"
#include "store/memory_kv_store.h"

using namespace sandtrail;

namespace {

const TopicPartition kEvents{"events", 0};

// Keeps effects, guards and timers busy from its own and other threads.
class BusyPartition final : public RolePartition {
 public:
  BusyPartition(RoleContext& context, std::atomic<int>& acted) : context_(context), acted_(acted) {}
  ~BusyPartition() override {
    for (std::thread& thread : threads_) thread.join();
  }
  void resume() override { work(); }
  void on_committed(const std::vector<Folded>&) override { work(); }

 private:
  void work() {
    context_.effect("late", [this](const EffectDone& done) {
      if (threads_.size() < 8) {
        threads_.emplace_back([done] { done({}); });
      } else {
        done({});
      }
    });
    context_.decide("void", []() -> std::optional<Proposal> { return std::nullopt; });
    context_.at(context_.now(), "timer", [this] { ++acted_; });
    context_.guard([this] { ++acted_; })();
  }

  RoleContext& context_;
  std::atomic<int>& acted_;
  std::vector<std::thread> threads_;
};

class BusyRole final : public Role {
 public:
  explicit BusyRole(std::atomic<int>& acted) : acted_(acted) {}
  DeciderRole name() const override { return DeciderRole::billing; }
  bool owns(TopicKind topic) const override { return topic == TopicKind::events; }
  std::unique_ptr<RolePartition> open(RoleContext& context) override {
    return std::make_unique<BusyPartition>(context, acted_);
  }

 private:
  std::atomic<int>& acted_;
};

class Counting final : public Observer {
 public:
  void on_committed(const PartitionView&, const std::vector<Folded>& batch) override {
    for (const Folded& folded : batch) {
      if (folded.applied_as<OrganizationCreated>() != nullptr) ++created;
    }
  }
  std::atomic<int> created{0};
};

Proposal create_organization(Clock& clock, Random& random) {
  Proposal proposal;
  proposal.org = OrgId::fresh(clock, random);
  proposal.subject = proposal.org.text();
  proposal.actor = Actor{};
  proposal.actor->kind = ActorKind::op;
  OrganizationCreated body;
  body.organization = proposal.org;
  body.name = "Acme";
  proposal.body = body;
  return proposal;
}

struct Tally {
  std::atomic<int> proposed{0};
  std::atomic<int> applied{0};
  std::atomic<int> ended{0};
};

}  // namespace

TEST_CASE("many threads propose and read while ownership moves and the runtime stops") {
  SystemClock clock;
  SystemRandom random;
  MemoryLog log({}, clock);
  MemoryKvStore store;
  Counting counting;
  Tally tally;
  std::atomic<int> acted{0};
  std::atomic<int> reads{0};
  RuntimeOptions options;
  options.events_partitions = 2;
  Runtime runtime(options, log, store, clock, random);
  runtime.add(std::make_unique<BusyRole>(acted));
  runtime.add(&counting);
  REQUIRE(runtime.start().ok());

  std::atomic<bool> over{false};
  std::vector<std::thread> threads;
  for (int i = 0; i < 3; ++i) {
    threads.emplace_back([&] {
      for (int n = 0; n < 2000 && !over; ++n) {
        Proposal proposal = create_organization(clock, random);
        const TopicPartition where = runtime.home(proposal.org);
        ++tally.proposed;
        runtime.propose(where, std::move(proposal), [&](const ProposalOutcome& outcome) {
          ++tally.ended;
          if (outcome.applied()) ++tally.applied;
        });
        if (n % 20 == 0) std::this_thread::yield();
      }
    });
  }
  threads.emplace_back([&] {
    while (!over) {
      runtime.query(kEvents, [&](const PartitionView& view) {
        reads += view.state().orgs.size() > 0 ? 1 : 0;
      });
      runtime.query_at(kEvents, {1 << 20}, {5}, [&](const PartitionView&, bool) { ++reads; });
      runtime.status();
      runtime.not_ready_because();
      if (runtime.digests(kEvents).ok()) ++reads;
    }
  });
  threads.emplace_back([&] {
    for (int n = 0; !over; ++n) {
      n % 2 == 0 ? log.revoke("sandtrail-billing", kEvents)
                 : log.lose("sandtrail-billing", {"events", 1});
      log.assign("sandtrail-billing", kEvents);
      log.assign("sandtrail-billing", {"events", 1});
      std::this_thread::yield();
    }
  });
  while (tally.applied < 500) std::this_thread::yield();
  threads.emplace_back([&] { over = true; });
  runtime.stop();
  for (std::thread& thread : threads) thread.join();
  CHECK(tally.ended == tally.proposed);
  CHECK(counting.created >= tally.applied);
  CHECK(reads > 0);
  CHECK(acted > 0);
}
