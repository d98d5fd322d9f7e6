// SPDX-License-Identifier: Apache-2.0
// A Host that writes down what is asked of it, and hears of nothing.
#pragma once

#include <string>
#include <vector>

#include "hosting/host.h"

namespace sandtrail::test {

class FakeHost final : public Host {
 public:
  FakeHost(HostId id, std::int64_t epoch, int slots, std::vector<std::string> languages) {
    info_.id = id;
    info_.epoch = epoch;
    info_.slots = slots;
    info_.languages = std::move(languages);
    free_slots = slots;
  }
  HostInfo info() const override { return info_; }
  int room() const override { return free_slots; }
  void attach(HostEvents& e) override { events = &e; }
  void launch(LaunchOrder) override { said.push_back("launch"); }
  void cancel(const OrderAuthority&, const ExecutionId&, std::int64_t) override {
    said.push_back("cancel");
  }
  void acknowledge(const OrderAuthority&, const ExecutionId&, std::int64_t) override {
    said.push_back("acknowledge");
  }
  void take_over(const OrderAuthority& by) override {
    said.push_back("take_over " + std::to_string(by.partition) + "@" +
                   std::to_string(by.owner_epoch));
  }
  Holding holding(std::int32_t, const ExecutionId&, std::int64_t) const override {
    return Holding::unknown;
  }

  int free_slots = 0;
  HostEvents* events = nullptr;
  std::vector<std::string> said;

 private:
  HostInfo info_;
};

}  // namespace sandtrail::test
