// SPDX-License-Identifier: Apache-2.0
#include "server_parts.h"

#include <unistd.h>

#include <algorithm>
#include <array>

#include "base/file.h"
#include "base/limits.h"
#include "key_files.h"
#include "metered_log.h"
#include "wire/topics.h"

namespace sandtrail {
namespace {

constexpr std::size_t kBlockCacheBytes = 16u << 20;
constexpr std::size_t kWriteBufferBytes = 24u << 20;
constexpr std::size_t kMachineCharsMax = 32;
constexpr Millis kStopDeadline = seconds(5);

// As it may stand in a group's name.
std::string machine_name() {
  std::array<char, 256> buffer{};
  if (::gethostname(buffer.data(), buffer.size() - 1) != 0) return "unknown";
  std::string out = std::string(buffer.data()).substr(0, kMachineCharsMax);
  for (char& c : out) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
    const bool fine = (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '.';
    if (!fine) c = '-';
  }
  return out;
}

}  // namespace

ServerParts::~ServerParts() {
  // Whoever waits is answered with what is known, while there is still a server to do so.
  if (gateway) gateway->end_waiting();
  // Others take over while we drain.
  if (runtime) runtime->leave();
  for (auto* server : {&public_server, &admin_server, &operator_server}) {
    if (*server) (*server)->stop(kStopDeadline);
  }
  if (gateway) gateway->stop();
  if (runtime) runtime->stop();
  if (launcher) launcher->stop();
  client.reset();
  live.reset();
  workers.reset();
  public_server.reset();
  admin_server.reset();
  operator_server.reset();
  if (log) log->close(kStopDeadline);
}

Status ServerParts::open() {
  // The log's and the store's locks come first: a second process must not reap the first one's
  // sandboxes.
  ST_CHECK_OK(open_stores());
  if (plan.runs(ServerRole::auditor)) {
    const MissingKey missing = plan.makes_keys ? MissingKey::make : MissingKey::shared;
    ST_ASSIGN(NoteSigner opened, open_audit_key(audit_key_path(plan.config),
                                                plan.config.audit.origin, missing, random));
    signer = std::make_unique<NoteSigner>(std::move(opened));
  }
  make_runtime();
  if (plan.runs(ServerRole::launcher) && plan.config.launcher.builtin_host) {
    ST_ASSIGN(languages, languages_of(plan.config));
  } else if (plan.runs(ServerRole::gateway)) {
    // Those of hosts elsewhere; what none of them has, the launcher rejects.
    ST_ASSIGN(languages,
              load_languages(languages_file(plan.config), [](const std::string&) { return true; }));
  }
  if (plan.runs(ServerRole::launcher)) {
    ST_ASSIGN(launcher, LauncherParts::open(plan, directory, languages, instance, clock, random));
  }
  ST_CHECK_OK(add_roles());
  return listen();
}

Status ServerParts::open_stores() {
  const std::uint64_t free = free_bytes(directory.path());
  if (free < limits::kStartFreeBytesMin) {
    return Error{ErrorCode::disk_full,
                 "the disk of " + directory.path() + " has " + std::to_string(free) +
                     " bytes free; a start needs " + std::to_string(limits::kStartFreeBytesMin),
                 "make room, then start again: nothing is lost"};
  }
  ST_ASSIGN(auto opened, open_log(plan, batch_meter(metrics), clock, random));
  log = make_metered_log(std::move(opened), metrics, clock);
  // Nothing was ever appended: no topic was made yet.
  const bool fresh =
      plan.config.log.embedded() && log->partitions(std::string(topic_of(TopicKind::events))) == 0;
  memory = RocksDbMemory::create(kBlockCacheBytes, kWriteBufferBytes);
  ST_ASSIGN(store, open_rocksdb_kv_store(directory.in("store"), {memory}));
  const Config::Log& where = plan.config.log;
  ST_ASSIGN(const std::string id,
            directory.process_id({where.url, where.topic_prefix, where.kafka}, random));
  instance = plan.verb + "-" + machine_name() + "-" + id;
  if (!needs_keys(plan.roles)) return {};
  ST_ASSIGN(keys, KeyParts::open(plan, directory, fresh, memory, clock, random));
  return {};
}

}  // namespace sandtrail
