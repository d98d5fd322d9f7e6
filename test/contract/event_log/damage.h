// SPDX-License-Identifier: Apache-2.0
// Logs to damage, and what becomes of them.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "embedded_support.h"
#include "log_embedded/head_mark.h"

namespace sandtrail::contract {

struct OriginalOptions {
  // The write-ahead log grows to this size; half of it after the head mark that a kill leaves.
  std::uint64_t wal_bytes = 0;  // 0: some records
  std::size_t value_bytes = 120;
  bool mark_every_commit = false;
};

// A log of topic "t" with two partitions: table files, a trimmed partition and a write-ahead log.
struct Original {
  explicit Original(const OriginalOptions& options = {});

  TemporaryDirectory closed;  // the head mark knows everything
  TemporaryDirectory killed;  // as a kill leaves it: the head mark is older than the tail
  std::map<TopicPartition, Position> acknowledged;  // ends of the killed one
  // Of a consumer's store, which a kill does not take back: between head mark and end.
  std::map<TopicPartition, Position> folded;
};

struct Case {
  std::string name;
  std::function<void(const std::string& directory)> damage;
};

// In how many cases what became of the log. All but `window` is what was promised.
struct Tally {
  std::size_t whole = 0;    // opens, and everything acknowledged is there and right
  std::size_t refused = 0;  // at open, with advice
  std::size_t damaged = 0;  // the first read that meets it says which record, with advice
  std::size_t store = 0;    // shorter than what a store has folded: its reader is refused
  std::size_t window = 0;  // shorter than what was acknowledged after the head mark, without a word
  std::size_t noticed() const { return refused + damaged + store; }
  std::size_t all() const { return whole + noticed() + window; }
  // "what: 100 cases: 20 whole, …, silent outside the window 0"
  std::string line(const std::string& what) const;
};

// Runs every case on a copy of `directory`; the first broken promise fails the test. With the ends
// that were acknowledged a shorter log counts as one of the window; without them there is none.
Tally run_cases(const std::string& directory, const std::vector<Case>& cases,
                const std::map<TopicPartition, Position>& acknowledged = {},
                const std::map<TopicPartition, Position>& folded = {});

// Relative paths of files worth damaging; not RocksDB's texts for people and its saved options.
std::vector<std::string> files_of(const std::string& directory);
void flip(const std::string& path, std::uint64_t at, unsigned char mask);
// Flips spread evenly over the bytes of all files, a random bit or byte each.
std::vector<Case> flips(const std::string& directory, std::uint64_t count, Random& random);
// Of write-ahead logs, to lengths spread evenly; every length if there are at most `count`.
std::vector<Case> truncations(const std::string& directory, std::uint64_t count);
std::string describe(const std::string& file, const std::string& what, std::uint64_t at);

}  // namespace sandtrail::contract
