// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <map>

#include "admission_queue.h"
#include "launcher/launcher_role.h"

namespace sandtrail {

// The launcher of one partition, while live there. In three files: what the state asks for and what
// becomes of attempts (launcher_partition.cc), who runs next and where (placement.cc), what hosts
// say (reports.cc).
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
  // An execution that has a slot of a host, and what this life of the role knows of its attempt
  // before the log does.
  struct Held {
    HostId host;
    bool never_sent = false;  // certainly not started: it is to be withdrawn, not launched
    std::string refusal;      // the host refused it: neither launched again nor given up
    bool reported = false;    // its result is on its way into the log
    bool watched = false;     // there is a time by which its host must have reported
  };

  void watch_hosts();
  OrderAuthority authority() const;
  Held& hold_slot(const ExecutionId& id, const HostId& host);
  void take_up(const ExecutionId& id, const ExecutionRow& row);
  void take_up_held(const ExecutionId& id, const ExecutionRow& row);
  void wait_for_host(const ExecutionId& id, const ExecutionRow& row);
  void watch(const ExecutionId& id, const ExecutionRow& row);
  void on_host(const HostId& host);
  void on_never_sent(const ExecutionId& id, std::int64_t attempt);
  void on_record(const Folded& folded);
  void cancel_lost(const ExecutionId& id, std::int64_t attempt);
  void ended(const ExecutionId& id, std::int64_t attempt);
  void free_slot(const ExecutionId& id);
  void reject(const ExecutionId& id, RejectReason reason, std::string detail);
  void give_up(const ExecutionId& id, const std::string& reason);
  void withdraw(const ExecutionId& id);
  void decide_cancelled(const ExecutionId& id);

  void schedule();
  bool schedule_next_of(const OrgId& org);
  void assign(const ExecutionId& id, const ExecutionRow& row, const HostInfo& host,
              MicroCredits hold);
  void after_assign(const ExecutionId& id, const ProposalOutcome& outcome);
  void launch(const ExecutionId& id);
  void prepare(const ExecutionId& id, std::int64_t attempt, const EffectDone& done);
  void hand_over(LaunchOrder& order, const Status& loaded);
  void look_again_later();
  std::string language_of(const ExecutionId& id) const;

  void on_report(HostReport& report);
  void dismiss(const HostReport& report, const ExecutionRow* row);
  void append_report(const HostReport& report);
  void refuse_result(const ExecutionId& id, const HostId& host, const std::string& why);

  const ExecutionRow* find(const ExecutionId& id) const {
    return context_.state().executions.find(id);
  }
  Proposal about(const ExecutionId& id, const ExecutionRow& row, EventBody body) const;

  RoleContext& context_;
  Hosts& hosts_;
  Payloads& payloads_;
  Executor executor_;
  UnixMs live_since_;
  AdmissionQueue queue_;
  bool waits_for_slot_ = false;  // schedule() found none for somebody
  std::map<ExecutionId, InFlight> in_flight_;
  std::map<ExecutionId, Held> held_;
};

inline bool held_by_host(const ExecutionRow& row) {
  return row.status == ExecutionStatus::assigned || row.status == ExecutionStatus::started;
}

}  // namespace sandtrail
