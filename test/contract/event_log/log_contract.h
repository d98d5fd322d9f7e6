// SPDX-License-Identifier: Apache-2.0
// What the EventLog suite needs of an adapter. The suite is written for slow and asynchronous logs:
// it waits for answers, assumes neither dense positions nor that they start at 0, and gives every
// test topics of its own.
#pragma once

#include <doctest/doctest.h>

#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "event_log/event_log.h"

namespace sandtrail::contract {

// One log of an adapter, its life and its faults.
class LogUnderTest {
 public:
  virtual ~LogUnderTest() = default;
  virtual EventLog& log() = 0;
  // Closes it and opens it again.
  virtual void reopen() = 0;
  // The process dies, and with it what was not synced; then opens it again. False: can't.
  virtual bool crash() { return false; }
  // While stalled, nothing that was accepted moves on. False: can't.
  virtual bool stall(bool /*stalled*/) { return false; }
};

struct Adapter {
  std::string name;
  std::function<std::unique_ptr<LogUnderTest>()> make;
  // May answer Unknown and NotCommitted to a sound append.
  bool hostile = false;
};

// Adapters register themselves by defining one of these.
struct Registration {
  explicit Registration(Adapter adapter);
};
const std::vector<Adapter>& adapters();

inline constexpr Millis kPatience = seconds(30);

// A topic name that no other test of this process uses.
std::string fresh_topic();
// Ensures it, and gives its first partition.
TopicPartition make_topic(EventLog& log, std::int32_t partitions = 1);

Record record_of(const std::string& value);

// Appends and what became of them. Thread-safe; must outlive the log's use of it.
class History {
 public:
  struct Sent {
    TopicPartition where;
    Record record;
    AppendOutcome outcome;
    int answers = 0;
  };
  void append(EventLog& log, const TopicPartition& where, Record record);
  // False if not everything was answered in time.
  bool wait();
  std::vector<Sent> sent() const;
  std::size_t answered() const;

 private:
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<Sent> sent_;
  std::size_t answered_ = 0;
};

// Repeats the append until it is committed.
AppendOutcome commit(EventLog& log, const TopicPartition& where, const Record& record);

// Everything from `from` to the tail as of the call. Fails the test on any error.
std::vector<StoredRecord> read_from(EventLog& log, const TopicPartition& where, Position from,
                                    std::size_t bytes_max = 1u << 20);
std::vector<StoredRecord> read_all(EventLog& log, const TopicPartition& where);

// Checks that the log holds what the outcomes say: committed records at their positions, of
// NotCommitted ones nothing, of Unknown ones any number of equal copies, and each appender's first
// copies in order. Values must be unique.
void check_truthful(EventLog& log, const TopicPartition& where,
                    const std::vector<History::Sent>& sent);

}  // namespace sandtrail::contract
