// SPDX-License-Identifier: Apache-2.0
#include "launcher/launcher_role.h"

#include "launcher_partition.h"

namespace sandtrail {
namespace {

class LauncherRole final : public Role {
 public:
  LauncherRole(Hosts& hosts, Payloads& payloads, Executor executor)
      : hosts_(hosts), payloads_(payloads), executor_(std::move(executor)) {}

  DeciderRole name() const override { return DeciderRole::launcher; }
  bool owns(TopicKind topic) const override { return topic == TopicKind::events; }
  std::unique_ptr<RolePartition> open(RoleContext& context) override {
    return std::make_unique<LauncherPartition>(context, hosts_, payloads_, executor_);
  }

 private:
  Hosts& hosts_;
  Payloads& payloads_;
  Executor executor_;
};

}  // namespace

std::unique_ptr<Role> make_launcher_role(Hosts& hosts, Payloads& payloads, Executor executor) {
  return std::make_unique<LauncherRole>(hosts, payloads, std::move(executor));
}

}  // namespace sandtrail
