// SPDX-License-Identifier: Apache-2.0
// What tenants and operators ask for, through a process that happens to be up.
#pragma once

#include <deque>
#include <vector>

#include "process.h"

namespace sandtrail::sim {

struct Order {
  std::int64_t wall_ms = 2000;
  std::int64_t memory_mib = 128;
  std::optional<Millis> retention;
  std::int64_t attempts_max = 1;
  std::size_t input_bytes = 50;
  std::string idempotency_key;  // empty: none
  std::string language = "python";
  bool callback = false;
};

// Somebody who asks until they are answered, each time under the same Idempotency-Key.
struct Client {
  OrgId org;
  Order order;
  bool waiting = false;
  UnixMs asked_at;
  bool refused = false;
  std::string told;  // the execution that the answer named
  bool answered() const { return refused || !told.empty(); }
};

class Workload {
 public:
  explicit Workload(Shared& shared) : shared_(shared), random_(shared.seed * 5 + 2) {}

  // An organisation with an API key for members and `credits` whole credits.
  OrgId create_organization(Process& process, std::int64_t credits);
  void grant(Process& process, const OrgId& org, std::int64_t credits);
  // Nil when the key store refuses; the proposal's end is counted, not waited for.
  ExecutionId request(Process& process, const OrgId& org, const Order& order) {
    return request(process, org, order, {});
  }
  void cancel(Process& process, const ExecutionId& execution);
  // An attempt without the right to make it.
  void trespass(Process& process, const OrgId& org);
  // A client that asks now, and again in repeat_unanswered().
  void ask(Process& process, const OrgId& org, Order order);
  // Those without an answer, or with one that may be better next time, ask again. True if all have
  // been answered for good.
  bool repeat_unanswered(Process& process);
  // Everybody was told one execution, and it is there.
  void check_answered(const Checkers& checkers);
  // Anything of it all, drawn by seed.
  void act(Process& process);

  std::size_t asked() const { return asked_; }
  std::size_t answered() const { return answered_; }
  std::size_t answered_twice() const { return answered_twice_; }

 private:
  struct Tenant {
    OrgId org;
    DataKeyId key;
    KeyId member;
    std::string callback_url;
  };
  struct Request {
    OrgId org;
    ExecutionId execution;
  };

  void propose(Process& process, Proposal proposal, ProposalDone heard = {});
  ExecutionId request(Process& process, const OrgId& org, const Order& order, ProposalDone heard);
  void try_client(Process& process, Client& client);
  void add_endpoint(Process& process, const Tenant& tenant, const std::string& secret);
  const Tenant& tenant(const OrgId& org) const;
  Actor member_of(const Tenant& tenant) const;

  Shared& shared_;
  SeededRandom random_;
  std::deque<Client> clients_;  // stable addresses
  std::vector<Tenant> tenants_;
  std::vector<Request> requests_;
  std::size_t asked_ = 0;
  std::size_t answered_ = 0;
  std::size_t answered_twice_ = 0;
};

}  // namespace sandtrail::sim
