// SPDX-License-Identifier: Apache-2.0
#include "launcher_parts.h"

#include <algorithm>
#include <thread>

#include "obs/log.h"
#include "paths.h"
#include "sandbox_jail/jail_driver.h"

namespace sandtrail {
namespace {

constexpr std::uint32_t kUidFirst = 200'000;
constexpr std::uint32_t kUidRanges = 4096;
constexpr std::uint32_t kUidsOfOne = 256;

// Servers on one machine, each with a data directory of its own, keep their cgroups apart, and none
// takes another's sandboxes for its own leftovers.
std::string instance_of(const HostId& host) {
  constexpr std::size_t kChars = 10;  // of the random end of the id
  const std::string text = host.text();
  return "sandtrail-" + text.substr(text.size() - kChars);
}

std::uint32_t uids_of(const HostId& host) {
  const std::uint32_t range = get_be16(host.view().substr(14)) % kUidRanges;
  return kUidFirst + range * kUidsOfOne;
}

}  // namespace

Result<std::vector<Language>> open_languages(const Config& config) {
  return load_languages(config.executions.languages_file.empty()
                            ? installed_file("languages.toml")
                            : config.executions.languages_file);
}

LauncherParts::LauncherParts(std::function<TopicPartition(const OrgId&)> home)
    : hosts_(std::move(home)) {}

LauncherParts::~LauncherParts() = default;

Result<std::unique_ptr<LauncherParts>> LauncherParts::open(
    const ProcessPlan& plan, const DataDirectory& directory, const std::vector<Language>& languages,
    std::function<TopicPartition(const OrgId&)> home, const Clock& clock, Random& random) {
  std::unique_ptr<LauncherParts> out(new LauncherParts(std::move(home)));
  if (plan.config.launcher.builtin_host) {
    ST_CHECK_OK(out->open_builtin(plan.config, directory, languages, clock, random));
  }
  return out;
}

Status LauncherParts::open_builtin(const Config& config, const DataDirectory& directory,
                                   const std::vector<Language>& languages, const Clock& clock,
                                   Random& random) {
  int slots = static_cast<int>(config.executions.slots);
  if (slots == 0) slots = std::max(2, static_cast<int>(std::thread::hardware_concurrency()));
  ST_ASSIGN(const HostIdentity identity, directory.next_host_identity(clock, random));
  JailOptions options;
  options.slots_max = slots;
  options.instance = instance_of(identity.id);
  options.uid_base = uids_of(identity.id);
  ST_ASSIGN(auto jail, JailDriver::start(options, clock));
  for (const std::string& name : jail->list_owned()) {
    log_warn("reaping what an earlier run left behind", {{"name", name}});
    ST_CHECK_OK(jail->reap(name));
  }
  ST_CHECK_OK(jail->self_test());
  driver_ = std::move(jail);
  builtin_ = std::make_unique<BuiltinHost>(
      *driver_, random, BuiltinHostOptions{identity.id, identity.epoch, slots, languages});
  hosts_.add(*builtin_);
  return {};
}

void LauncherParts::stop_host() {
  builtin_.reset();
}

}  // namespace sandtrail
