// SPDX-License-Identifier: Apache-2.0
// The host inside the launcher's process.
#pragma once

#include "host/host_engine.h"
#include "hosting/host.h"

namespace sandtrail {

// Thread-safe. The engine must outlive it, and be destroyed before the HostEvents.
class LocalHost final : public Host {
 public:
  explicit LocalHost(HostEngine& engine) : engine_(engine) {}

  HostInfo info() const override { return engine_.info(); }
  int room() const override { return engine_.info().slots; }
  void attach(HostEvents& events) override;
  void launch(LaunchOrder order) override;
  void cancel(const OrderAuthority& by, const ExecutionId& execution,
              std::int64_t attempt) override;
  void acknowledge(const OrderAuthority& by, const ExecutionId& execution,
                   std::int64_t attempt) override;
  void take_over(const OrderAuthority& by) override;
  Holding holding(std::int32_t partition, const ExecutionId& execution,
                  std::int64_t attempt) const override;

 private:
  HostEngine& engine_;
  HostEvents* events_ = nullptr;
};

}  // namespace sandtrail
