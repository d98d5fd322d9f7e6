// SPDX-License-Identifier: Apache-2.0
// The twin in three tempers: obliging, slow, and as hostile as the port allows.
#include <atomic>
#include <thread>

#include "event_log/memory_log.h"
#include "log_contract.h"

using namespace sandtrail;
using namespace sandtrail::contract;

namespace {

class MemoryUnderTest final : public LogUnderTest {
 public:
  explicit MemoryUnderTest(const MemoryLogOptions& options)
      : log_(std::make_unique<MemoryLog>(options, clock_)) {
    if (options.mode == MemoryLogOptions::Mode::stepped) pump_ = std::thread([this] { pump(); });
  }
  ~MemoryUnderTest() override {
    ended_ = true;
    if (pump_.joinable()) pump_.join();
  }

  EventLog& log() override { return *log_; }
  void reopen() override {
    log_->close(seconds(1));
    const std::lock_guard lock(mutex_);
    log_ = log_->connect();
  }
  bool crash() override {
    log_->crash();
    const std::lock_guard lock(mutex_);
    log_ = log_->connect();
    return true;
  }
  bool stall(bool stalled) override {
    log_->stall(stalled);
    return true;
  }

 private:
  void pump() {
    while (!ended_) {
      const std::lock_guard lock(mutex_);
      if (!log_->step()) std::this_thread::yield();
    }
  }

  SystemClock clock_;
  std::mutex mutex_;  // of the pointer
  std::unique_ptr<MemoryLog> log_;
  std::atomic<bool> ended_{false};
  std::thread pump_;  // last: uses the others
};

Registration memory(const std::string& name, MemoryLogOptions::Mode mode, MemoryLogFaults faults,
                    bool hostile) {
  return Registration({name,
                       [=]() -> std::unique_ptr<LogUnderTest> {
                         MemoryLogOptions options;
                         options.seed = 42;
                         options.mode = mode;
                         options.faults = faults;
                         return std::make_unique<MemoryUnderTest>(options);
                       },
                       hostile});
}

constexpr auto kImmediate = MemoryLogOptions::Mode::immediate;
constexpr auto kStepped = MemoryLogOptions::Mode::stepped;
constexpr MemoryLogFaults kSlow{.duplicated = 100, .gaps = 100, .spurious_wakes = 300};
constexpr MemoryLogFaults kHostile{.unknown = 200,
                                   .refused = 100,
                                   .rejected = 100,
                                   .overloaded = 50,
                                   .duplicated = 100,
                                   .gaps = 100,
                                   .spurious_wakes = 300};

const Registration obliging = memory("memory", kImmediate, {}, false);
const Registration slow = memory("memory, stepped", kStepped, kSlow, false);
const Registration hostile = memory("memory, hostile", kStepped, kHostile, true);
const Registration sudden = memory("memory, hostile at once", kImmediate, kHostile, true);

}  // namespace
