// SPDX-License-Identifier: Apache-2.0
// v1 for the limits, an empty v2 group beside it for what v1 cannot: entering at clone, killing
// without a race, CPU time.
#include "cgroup_directory.h"

namespace sandtrail::jail {
namespace {

class HybridGroup final : public Cgroup {
 public:
  HybridGroup(std::unique_ptr<Cgroup> v1, std::unique_ptr<Cgroup> v2)
      : v1_(std::move(v1)), v2_(std::move(v2)) {}

  int clone_fd() const override { return v2_->clone_fd(); }
  Status enter() const override { return v1_->enter(); }
  CgroupUsage usage() const override {
    auto usage = v1_->usage();
    usage.cpu_us = v2_->usage().cpu_us;
    return usage;
  }
  Status kill_all() override {
    // A process that died between clone and enter() is in v2 only, one moved by hand in v1 only.
    ST_CHECK_OK(v2_->kill_all());
    return v1_->kill_all();
  }
  Status remove() override {
    const auto first = v1_->remove();
    const auto second = v2_->remove();
    return first.ok() ? second : first;
  }

 private:
  std::unique_ptr<Cgroup> v1_;
  std::unique_ptr<Cgroup> v2_;
};

class HybridTree final : public CgroupTree {
 public:
  HybridTree(std::unique_ptr<CgroupTree> v1, std::unique_ptr<CgroupTree> v2)
      : v1_(std::move(v1)), v2_(std::move(v2)) {}

  Result<std::unique_ptr<Cgroup>> create(const std::string& name,
                                         const CgroupLimits& limits) override {
    ST_ASSIGN(auto v2, v2_->create(name, limits));
    auto v1 = v1_->create(name, limits);
    if (!v1.ok()) {
      (void)v2->remove();
      return v1.error();
    }
    return std::unique_ptr<Cgroup>(
        std::make_unique<HybridGroup>(std::move(v1).value(), std::move(v2)));
  }

  std::unique_ptr<Cgroup> adopt(const std::string& name) override {
    return std::make_unique<HybridGroup>(v1_->adopt(name), v2_->adopt(name));
  }

  std::vector<std::string> list() const override {
    auto names = v1_->list();
    for (auto& name : v2_->list()) {
      bool known = false;
      for (const auto& other : names) known = known || other == name;
      if (!known) names.push_back(std::move(name));
    }
    return names;
  }

  std::vector<std::string> controls() const override { return v1_->controls(); }
  std::vector<std::string> controls_missing() const override { return v1_->controls_missing(); }

 private:
  std::unique_ptr<CgroupTree> v1_;
  std::unique_ptr<CgroupTree> v2_;
};

}  // namespace

std::unique_ptr<CgroupTree> make_hybrid_tree(std::unique_ptr<CgroupTree> v1,
                                             std::unique_ptr<CgroupTree> v2) {
  return std::make_unique<HybridTree>(std::move(v1), std::move(v2));
}

}  // namespace sandtrail::jail
