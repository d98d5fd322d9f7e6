// SPDX-License-Identifier: Apache-2.0
#include <thread>

#include "embedded_support.h"
#include "fault_env.h"
#include "log_contract.h"
#include "log_embedded/embedded_log_on_env.h"

using namespace sandtrail;
using namespace sandtrail::contract;

namespace {

class EmbeddedUnderTest final : public LogUnderTest {
 public:
  EmbeddedUnderTest() { open(); }
  ~EmbeddedUnderTest() override { faults_.hang(false); }
  EventLog& log() override { return *log_; }
  void reopen() override {
    log_.reset();
    open();
  }
  bool stall(bool stalled) override {
    faults_.hang(stalled);
    return true;
  }

 private:
  void open() {
    // A writer that was left hanging keeps the directory until its write returns.
    const std::int64_t end_us = test_clock.monotonic_us() + kPatience.count * 1000;
    for (;;) {
      auto log =
          open_embedded_log_on_env(directory_.path, {}, test_clock, test_random, faults_.env());
      if (log.ok()) {
        log_ = std::move(*log);
        return;
      }
      const bool is_locked = log.error().code == ErrorCode::conflict;
      if (!is_locked || test_clock.monotonic_us() > end_us) FAIL(log.error().text());
      std::this_thread::yield();
    }
  }

  const TemporaryDirectory directory_;
  FaultEnv faults_;
  std::unique_ptr<EventLog> log_;
};

const Registration embedded({"embedded", [] { return std::make_unique<EmbeddedUnderTest>(); },
                             false});

}  // namespace
