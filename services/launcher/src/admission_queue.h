// SPDX-License-Identifier: Apache-2.0
// Executions that wait for a host: in order within an organisation, in turn between them, so that
// one organisation's backlog does not hold up another's first request.
#pragma once

#include <map>
#include <optional>
#include <set>
#include <vector>

#include "base/id.h"

namespace sandtrail {

class AdmissionQueue {
 public:
  void add(const OrgId& org, std::int64_t position, const ExecutionId& execution) {
    waiting_[org].emplace(position, execution);
  }
  void remove(const OrgId& org, std::int64_t position, const ExecutionId& execution) {
    const auto found = waiting_.find(org);
    if (found == waiting_.end()) return;
    found->second.erase({position, execution});
    if (found->second.empty()) waiting_.erase(found);
  }
  void drop_first(const OrgId& org) {
    const auto found = waiting_.find(org);
    found->second.erase(found->second.begin());
    if (found->second.empty()) waiting_.erase(found);
  }
  bool empty() const { return waiting_.empty(); }

  // Organisations that wait, the one after the last served first.
  std::vector<OrgId> turn() const {
    std::vector<OrgId> out;
    for (auto it = waiting_.upper_bound(last_); it != waiting_.end(); ++it) {
      out.push_back(it->first);
    }
    for (const auto& [org, executions] : waiting_) {
      if (org > last_) break;
      out.push_back(org);
    }
    return out;
  }
  // The oldest execution of an organisation that waits.
  const ExecutionId& first(const OrgId& org) const { return waiting_.at(org).begin()->second; }
  void served(const OrgId& org) { last_ = org; }
  bool waits(const OrgId& org) const { return waiting_.contains(org); }

 private:
  std::map<OrgId, std::set<std::pair<std::int64_t, ExecutionId>>> waiting_;
  OrgId last_;
};

}  // namespace sandtrail
