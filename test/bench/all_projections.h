// SPDX-License-Identifier: Apache-2.0
// What a process with every role folds.
#pragma once

#include <memory>
#include <vector>

#include "auditor/auditor_role.h"
#include "gateway/read_model.h"
#include "launcher/launcher_role.h"
#include "runtime/projection.h"
#include "webhooks/webhooks_role.h"

namespace sandtrail::bench {

inline std::vector<std::unique_ptr<Projection>> all_projections() {
  std::vector<std::unique_ptr<Projection>> out;
  out.push_back(std::make_unique<ReadModel>());
  out.push_back(make_launcher_projection());
  out.push_back(make_webhooks_projection());
  out.push_back(make_auditor_projection());
  return out;
}

}  // namespace sandtrail::bench
