// SPDX-License-Identifier: Apache-2.0
// The EventLog's twin in memory: keeps every promise of event_log.h, and can do everything a real
// log may do within them (late and unknown answers, duplicates, gaps, crashes that lose what was
// not synced) and what none should (be trimmed, shortened, replaced, damaged), by seed or on
// demand.
//
// One MemoryLog is one process' connection; connect() gives another one to the same log. Only
// records that are "synced" are acknowledged as committed and readable, as in a real log.
//
// Immediate mode: work is done by the thread that asked for it, in order, before its call returns
// (if it isn't called from a callback or while another thread does the work). Own callbacks run on
// the calling thread. Stepped mode: nothing happens but by step(), in an order that depends on the
// seed alone; callbacks run within step(). Neither mode has threads of its own.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "base/clock.h"
#include "base/limits.h"
#include "event_log/event_log.h"

namespace sandtrail {

namespace memory {
struct Client;
struct Core;
}  // namespace memory

// Chances in a thousand, drawn for each append.
struct MemoryLogFaults {
  unsigned unknown = 0;         // answered Unknown; zero, one or two copies are stored
  unsigned refused = 0;         // NotCommitted, retryable
  unsigned rejected = 0;        // NotCommitted, not retryable
  unsigned overloaded = 0;      // NotCommitted, overloaded, though the queue has room
  unsigned duplicated = 0;      // Committed, and stored once more, perhaps later
  unsigned gaps = 0;            // some positions before the record are never given
  unsigned spurious_wakes = 0;  // subscribers of the partition are woken for nothing
};

struct MemoryLogOptions {
  enum class Mode { immediate, stepped };
  std::uint64_t seed = 1;
  Mode mode = Mode::immediate;
  std::size_t queue_records_max = limits::kAppendQueueRecordsMax;  // for each connection
  std::size_t queue_bytes_max = limits::kAppendQueueBytesMax;
  MemoryLogFaults faults;
};

class MemoryLog final : public EventLog {
 public:
  // `clock` must outlive every connection.
  MemoryLog(const MemoryLogOptions& options, const Clock& clock);
  ~MemoryLog() override;
  MemoryLog(const MemoryLog&) = delete;
  MemoryLog& operator=(const MemoryLog&) = delete;

  // Another process on the same log, or the same one after a restart; works after crash() too.
  std::unique_ptr<MemoryLog> connect();

  Status ensure_topic(const TopicSpec& spec) override;
  std::int32_t partitions(const std::string& topic) const override;
  void append(const TopicPartition& where, Record record, AppendDone done) override;
  Result<std::unique_ptr<LogReader>> open_reader(const TopicPartition& where,
                                                 Position from) override;
  std::shared_ptr<void> subscribe(const TopicPartition& where, std::function<void()> wake) override;
  Result<Marks> marks(const TopicPartition& where) override;
  Result<std::unique_ptr<Ownership>> own(const std::string& group,
                                         const std::vector<std::string>& topics,
                                         OwnershipListener& listener) override;
  void report(const std::string& group, const TopicPartition& where, Position durable) override;
  Result<ReportedPositions> reported() override;
  Status trim(const TopicPartition& where, Position before) override;
  std::string identity() const override;
  LogHealth health() const override;
  // Does the pending work itself (also in stepped mode) and does not wait: what is left, because
  // the log is stalled, is Unknown whatever the deadline.
  void close(Millis deadline) override;

  // --- pending work; for all connections of the log ---

  // Does one piece of it: a write, a sync, one answer, one wake, one change of ownership. False if
  // there was none, or if called from a callback.
  bool step();
  // step() until there is no work left.
  void run();

  // --- what a real log may do ---

  void set_faults(const MemoryLogFaults& faults);
  // While stalled, nothing accepted is written or answered; the queue fills.
  void stall(bool stalled);
  // While degraded, appends are NotCommitted{disk_full}.
  void degrade(bool degraded);
  // This connection does not reach the log: it is degraded, every call is refused as unavailable,
  // and appends wait. Its readers are woken when it does again.
  void cut(bool cut);
  // A write error: what is queued becomes Unknown, and appends are refused until the restart.
  void fail(const std::string& reason);
  // This process dies: its callbacks never come; what it had queued may or may not be stored.
  void kill();
  // The machine dies with all its processes: besides, of each partition some suffix of what was
  // not synced is lost. What was acknowledged stays.
  void crash();
  // Ownership moves to the next member of the group, if there is one: after on_revoked() has
  // returned, or at any time about on_lost(). Without another member nobody owns the partition
  // until assign(), which gives it to the member with the fewest. No effect in the wrong state.
  void revoke(const std::string& group, const TopicPartition& where);
  void lose(const std::string& group, const TopicPartition& where);
  void assign(const std::string& group, const TopicPartition& where);
  // The next positions are never given, whatever follows: in Kafka a stranger's transaction ends
  // with such a one.
  void skip(const TopicPartition& where, std::int64_t positions);

  // --- what none should do ---

  void trim_unasked(const TopicPartition& where, Position before);
  // Acknowledged records from `tail` on are gone, and their positions are given again.
  void shorten(const TopicPartition& where, Position tail);
  // The record at `where`, `position` can't be read any more.
  void damage(const TopicPartition& where, Position position);
  // Another log stands in its place: same topics, other identity, no records.
  void replace();

 private:
  explicit MemoryLog(std::shared_ptr<memory::Core> core);

  const std::shared_ptr<memory::Core> core_;
  const std::shared_ptr<memory::Client> client_;
};

}  // namespace sandtrail
