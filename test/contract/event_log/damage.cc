// SPDX-License-Identifier: Apache-2.0
#include "damage.h"

#include <atomic>
#include <fstream>
#include <mutex>
#include <thread>

#include "base/file.h"
#include "log_contract.h"

namespace sandtrail::contract {

namespace fs = std::filesystem;

namespace {

constexpr std::int32_t kPartitions = 2;
constexpr int kThreads = 6;  // opening a log is mostly waiting for syncs

Bytes value_of(std::int32_t partition, std::int64_t position, std::size_t bytes) {
  const auto number = static_cast<std::uint64_t>(position);
  // Not to be compressed away in table files.
  SeededRandom random(number * kPartitions + static_cast<std::uint64_t>(partition));
  return std::to_string(partition) + ":" + std::to_string(position) + ":" +
         random.bytes(number * 7 % (bytes + 1));
}

void append_records(EventLog& log, int count, std::size_t bytes) {
  History history;
  std::map<std::int32_t, std::int64_t> next;
  for (std::int32_t p = 0; p < kPartitions; ++p) next[p] = log.marks({"t", p})->high.value;
  for (int i = 0; i < count; ++i) {
    for (std::int32_t partition = 0; partition < kPartitions; ++partition) {
      const TopicPartition where{"t", partition};
      history.append(log, where, record_of(value_of(partition, next[partition]++, bytes)));
    }
    if (i % 8 == 7) REQUIRE(history.wait());
  }
  REQUIRE(history.wait());
  for (const History::Sent& one : history.sent()) REQUIRE(one.outcome.committed());
}

std::uint64_t wal_bytes_of(const std::string& directory) {
  std::uint64_t bytes = 0;
  for (const auto& entry : fs::directory_iterator(directory + "/records")) {
    if (entry.path().extension() == ".log") bytes = std::max(bytes, entry.file_size());
  }
  return bytes;
}

void append_to(EventLog& log, const std::string& directory, std::uint64_t wal_bytes,
               std::size_t value_bytes) {
  while (wal_bytes_of(directory) < wal_bytes) append_records(log, 8, value_bytes);
}

void wait_for_mark(EventLog& log, const std::string& directory) {
  const std::int64_t end_us = test_clock.monotonic_us() + kPatience.count * 1000;
  while (test_clock.monotonic_us() < end_us) {
    const auto head = read_head_mark(directory);
    REQUIRE(head.ok());
    if (head->marks[0].tail == log.marks(head->marks[0].where)->high) return;
    std::this_thread::yield();
  }
  FAIL("no head mark in time");
}

class Inspector {
 public:
  Inspector(const HeadMark& head, std::size_t value_bytes,
            const std::map<TopicPartition, Position>& acknowledged,
            const std::map<TopicPartition, Position>& folded)
      : head_(head), value_bytes_(value_bytes), acknowledged_(acknowledged), folded_(folded) {}

  // "" if the log in `directory` keeps the promise.
  std::string look(const std::string& directory, Tally& tally) const {
    auto log = try_open(directory);
    if (!log.ok()) {
      ++tally.refused;
      return log.error().hint.empty() ? "is refused without advice: " + log.error().text() : "";
    }
    bool damaged = false;
    bool shorter = false;
    bool store_refuses = false;
    for (const HeadMark::Mark& mark : head_.marks) {
      const auto marks = (*log)->marks(mark.where);
      if (!marks.ok()) return "opens without " + mark.where.text();
      if (marks->high < mark.tail) return "opens shorter than its head mark";
      if (auto broken = read(**log, mark.where, *marks, damaged); !broken.empty()) return broken;
      const auto end = acknowledged_.find(mark.where);
      shorter = shorter || (end != acknowledged_.end() && marks->high < end->second);
      const auto store = folded_.find(mark.where);
      if (store == folded_.end() || marks->high >= store->second) continue;
      const auto batch = (*(*log)->open_reader(mark.where, store->second))->poll(1);
      if (batch.ok() || batch.error().hint.empty()) return "lets a store go on that is ahead of it";
      store_refuses = true;
    }
    ++(damaged         ? tally.damaged
       : store_refuses ? tally.store
       : shorter       ? tally.window
                       : tally.whole);
    return "";
  }

