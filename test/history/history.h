// SPDX-License-Identifier: Apache-2.0
// What the clients of one log asked, and what they were told: files that survive the clients.
//
// A directory holds PROCESS.RUN.jsonl for every run of every process. One JSON object a line; times
// are CLOCK_MONOTONIC in microseconds, the same for all processes of a machine:
//
//   {"op":"call","client":"a/0","partition":1,"value":"a.1.0.17","called":5}
//   {"op":"append", …the same…,"ended":9,"outcome":"ok","position":12}
//   {"op":"append", …,"ended":9,"outcome":"unknown","error":"unknown_outcome: …"}     or "failed"
//   {"op":"poll","client":"a/r1","session":2,"partition":1,"called":5,"ended":9,"outcome":"ok",
//    "from":10,"next":12,"got":[[10,"a.1.0.16"],[11,"a.1.0.17"]]}
//   {"op":"marks","client":"a/m","partition":1,"called":5,"ended":9,"outcome":"ok","low":0,
//    "high":12}
//
// An append is two lines, the first before it is handed over: so one that was under way when its
// process was killed is known, and its outcome is unknown. Each line is written by one write(2)
// before the client goes on. A last line that is cut off counts as not written.
#pragma once

#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "base/fd.h"
#include "base/result.h"
#include "event_log/record.h"

namespace sandtrail::history {

enum class Outcome { ok, failed, unknown };

struct AppendCall {
  std::string client;  // its calls stand in the history in the order in which they were made
  std::int32_t partition = 0;
  std::string value;
  std::int64_t called_us = 0;
  std::int64_t ended_us = 0;  // 0: never answered
  Outcome outcome = Outcome::unknown;
  std::int64_t position = -1;  // if ok
  std::string error;           // if not
};

struct PollCall {
  std::string client;
  std::int64_t session = 0;  // of the client: one reader, which moves on by itself
  std::int32_t partition = 0;
  std::int64_t called_us = 0;
  std::int64_t ended_us = 0;
  Outcome outcome = Outcome::ok;  // failed: the read was refused for good
  std::int64_t from = 0;
  std::int64_t next = 0;
  std::vector<std::pair<std::int64_t, std::string>> got;  // position and value
  std::string error;
};

struct MarksCall {
  std::string client;
  std::int32_t partition = 0;
  std::int64_t called_us = 0;
  std::int64_t ended_us = 0;
  std::int64_t low = 0;
  std::int64_t high = 0;
};

struct History {
  std::vector<AppendCall> appends;
  std::vector<PollCall> polls;
  std::vector<MarksCall> marks;
};

// Thread-safe. A write error ends the process: a history that lacks something proves nothing.
class HistoryWriter {
 public:
  // Begins the file of the next run of `process` (letters and digits) in the directory.
  static Result<std::unique_ptr<HistoryWriter>> create(const std::string& directory,
                                                       const std::string& process);
  const std::string& process() const { return process_; }
  int run() const { return run_; }

  void called(const AppendCall& append);
  void ended(const AppendCall& append);
  void polled(const PollCall& poll);
  void told(const MarksCall& marks);

 private:
  HistoryWriter(std::string process, int run, UniqueFd file)
      : process_(std::move(process)), run_(run), file_(std::move(file)) {}
  void write_line(std::string line);

  const std::string process_;
  const int run_;
  std::mutex mutex_;
  const UniqueFd file_;
};

// Every file of the directory, runs of a process in their order. corrupt names a line that is none.
Result<History> read_history(const std::string& directory);

// A record that carries `value` and, behind it, bytes that follow from it: so that one that was cut
// or mixed is told.
Record record_of(const std::string& value);
// What record_of() was given, or "torn: …", which nobody ever appends.
std::string value_of(const Record& record);

}  // namespace sandtrail::history
