// SPDX-License-Identifier: Apache-2.0
// Clients of an EventLog that write down what they asked and what they were told (history.h). Each
// does one operation a call, so that a test can drive them by itself and log_clients by threads.
#pragma once

#include <atomic>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <optional>
#include <string>

#include "base/clock.h"
#include "base/random.h"
#include "event_log/event_log.h"
#include "history.h"

namespace sandtrail::history {

inline constexpr const char* kTopic = "history";

// What every client is made of; must outlive it.
struct ClientParts {
  EventLog& log;
  HistoryWriter& history;
  const Clock& clock;
};

// Appends values of its own to the partitions in turn.
class Appender {
 public:
  Appender(ClientParts parts, int number, std::int32_t partitions, int in_flight_max);
  // Hands one record over, once fewer than `in_flight_max` are unanswered. False if it was not
  // answered within `patience`, and nothing was handed over. One thread at a time.
  bool append_one(Millis patience);
  // True once all is answered.
  bool wait_answered(Millis patience);
  // How many of the newest answers in a row said that the log does not take it.
  int refusals() const { return state_->refusals; }

 private:
  // Answers may come after the appender is gone.
  struct State {
    std::mutex mutex;
    std::condition_variable changed;
    int in_flight = 0;
    std::atomic<int> refusals{0};
  };
  const ClientParts parts_;
  const std::string prefix_;  // of its values
  const std::string name_;
  const std::int32_t partitions_;
  const int in_flight_max_;
  std::int64_t number_ = 0;
  const std::shared_ptr<State> state_ = std::make_shared<State>();
};

// Reads one partition. One thread at a time.
class PartitionReader {
 public:
  // Begins about `back` positions before the tail; all: at the low mark.
  static constexpr std::int64_t kAll = INT64_MAX;
  PartitionReader(ClientParts parts, std::string name, std::int32_t partition, std::int64_t back);
  // One poll. False if there was nothing new, or the log does not answer for now.
  bool poll_once();
  // Begins again somewhat before where it stands: what stands there must be what stood there.
  void go_back(Random& random);
  // Reads until the mark as of the call. False if that takes longer than `patience`.
  bool read_to_end(Millis patience);
  // It was refused for good, and stays where it is.
  bool refused() const { return refused_; }

 private:
  bool open();
  void refuse(const Error& error, std::int64_t called_us);

  const ClientParts parts_;
  const std::string name_;
  const TopicPartition where_;
  const std::int64_t back_;
  std::unique_ptr<LogReader> reader_;
  std::optional<Position> next_;  // where to begin, if it did before
  std::int64_t session_ = 0;
  bool refused_ = false;
};

// Asks for the marks of a partition; false if the log does not answer for now.
bool ask_marks(const ClientParts& parts, const std::string& name, std::int32_t partition);

}  // namespace sandtrail::history
