// SPDX-License-Identifier: Apache-2.0
// Refused attempts, counted: one event for each key, action, reason and minute, so that nobody can
// fill the log by being refused.
#pragma once

#include <map>
#include <mutex>
#include <string>
#include <tuple>

#include "domain/common.h"
#include "runtime/runtime.h"
#include "timers.h"

namespace sandtrail::gateway {

// Thread-safe. Past limits::kDeniedGroupsMax groups, further ones are counted without their key.
class Denied {
 public:
  Denied(Runtime& runtime, const Clock& clock, Timers& timers, Millis flush_after);

  // `org` nil: nobody knows whose attempt it was. The actor and the request id are the first's.
  void count(const OrgId& org, const Actor& actor, std::string_view action, std::string_view reason,
             const std::string& request_id);
  // Proposes all that was counted.
  void flush();

 private:
  using Group = std::tuple<OrgId, std::optional<KeyId>, std::string, std::string>;
  struct Tally {
    Actor actor;
    std::string request_id;
    std::int64_t count = 0;
    UnixMs first;
    UnixMs last;
  };
  void propose(const Group& group, const Tally& tally);

  Runtime& runtime_;
  const Clock& clock_;
  Timers& timers_;
  const Millis flush_after_;
  std::mutex mutex_;
  std::map<Group, Tally> groups_;
};

}  // namespace sandtrail::gateway
