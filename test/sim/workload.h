// SPDX-License-Identifier: Apache-2.0
// What tenants and operators ask for, through a process that happens to be up.
#pragma once

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
};

class Workload {
 public:
  explicit Workload(Shared& shared) : shared_(shared) {}

  // An organisation with an API key for members and `credits` whole credits.
  OrgId create_organization(Process& process, std::int64_t credits);
  void grant(Process& process, const OrgId& org, std::int64_t credits);
  // Nil when the key store refuses; the proposal's end is counted, not waited for.
  ExecutionId request(Process& process, const OrgId& org, const Order& order);
  void cancel(Process& process, const ExecutionId& execution);
  // An attempt without the right to make it.
  void trespass(Process& process, const OrgId& org);
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
  };
  struct Request {
    OrgId org;
    ExecutionId execution;
  };

  void propose(Process& process, Proposal proposal);
  const Tenant& tenant(const OrgId& org) const;
  Actor member_of(const Tenant& tenant) const;

  Shared& shared_;
  std::vector<Tenant> tenants_;
  std::vector<Request> requests_;
  std::size_t asked_ = 0;
  std::size_t answered_ = 0;
  std::size_t answered_twice_ = 0;
};

}  // namespace sandtrail::sim
