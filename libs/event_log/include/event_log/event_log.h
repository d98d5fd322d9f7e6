// SPDX-License-Identifier: Apache-2.0
// The EventLog port: an append-only, partitioned, durable log. Shaped for Kafka, so adapters over
// it and over one embedded store give the same guarantees, which test/contract/event_log proves:
//
//  G1  a Committed append survives kill -9 (and, embedded, loss of what was not synced)
//  G2  records one appender hands over for one partition, and that are accepted, keep their order
//  G3  a record is seen whole or not at all
//  G4  no phantom: a record reported NotCommitted never appears later
//  G5  Unknown may mean zero, one or several copies; they are byte-equal, and the core fold voids
//      all but the first by their event id
//  G6  reads from any retained position have no hole; one position gives the same bytes for ever
//  G7  tail() is linearizable with acknowledgements
//  G8  two readers agree
//  G9  fencing is left to the core fold (owner.claimed), not to the log
//  G10 a trimmed, truncated, replaced or damaged log is reported, never papered over
//  G11 memory is bounded under a stalled log: Overloaded at once when the queue is full
//  G12 close and reopen at any instant keep G1 to G10
//
// Not promised: atomicity or order across partitions, dense positions, conditional append, seek by
// time.
//
// Thread safety: every method may be called from any thread. Callbacks run on a thread of the
// adapter, outside its locks; they must be short and must not block on the log itself.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "event_log/record.h"

namespace sandtrail {

struct TopicSpec {
  std::string name;
  std::int32_t partitions = 1;
};

// What became of one append.
struct AppendOutcome {
  enum class Kind {
    committed,      // durable at `position`
    not_committed,  // it is not in the log and never will be; error.retryable() says if to repeat
    unknown,        // it may be in the log; repeat with the same event id, or wait and see
  };
  Kind kind = Kind::unknown;
  Position position;  // of a committed record
  UnixMs stamp;       // of a committed record, as readers will see it
  Error error;        // of the others; overloaded when a queue limit was reached

  bool committed() const { return kind == Kind::committed; }
};
using AppendDone = std::function<void(const AppendOutcome&)>;

// Low and high mark: records [low, high) are retained; `high` is the next position to be given.
struct Marks {
  Position low;
  Position high;
};

struct ReadBatch {
  std::vector<StoredRecord> records;  // in order; empty when there is nothing new
  Position next;                      // where the following read starts
  Marks marks;
};

// Why a read was refused. A reader never repositions by itself.
//   ErrorCode::not_found  the position was trimmed away (message names the low mark)
//   ErrorCode::conflict   the position is beyond the tail: the log is shorter than it was
//   ErrorCode::corrupt    the bytes at `next` are damaged

// One sequential reader of one partition. Not thread-safe, but for wake callbacks (see below).
class LogReader {
 public:
  virtual ~LogReader() = default;
  // Records from the reader's position on, at least one if any is there and at most about
  // `bytes_max`. Does not wait. On error the reader stays where it is.
  virtual Result<ReadBatch> poll(std::size_t bytes_max) = 0;
};

// Ownership that comes and goes. Calls for one partition come in order.
class OwnershipListener {
 public:
  virtual ~OwnershipListener() = default;
  // This process should act on the partition now (after claiming it in the log).
  virtual void on_assigned(const TopicPartition& partition) = 0;
  // Drain and stop acting; returns when done. The hand-over waits for it.
  virtual void on_revoked(const TopicPartition& partition) = 0;
  // Already somebody else's: drop everything at once.
  virtual void on_lost(const TopicPartition& partition) = 0;
};

// Keeps the ownership while it lives; its destructor leaves the group at once.
class Ownership {
 public:
  virtual ~Ownership() = default;
};

struct LogHealth {
  enum class Level {
    ok,
    degraded,
    fatal
  };  // degraded: appends are refused or wait for now; fatal: until restart
  Level level = Level::ok;
  std::string reason;  // empty: ok
  UnixMs since{};      // when this level began, as far as it was noticed; 0 while ok
  // What appends fail with meanwhile, if they are refused: disk_full, unavailable …
  ErrorCode code = ErrorCode::unavailable;
};

// What there is to say of a topic, for people.
struct TopicFacts {
  std::optional<std::int64_t> bytes;            // on disk, about; nullopt: nobody says
  std::map<std::string, std::string> settings;  // made for it on the log's servers
};

// By group.
using ReportedPositions = std::map<std::string, std::map<TopicPartition, Position>>;

// For adapters: notices when the level changes. Thread-safe.
class HealthWatch {
 public:
  // `now` with the time since when its level is seen; `time` is that of the call.
  LogHealth seen(LogHealth now, UnixMs time);

 private:
  std::mutex mutex_;
  LogHealth::Level level_ = LogHealth::Level::ok;
  UnixMs since_;
};

class EventLog {
 public:
  virtual ~EventLog() = default;

  // Idempotent. A topic that exists with another partition count is a conflict, never a change.
  virtual Status ensure_topic(const TopicSpec& spec) = 0;
  // 0 if the topic does not exist.
  virtual std::int32_t partitions(const std::string& topic) const = 0;

  // Hands the record over and returns; `done` is called exactly once, possibly before append()
  // returns. A record over limits::kRecordBytesMax is not_committed{invalid_argument}.
  virtual void append(const TopicPartition& where, Record record, AppendDone done) = 0;

  // A reader that starts at `from` (any position from low to high).
  virtual Result<std::unique_ptr<LogReader>> open_reader(const TopicPartition& where,
                                                         Position from) = 0;
  // Calls `wake` after records became readable, until the returned handle is destroyed (which
  // waits for a running call). Calls may be merged and may be spurious.
  virtual std::shared_ptr<void> subscribe(const TopicPartition& where,
                                          std::function<void()> wake) = 0;
  // Every append acknowledged before this call is below marks().high and readable.
  virtual Result<Marks> marks(const TopicPartition& where) = 0;

  // Joins `group` for every partition of the topics. Assignments arrive by the listener, which must
  // outlive the Ownership. Embedded: everything is assigned at once and for good.
  virtual Result<std::unique_ptr<Ownership>> own(const std::string& group,
                                                 const std::vector<std::string>& topics,
                                                 OwnershipListener& listener) = 0;

  // Registers how far a consumer is durable. Nothing above the lowest report is ever trimmed.
  virtual void report(const std::string& group, const TopicPartition& where, Position durable) = 0;
  // What consumers of every process have reported, as of a moment ago. May ask the log's servers
  // several times: not for every request.
  virtual Result<ReportedPositions> reported() = 0;
  // Drops records below `before`; conflict if a registered consumer still needs one of them.
  virtual Status trim(const TopicPartition& where, Position before) = 0;

  // May ask the log's servers: not for every request.
  virtual Result<TopicFacts> facts(const std::string& /*topic*/) { return TopicFacts{}; }

  // Fixed when the log was created: 32 hex digits. Stores keep it and refuse another log.
  virtual std::string identity() const = 0;
  virtual LogHealth health() const = 0;
  // Takes no more appends, drains what was accepted for at most `deadline`, then reports the rest
  // Unknown. Idempotent; the destructor calls it.
  virtual void close(Millis deadline) = 0;
};

}  // namespace sandtrail
