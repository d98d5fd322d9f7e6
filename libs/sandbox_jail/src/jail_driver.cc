// SPDX-License-Identifier: Apache-2.0
#include "sandbox_jail/jail_driver.h"

#include <algorithm>

#include "base/limits.h"
#include "loop.h"

namespace sandtrail {

Result<std::unique_ptr<JailDriver>> JailDriver::start(JailOptions options, const Clock& clock) {
  if (options.slots_max < 1 || options.slots_max > limits::kJailSlotsMax) {
    return Error{ErrorCode::invalid_argument, "the number of sandbox slots is out of range", ""};
  }
  ST_ASSIGN(auto jailer, JailerProcess::start(options));
  auto loop = std::make_shared<Loop>(std::move(options), clock, std::move(jailer));
  ST_CHECK_OK(loop->start());
  return std::unique_ptr<JailDriver>(new JailDriver(std::move(loop)));
}

JailDriver::JailDriver(std::shared_ptr<Loop> loop) : loop_(std::move(loop)) {}

JailDriver::~JailDriver() {
  loop_->shut_down();
}

int JailDriver::jailer_pid() const {
  return loop_->jailer_pid();
}

DriverCapabilities JailDriver::capabilities() const {
  DriverCapabilities capabilities;
  capabilities.name = "jail";
  capabilities.isolation = "process";
  const auto& missing = loop_->controls_missing();
  capabilities.hard_limits =
      std::find(missing.begin(), missing.end(), "cgroup.cpu") == missing.end();
  capabilities.slots_max = loop_->options().slots_max;
  return capabilities;
}

Result<std::shared_ptr<SandboxHandle>> JailDriver::launch(SandboxSpec spec, SandboxEvents events) {
  // Outlives the driver; its posts come to nothing then.
  class Handle final : public SandboxHandle {
   public:
    Handle(std::shared_ptr<Loop> loop, std::uint32_t id) : loop_(std::move(loop)), id_(id) {}
    void stop(KillReason reason) override { (void)loop_->post(Loop::Stop{id_, reason}); }

   private:
    std::shared_ptr<Loop> loop_;
    std::uint32_t id_;
  };
  ST_ASSIGN(const auto place, loop_->take_place());
  const auto asked_us = loop_->clock().monotonic_us();
  if (!loop_->post(Loop::Launch{place, std::move(spec), std::move(events), asked_us})) {
    loop_->leave(place);
    return Error{ErrorCode::overloaded, "the driver is shutting down", ""};
  }
  return std::shared_ptr<SandboxHandle>(std::make_shared<Handle>(loop_, place.id));
}

std::vector<std::string> JailDriver::list_owned() {
  Loop::List list;
  auto answer = list.answer.get_future();
  if (!loop_->post(std::move(list))) return {};
  return answer.get();
}

Status JailDriver::reap(const std::string& name) {
  Loop::Reap reap;
  reap.name = name;
  auto answer = reap.answer.get_future();
  if (!loop_->post(std::move(reap))) {
    return Error{ErrorCode::unavailable, "the driver is shutting down", ""};
  }
  return answer.get();
}

Status JailDriver::self_test() {
  SandboxSpec spec;
  spec.stages = {{"run", {"true"}, false}};
  spec.limits = {5000, 64, 1000, 8, 1, 4096, 4096};
  std::promise<SandboxExit> ended;
  auto exit = ended.get_future();
  SandboxEvents events;
  events.on_exit = [&](SandboxExit result) { ended.set_value(std::move(result)); };
  ST_CHECK_OK([&]() -> Status {
    auto handle = launch(std::move(spec), std::move(events));
    return handle.ok() ? Status() : Status(handle.error());
  }());
  const auto result = exit.get();  // the boot and wall limits bound it
  if (result.broken) return *result.broken;
  if (result.exit_code == 0) return {};
  return Error{ErrorCode::internal, "the trivial program failed in the jail: " + result.err.kept,
               "check that /bin/true of this host runs"};
}

}  // namespace sandtrail
