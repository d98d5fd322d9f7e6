// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <map>
#include <set>

#include "admission_queue.h"
#include "launcher/launcher_role.h"

namespace sandtrail {

// The launcher of one partition, while live there.
class LauncherPartition final : public RolePartition {
 public:
  LauncherPartition(RoleContext& context, Hosts& hosts, Payloads& payloads, Executor executor);
  ~LauncherPartition() override;

  void resume() override;
  void on_committed(const std::vector<Folded>& batch) override;

 private:
  // An assignment that is proposed and not yet judged: counted as if it were applied.
  struct InFlight {
    OrgId org;
    MicroCredits hold;
  };

  void take_up(const ExecutionId& id, const ExecutionRow& row);
  void enqueue(const ExecutionId& id, const ExecutionRow& row);
  void on_record(const Folded& folded);
  void schedule();
  bool schedule_next_of(const OrgId& org);
  void assign(const ExecutionId& id, const ExecutionRow& row, const HostInfo& host,
              MicroCredits hold);
  void after_assign(const ExecutionId& id, const HostInfo& host, const ProposalOutcome& outcome);
  void launch(const ExecutionId& id);
  void prepare(const ExecutionId& id, std::int64_t attempt, const EffectDone& done);
  void hand_over(LaunchOrder& order, const Status& loaded);
  void reject(const ExecutionId& id, RejectReason reason, std::string detail);
  void give_up(const ExecutionId& id, const std::string& reason);
  void decide_cancelled(const ExecutionId& id);
  void on_report(const HostReport& report);
  void append_report(const HostReport& report);
  void ended(const ExecutionId& id, std::int64_t attempt);
  void free_slot(const ExecutionId& id);
  void look_again_later();

  const ExecutionRow* find(const ExecutionId& id) const {
    return context_.state().executions.find(id);
  }
  std::string language_of(const ExecutionId& id) const;
  Proposal about(const ExecutionId& id, const ExecutionRow& row, EventBody body) const;

  RoleContext& context_;
  Hosts& hosts_;
  Payloads& payloads_;
  Executor executor_;
  UnixMs live_since_;
  AdmissionQueue queue_;
  bool waits_for_slot_ = false;  // schedule() found none for somebody
  std::map<ExecutionId, InFlight> in_flight_;
  std::map<ExecutionId, HostId> slots_;  // taken for executions of this partition
  std::set<ExecutionId> launched_;       // handed to a host in this life of the role
};

}  // namespace sandtrail
