// SPDX-License-Identifier: Apache-2.0
// What a gateway needs to show live output: its own process's host, and those elsewhere.
#pragma once

#include <memory>

#include "http/client.h"
#include "live_output/output_source.h"
#include "live_output/remote_source.h"
#include "process_plan.h"

namespace sandtrail {

class LiveParts {
 public:
  // `builtin` is the host of this process, null if there is none; it must outlive this.
  static Result<std::unique_ptr<LiveParts>> open(const ProcessPlan& plan, OutputSource* builtin);

  OutputSource& source() { return *source_; }

 private:
  LiveParts() = default;
  std::unique_ptr<http::Client> client_;  // null: no host can be elsewhere
  std::unique_ptr<RemoteOutputSource> remote_;
  std::unique_ptr<RoutedOutputSource> source_;
};

}  // namespace sandtrail
