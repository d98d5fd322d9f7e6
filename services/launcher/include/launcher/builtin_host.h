// SPDX-License-Identifier: Apache-2.0
// The host inside the launcher's process, behind the interface that remote hosts have: it takes
// orders, runs them by a SandboxDriver, seals what came out, and reports.
#pragma once

#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "base/random.h"
#include "config/languages.h"
#include "launcher/host.h"
#include "live_output/output_hub.h"
#include "sandbox/driver.h"

namespace sandtrail {

struct BuiltinHostOptions {
  HostId id;
  std::int64_t epoch = 0;  // one higher at each start
  int slots = 2;
  std::vector<Language> languages;   // those found on this machine
  OutputHub* live_output = nullptr;  // gets what programs write; null: nobody does
};

// Thread-safe. The driver and the hub must outlive it. Its destructor waits for running programs to
// end; stop the driver's sandboxes first for a quick one.
class BuiltinHost final : public Host {
 public:
  BuiltinHost(SandboxDriver& driver, Random& random, BuiltinHostOptions options);
  ~BuiltinHost() override;

  HostInfo info() const override;
  void set_report_sink(ReportSink sink) override;
  void launch(LaunchOrder order) override;
  void cancel(const ExecutionId& execution, std::int64_t attempt) override;
  void acknowledge(const ExecutionId& execution, std::int64_t attempt) override;
  bool holds(const ExecutionId& execution, std::int64_t attempt) const override;
  void resend() override;

 private:
  struct State;
  std::shared_ptr<State> state_;  // shared with callbacks of the driver
};

}  // namespace sandtrail
