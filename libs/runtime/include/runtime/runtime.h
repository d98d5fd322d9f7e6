// SPDX-License-Identifier: Apache-2.0
// The consumer runtime: folds every partition once in a process, keeps projections, completes
// proposals, and lets roles act where they are live. Knows ports only.
//
//   read -> core: applied or void -> projections -> one store batch {core, projections, position}
//   -> commit -> complete proposals -> observers -> roles react -> their outcomes are appended
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/random.h"
#include "event_log/event_log.h"
#include "runtime/bases.h"
#include "runtime/projection.h"
#include "runtime/role.h"
#include "store/kv_store.h"
#include "wire/schema_versions.h"

namespace sandtrail {

// Raised whenever the core or a projection would make other rows of the same records. A store of
// another version is dropped and rebuilt from the log.
inline constexpr int kFoldVersion = 3;

// One partition at one committed position, for reading. Valid only during the call.
class PartitionView {
 public:
  virtual ~PartitionView() = default;
  virtual const TopicPartition& where() const = 0;
  virtual const CoreState& state() const = 0;
  virtual const Rows& rows(std::string_view projection) const = 0;
  virtual Position next() const = 0;  // of the first record not folded yet
};

// Sees every partition of the process, live or not, on the partition's thread.
class Observer {
 public:
  virtual ~Observer() = default;
  // Once, before any batch: the state as it was loaded.
  virtual void on_loaded(const PartitionView&) {}
  virtual void on_committed(const PartitionView& view, const std::vector<Folded>& batch) = 0;
};

struct RoleStatus {
  std::string role;
  bool assigned = false;
  bool live = false;
  std::int64_t epoch = 0;
  std::size_t effects_running = 0;
  std::size_t effects_parked = 0;
};

// Who acts for a role on a partition, of all processes: its last claim.
struct OwnerStatus {
  std::string role;
  std::int64_t epoch = 0;
  std::string instance;
  UnixMs since;
  std::size_t effects_parked = 0;
};

struct PartitionStatus {
  TopicPartition where;
  Position next;  // folded up to here
  Position high;  // the log's, when it was last read; `next` if no record is left between them
  std::int64_t void_records = 0;  // of those below `next`
  UnixMs log_time;
  Millis behind{};                  // see Runtime::behind()
  bool caught_up = false;           // it once reached the high mark seen at start
  std::string stopped;              // why it folds no further; empty while it does
  std::string digest;               // running digest of (bytes, verdict), hex
  std::vector<RoleStatus> roles;    // of this process
  std::vector<OwnerStatus> owners;  // of all
};

// Why and since when records of a partition cannot be appended or read.
struct LogAway {
  UnixMs since;
  std::string reason;
  ErrorCode code = ErrorCode::unavailable;  // disk_full, internal: it can be read all the same
};

// The state of a partition as digests over its stored rows, for comparing with a rebuild.
struct PartitionDigests {
  TopicPartition where;
  Position next;
  std::string fold;  // running digest of (bytes, verdict)
  std::string core;  // of the core's rows
  std::vector<std::pair<std::string, std::string>> projections;
};

// What a store says of one partition: how far it was folded, and from which log.
struct StoredFold {
  std::string log_identity;
  Position next;
};
// nullopt: nothing of it was folded yet.
Result<std::optional<StoredFold>> stored_fold(const KvStore& store, const TopicPartition& where);

struct RuntimeOptions {
  std::string instance = "local";  // in owner.claimed, for people
  std::string group;               // reports under it how far it is durable; empty: does not
  std::string source = "/sandtrail";
  std::int32_t events_partitions = 4;
  bool threads = true;  // false: step() drives it (simulation)
  // How older data is read, and what is written; must outlive the runtime.
  const SchemaVersions* versions = &shipped_versions();
  // Where bases are. Empty: a partition that was trimmed past the store is refused.
  OpenObjects open_bases = {};
};

class Runtime {
 public:
  Runtime(RuntimeOptions options, EventLog& log, KvStore& store, Clock& clock, Random& random);
  ~Runtime();  // stops
  Runtime(const Runtime&) = delete;
  Runtime& operator=(const Runtime&) = delete;

  // Before start(). Observers must outlive the runtime.
  void add(std::unique_ptr<Projection> projection);
  void add(std::unique_ptr<Role> role);
  void add(Observer* observer);

  // Ensures the topics, loads the stores and begins. Refuses with conflict when the store belongs
  // to another log, is ahead of it or was folded from other records, with not_found when the log
  // was trimmed past it and there is no base to begin from. A retryable error: the log is away;
  // call it again, it goes on where it was. Until it has succeeded there is nothing to query, and
  // what is proposed is unavailable.
  Status start();
  // What has to come before start(), for not_ready_because() until then. Any thread.
  void waits_for(const Error& missing);
  // Leaves the groups, so that others take over at once; folding goes on. Idempotent.
  void leave();
  // Stops acting and folding; pending proposals end with cancelled. Idempotent.
  void stop();

  // Any thread. `done` runs on the partition's thread after the record is folded and committed.
  void propose(const TopicPartition& where, Proposal proposal, ProposalDone done);
  // Any thread. Runs `read` on the partition's thread between batches; false if its mailbox is full
  // or it is stopped.
  bool query(const TopicPartition& where, std::function<void(const PartitionView&)> read);
  // The same once everything below `at_least` is folded, or after `wait` with `reached` false.
  bool query_at(const TopicPartition& where, Position at_least, Millis wait,
                std::function<void(const PartitionView&, bool reached)> read);

  std::vector<TopicPartition> partitions() const;
  TopicPartition home(const OrgId& org) const;  // in `events`
  // True once start() has succeeded.
  bool started() const;
  // How long ago the partition, as folded here, was last known to be all there is; 0 if it is.
  // Any thread, at once.
  Millis behind(const TopicPartition& where) const;
  Millis behind() const;  // the longest of all partitions
  // Empty while the log takes and gives records of the partition. Any thread, at once.
  std::optional<LogAway> away(const TopicPartition& where) const;
  // The worst of all partitions.
  std::optional<LogAway> away() const;
  // When the fold here passed `position`, at about the time of its append; nullopt: too long ago,
  // or not yet.
  std::optional<UnixMs> passed(const TopicPartition& where, Position position) const;
  // Any thread; waits for each partition's thread (not for a stopped one), not for the log.
  std::vector<PartitionStatus> status();
  Result<PartitionDigests> digests(const TopicPartition& where);
  // Empty when every partition has caught up and folds; else what is wrong.
  std::string not_ready_because() const;

  // Without threads: one unit of work of one partition; false if it had nothing to do.
  bool step(std::size_t partition_index);

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace sandtrail
