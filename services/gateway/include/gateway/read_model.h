// SPDX-License-Identifier: Apache-2.0
// The gateway's projection: what the API shows, kept for as long as the log says. Payloads stay
// sealed in it, and are dropped when the execution is erased. Keys and values: src/rows.h.
#pragma once

#include "runtime/projection.h"

namespace sandtrail {

class ReadModel final : public Projection {
 public:
  static constexpr std::string_view kName = "gateway";

  std::string_view name() const override { return kName; }
  bool folds(TopicKind topic) const override { return topic != TopicKind::platform; }
  void apply(const Folded& folded, const CoreState& state, Rows& rows) const override;
};

}  // namespace sandtrail
