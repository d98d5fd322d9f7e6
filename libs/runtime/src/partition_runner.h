// SPDX-License-Identifier: Apache-2.0
// Everything of one partition in one process: its fold, its proposals, its roles, its thread.
#pragma once

#include <atomic>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "currency.h"
#include "mailbox.h"
#include "partition_fold.h"
#include "proposals.h"
#include "role_session.h"

namespace sandtrail {

struct RunnerParts {
  const RuntimeOptions& options;
  EventLog& log;
  KvStore& store;
  Clock& clock;
  Random& random;
  const std::vector<std::unique_ptr<Projection>>& projections;
  const std::vector<std::unique_ptr<Role>>& roles;
  const std::vector<Observer*>& observers;
};

class PartitionRunner {
 public:
  PartitionRunner(TopicPartition where, RunnerParts parts);
  ~PartitionRunner();

  Status open();
  void start_thread();
  void stop();

  // Any thread.
  void propose(Proposal proposal, std::optional<Decision> decision, ProposalDone done);
  bool offer(std::function<void(const PartitionView&)> read);
  bool offer_at(Position at_least, Millis wait,
                std::function<void(const PartitionView&, bool)> read);
  // False if the mailbox is closed.
  bool post(std::function<void()> task) { return mailbox_->post(std::move(task)); }
  void set_assigned(DeciderRole role, bool assigned);
  const TopicPartition& where() const { return where_; }
  std::string not_ready_because() const;
  const Currency& currency() const { return currency_; }

  // The partition's thread only.
  bool step();
  void unassign_all();
  PartitionStatus status() const;
  Result<PartitionDigests> digests() const { return fold_.digests(); }

 private:
  struct Waiter {
    Position at_least;
    std::int64_t until_us = 0;  // monotonic
    std::function<void(const PartitionView&, bool)> read;
  };

  void run();
  bool fold_batch();
  void answer_waiters();
  void sweep_sometimes();
  void report_sometimes();
  void fail(const Error& error);
  bool clock_was_set();
  std::int64_t idle_us() const;

  TopicPartition where_;
  RunnerParts parts_;
  std::shared_ptr<Mailbox> mailbox_ = std::make_shared<Mailbox>();
  PartitionFold fold_;
  Proposals proposals_;
  std::vector<std::unique_ptr<RoleSession>> sessions_;
  std::vector<Waiter> waiters_;
  Position target_{};  // high mark at start
  std::atomic<bool> caught_up_{false};
  std::atomic<bool> skewed_{false};
  mutable std::mutex stopped_mutex_;
  std::string stopped_because_;
  std::atomic<bool> failed_{false};
  bool introduced_ = false;     // to the observers
  std::int64_t last_sweep_us_;  // monotonic, like all that is not in the state
  std::int64_t last_report_us_;
  std::int64_t clock_offset_ms_;  // wall clock less monotonic one, when last looked at
  Position reported_{-1};
  Currency currency_;
  std::shared_ptr<void> subscription_;
  std::thread thread_;
};

}  // namespace sandtrail
