// SPDX-License-Identifier: Apache-2.0
// The billing role: publishes the rate card, brings it into every partition, and settles what
// ended. The fold checks every amount, so all this can do wrong is to be late.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>

#include "domain/rating.h"
#include "event_log/record.h"
#include "runtime/role.h"
#include "runtime/runtime.h"

namespace sandtrail {

// What the process has folded of `platform`: the newest rate card. Thread-safe.
class PlatformWatch final : public Observer {
 public:
  struct Published {
    RateCard card;
    std::int64_t position = -1;
  };
  std::optional<Published> newest() const;
  // `changed` is called on the thread of `platform` after a newer card.
  void listen(const TopicPartition& who, std::function<void()> changed);
  void forget(const TopicPartition& who);

  void on_loaded(const PartitionView& view) override;
  void on_committed(const PartitionView& view, const std::vector<Folded>& batch) override;

 private:
  void take(const PartitionView& view);

  mutable std::mutex mutex_;
  std::optional<Published> newest_;
  std::map<TopicPartition, std::function<void()>> listeners_;
};

// `price` is what the newest card should say: another one is published if it does not.
// The watch must be added to the runtime as an observer and outlive the role.
std::unique_ptr<Role> make_billing_role(PlatformWatch& watch, MicroCredits price);

}  // namespace sandtrail
