// SPDX-License-Identifier: Apache-2.0
// Random histories of one partition: plausible and implausible events of one to three
// organisations, with repeats, delays, reordering, competing owners and clocks that disagree.
// A seed determines a history.
#pragma once

#include <vector>

#include "base/random.h"
#include "harness.h"

namespace sandtrail::test {

// One record as it stands in the log.
struct Record {
  Event event;
  bool readable = true;
  std::int64_t position = 0;
  UnixMs stamp;
};

Judgement fold_record(Core& core, const Record& record);

class History {
 public:
  explicit History(std::uint64_t seed);

  // Appends and folds one more record.
  Judgement step();

  const Core& start() const { return start_; }  // before the first record
  const std::vector<Record>& records() const { return records_; }
  const Harness& harness() const { return h_; }
  Harness& harness() { return h_; }

 private:
  struct Organization {
    OrgId org;
    KeyId admin, member, viewer;
    std::vector<ExecutionId> executions;
    std::vector<EndpointId> endpoints;
    std::vector<KeyId> keys;
  };

  std::size_t below(std::size_t bound) { return random_.below(bound); }
  bool chance(std::size_t percent) { return below(100) < percent; }
  template <typename T>
  const T& pick(const std::vector<T>& items) {
    return items[below(items.size())];
  }

  void add_organization();
  void pass_time();
  Event next_event();
  Event fresh_event();
  Event request();
  Event step_of(const ExecutionId& x, std::size_t which);
  Event likely_step(const ExecutionId& x);
  Event delivery_step();
  Event control_step();
  Event system_step();
  Event spoiled(Event event);
  EventBody spoiled_body(EventBody body);

  SeededRandom random_;
  Harness h_;
  Core start_;
  std::vector<Organization> organizations_;
  Organization* now_acting_ = nullptr;
  std::vector<Event> delayed_;
  std::vector<Record> records_;
};

}  // namespace sandtrail::test