 private:
  std::string read(EventLog& log, const TopicPartition& where, const Marks& marks,
                   bool& damaged) const {
    auto reader = log.open_reader(where, marks.low);
    Position at = marks.low;
    while (at < marks.high) {
      auto batch = (*reader)->poll(1u << 16);
      if (!batch.ok()) {
        damaged = true;
        const bool says_which = batch.error().message.find(where.text()) != std::string::npos;
        const bool fine = batch.error().code == ErrorCode::corrupt && says_which;
        return fine && !batch.error().hint.empty() ? "" : "reads with " + batch.error().text();
      }
      for (const StoredRecord& record : batch->records) {
        if (record.position != at) return "has a hole";
        if (record.record != record_of(value_of(where.partition, at.value, value_bytes_))) {
          return "holds a wrong record";
        }
        at = at.next();
      }
    }
    return "";
  }

  const HeadMark& head_;
  const std::size_t value_bytes_;
  const std::map<TopicPartition, Position>& acknowledged_;
  const std::map<TopicPartition, Position>& folded_;
};

void add(Tally& to, const Tally& from) {
  to.whole += from.whole;
  to.refused += from.refused;
  to.damaged += from.damaged;
  to.store += from.store;
  to.window += from.window;
}

// What the records were made with stands beside the log, so that a copy can be checked.
constexpr const char* kValueBytes = "/value_bytes";

}  // namespace

Original::Original(const OriginalOptions& options) {
  EmbeddedLogOptions log_options;
  log_options.mark_every_commit = options.mark_every_commit;
  const std::string& directory = closed.path;
  std::ofstream(directory + kValueBytes) << options.value_bytes;
  {
    const auto log = must_open(directory, log_options);
    REQUIRE(log->ensure_topic({"t", kPartitions}).ok());
    append_records(*log, 25, options.value_bytes);
    REQUIRE(log->trim({"t", 1}, {5}).ok());
  }
  {
    const auto log = must_open(directory, log_options);
    append_records(*log, 15, options.value_bytes);
  }
  const auto log = must_open(directory, log_options);
  append_records(*log, 10, options.value_bytes);
  append_to(*log, directory, options.wal_bytes / 2, options.value_bytes);
  wait_for_mark(*log, directory);
  append_records(*log, 5, options.value_bytes);
  append_to(*log, directory, options.wal_bytes * 3 / 4, options.value_bytes);
  for (std::int32_t p = 0; p < kPartitions; ++p) folded[{"t", p}] = log->marks({"t", p})->high;
  append_records(*log, 5, options.value_bytes);
  append_to(*log, directory, options.wal_bytes, options.value_bytes);
  fs::copy(directory, killed.path, fs::copy_options::recursive);
  for (std::int32_t p = 0; p < kPartitions; ++p) {
    acknowledged[{"t", p}] = log->marks({"t", p})->high;
  }
}

std::string Tally::line(const std::string& what) const {
  return what + ": " + std::to_string(all()) + " cases: " + std::to_string(whole) + " whole, " +
         std::to_string(refused) + " refused at open, " + std::to_string(damaged) +
         " told at the first read, " + std::to_string(store) + " refused by a store's position, " +
         std::to_string(window) + " within the window; silent outside it 0";
}

Tally run_cases(const std::string& directory, const std::vector<Case>& cases,
                const std::map<TopicPartition, Position>& acknowledged,
                const std::map<TopicPartition, Position>& folded) {
  const auto head = read_head_mark(directory);
  REQUIRE(head.ok());
  const auto value_bytes = read_file(directory + kValueBytes, 32);
  REQUIRE(value_bytes.ok());
  const Inspector inspector(*head, std::stoul(*value_bytes), acknowledged, folded);
  std::atomic<std::size_t> next{0};
  std::mutex mutex;
  std::string first_failure;
  Tally sum;
  const TemporaryDirectory work;
  // Opening changes a log, so even this takes a copy.
  fs::copy(directory, work.path + "/sound", fs::copy_options::recursive);
  REQUIRE(inspector.look(work.path + "/sound", sum) == "");
  REQUIRE(sum.whole == 1);
  sum = {};
  const auto worker = [&](int index) {
    const std::string copy = work.path + "/" + std::to_string(index);
    for (std::size_t i = next++; i < cases.size(); i = next++) {
      fs::remove_all(copy);
      fs::copy(directory, copy, fs::copy_options::recursive);
      cases[i].damage(copy);
      Tally one;
      const std::string broken = inspector.look(copy, one);
      const std::lock_guard lock(mutex);
      add(sum, one);
      if (!broken.empty() && first_failure.empty()) first_failure = cases[i].name + ": " + broken;
      if (!first_failure.empty()) return;
    }
  };
  std::vector<std::thread> threads;
  for (int i = 0; i < kThreads; ++i) threads.emplace_back(worker, i);
  for (std::thread& thread : threads) thread.join();
  CHECK(first_failure == "");
  return sum;
}

std::vector<std::string> files_of(const std::string& directory) {
  std::vector<std::string> files;
  for (const auto& entry : fs::recursive_directory_iterator(directory)) {
    const std::string name = fs::relative(entry.path(), directory).string();
    const bool is_noise = name.find("LOG") != std::string::npos ||
                          name.find("OPTIONS") != std::string::npos || "/" + name == kValueBytes;
    if (entry.is_regular_file() && !is_noise) files.push_back(name);
  }
  std::sort(files.begin(), files.end());
  return files;
}

void flip(const std::string& path, std::uint64_t at, unsigned char mask) {
  std::fstream file(path, std::ios::in | std::ios::out | std::ios::binary);
  file.exceptions(std::ios::failbit);
  file.seekg(static_cast<std::streamoff>(at));
  const char byte = static_cast<char>(file.get() ^ mask);
  file.seekp(static_cast<std::streamoff>(at));
  file.put(byte);
}

std::string describe(const std::string& file, const std::string& what, std::uint64_t at) {
  return file + " " + what + " " + std::to_string(at);
}

std::vector<Case> flips(const std::string& directory, std::uint64_t count, Random& random) {
  std::vector<std::pair<std::string, std::uint64_t>> places;
  for (const std::string& file : files_of(directory)) {
    const std::uint64_t size = fs::file_size(directory + "/" + file);
    for (std::uint64_t at = 0; at < size; ++at) places.push_back({file, at});
  }
  std::vector<Case> cases;
  // More than there are bytes: each several times, in other bits.
  for (std::uint64_t n = 0; n < count; ++n) {
    const auto& [file, at] =
        count >= places.size() ? places[n % places.size()]
                               : places[(n * places.size() + random.below(places.size())) / count];
    const auto mask = static_cast<unsigned char>(random.below(2) == 0 ? 1u << random.below(8)
                                                                      : 1 + random.below(255));
    cases.push_back({describe(file, "flipped at", at), [file = file, at = at, mask](const auto& d) {
                       flip(d + "/" + file, at, mask);
                     }});
  }
  return cases;
}

std::vector<Case> truncations(const std::string& directory, std::uint64_t count) {
  std::vector<Case> cases;
  for (const std::string& file : files_of(directory)) {
    if (!file.ends_with(".log")) continue;
    const std::uint64_t size = fs::file_size(directory + "/" + file);
    const std::uint64_t lengths = std::min(size, count);
    for (std::uint64_t i = 0; i < lengths; ++i) {
      const std::uint64_t length = i * size / lengths;
      cases.push_back({describe(file, "cut to", length),
                       [file, length](const auto& d) { fs::resize_file(d + "/" + file, length); }});
    }
  }
  return cases;
}

}  // namespace sandtrail::contract
