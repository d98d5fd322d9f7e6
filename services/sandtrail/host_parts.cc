// SPDX-License-Identifier: Apache-2.0
#include "host_parts.h"

#include <algorithm>
#include <thread>

#include "paths.h"
#include "sandbox_jail/jail_driver.h"

namespace sandtrail {
namespace {

constexpr std::uint32_t kUidFirst = 200'000;
constexpr std::uint32_t kUidRanges = 4096;
constexpr std::uint32_t kUidsOfOne = 256;

// Hosts on one machine, each with a data directory of its own, keep their cgroups apart, and none
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

std::string languages_file(const Config& config) {
  const std::string& file = config.executions.languages_file;
  return file.empty() ? installed_file("languages.toml") : file;
}

Result<std::vector<Language>> languages_of(const Config& config) {
  return load_languages(languages_file(config));
}

Result<std::unique_ptr<HostParts>> HostParts::open(const Config& config,
                                                   const DataDirectory& directory,
                                                   std::vector<Language> languages,
                                                   std::string address, OutputHub& live_output,
                                                   const Clock& clock, Random& random) {
  int slots = static_cast<int>(config.executions.slots);
  if (slots == 0) slots = std::max(2, static_cast<int>(std::thread::hardware_concurrency()));
  // Before anything else: whatever an earlier life is still asked to do is not for this one.
  ST_ASSIGN(const HostIdentity identity, directory.next_host_identity(clock, random));
  JailOptions jail_options;
  jail_options.slots_max = slots;
  jail_options.instance = instance_of(identity.id);
  jail_options.uid_base = uids_of(identity.id);
  std::unique_ptr<HostParts> out(new HostParts);
  ST_ASSIGN(out->driver_, JailDriver::start(jail_options, clock));
  out->reaper_ = std::make_unique<HostReaper>(*out->driver_);
  ST_CHECK_OK(out->reaper_->reap_all());
  ST_CHECK_OK(out->driver_->self_test());
  HostEngineOptions options;
  options.id = identity.id;
  options.epoch = identity.epoch;
  options.slots = slots;
  options.languages = std::move(languages);
  options.address = std::move(address);
  options.live_output = &live_output;
  out->engine_ = std::make_unique<HostEngine>(*out->driver_, random, std::move(options));
  return out;
}

HostParts::~HostParts() = default;

}  // namespace sandtrail
