// SPDX-License-Identifier: Apache-2.0
#include "launcher_projection.h"

#include "codec/text.h"
#include "launcher/launcher_role.h"

namespace sandtrail {
namespace {

class LauncherProjection final : public Projection {
 public:
  std::string_view name() const override { return kLauncherProjection; }
  bool folds(TopicKind topic) const override { return topic == TopicKind::events; }

  void apply(const Folded& folded, const CoreState&, Rows& rows) const override {
    if (const auto* e = folded.applied_as<ExecutionRequested>()) {
      rows.put(e->execution.view(), to_text(LaunchRow{e->language, e->payload}));
    } else if (const auto* finished = folded.applied_as<ExecutionFinished>()) {
      rows.remove(finished->execution.view());
    } else if (const auto* rejected = folded.applied_as<ExecutionRejected>()) {
      rows.remove(rejected->execution.view());
    } else if (const auto* cancelled = folded.applied_as<ExecutionCancelled>()) {
      rows.remove(cancelled->execution.view());
    } else if (const auto* lost = folded.applied_as<ExecutionLost>()) {
      rows.remove(lost->execution.view());
    }
  }
};

}  // namespace

std::unique_ptr<Projection> make_launcher_projection() {
  return std::make_unique<LauncherProjection>();
}

}  // namespace sandtrail
