// SPDX-License-Identifier: Apache-2.0
// What the brokers refuse to the user of this process, as long as they do.
#pragma once

#include <atomic>
#include <map>
#include <mutex>
#include <optional>
#include <string>

#include "base/clock.h"
#include "base/result.h"

namespace sandtrail::kafka {

// Thread-safe. Tells the operator of each refusal when it begins.
class Refusals {
 public:
  explicit Refusals(const Clock& clock) : clock_(clock) {}

  // `act` is what was tried, as in "append to st.events". Counts until it is allowed; one that
  // `passes` at most limits::kKafkaRefusalKept, unless it is noted again: then somebody may try.
  void note(const std::string& act, const Error& error, bool passes);
  void allow(const std::string& act);
  // Quick; for callers that would have to put an act into words.
  bool none() const { return count_ == 0; }
  // Whether it was noted so short a time ago that to try again makes no sense yet.
  bool just_noted(const std::string& act) const;
  // One of those that count now.
  std::optional<Error> current() const;

 private:
  struct Refusal {
    Error error;
    std::optional<UnixMs> until;
  };
  const Clock& clock_;
  std::atomic<std::size_t> count_{0};
  mutable std::mutex mutex_;
  std::map<std::string, Refusal> refusals_;
};

}  // namespace sandtrail::kafka
