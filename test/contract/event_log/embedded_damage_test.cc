// SPDX-License-Identifier: Apache-2.0
// G10 on the embedded log: whatever byte of whatever file is damaged, cut off or gone, the log
// either holds an intact prefix that reaches its head mark, or says so. Never silence, never a
// wrong record.
#include <atomic>
#include <fstream>
#include <thread>

#include "base/file.h"
#include "embedded_support.h"
#include "log_contract.h"
#include "log_embedded/head_mark.h"

using namespace sandtrail;
using namespace sandtrail::contract;
namespace fs = std::filesystem;

namespace {

constexpr std::int32_t kPartitions = 2;
constexpr int kThreads = 6;  // opening a log is mostly waiting for syncs
constexpr std::uint64_t kFlips = 2000;
constexpr std::size_t kTruncations = 500;

std::string value_of(std::int32_t partition, std::int64_t position) {
  return std::to_string(partition) + ":" + std::to_string(position) +
         std::string(static_cast<std::size_t>(position * 7 % 120), '.');
}

void append_records(EventLog& log, int count) {
  for (int i = 0; i < count; ++i) {
    for (std::int32_t partition = 0; partition < kPartitions; ++partition) {
      const TopicPartition where{"t", partition};
      commit(log, where, record_of(value_of(partition, log.marks(where)->high.value)));
    }
  }
}

// A log with table files, a write-ahead log and a trimmed partition.
struct Original {
  TemporaryDirectory closed;  // the head mark knows everything
  TemporaryDirectory killed;  // as a kill leaves it: the head mark is older than the tail

  Original() {
    {
      const auto log = must_open(closed.path);
      REQUIRE(log->ensure_topic({"t", kPartitions}).ok());
      append_records(*log, 25);
      REQUIRE(log->trim({"t", 1}, {5}).ok());
    }
    {
      const auto log = must_open(closed.path);
      append_records(*log, 15);
    }
    const auto log = must_open(closed.path);
    append_records(*log, 20);
    fs::copy(closed.path, killed.path, fs::copy_options::recursive);
  }
};

std::string describe(const std::string& file, const std::string& what, std::uint64_t at) {
  return file + " " + what + " " + std::to_string(at);
}

// "" if the log in `directory` keeps the promise; `noticed` counts refusals and reported damage.
std::string broken_promise(const std::string& directory, const HeadMark& head,
                           std::atomic<std::size_t>& noticed) {
  auto log = try_open(directory);
  noticed += log.ok() ? 0 : 1;
  if (!log.ok()) return "";
  for (const HeadMark::Mark& mark : head.marks) {
    const auto marks = (*log)->marks(mark.where);
    if (!marks.ok()) return "opens without " + mark.where.text();
    if (marks->high < mark.tail) return "opens shorter than its head mark";
    auto reader = (*log)->open_reader(mark.where, marks->low);
    Position at = marks->low;
    while (at < marks->high) {
      auto batch = (*reader)->poll(500);
      noticed += batch.ok() ? 0 : 1;
      if (!batch.ok() && batch.error().code == ErrorCode::corrupt) break;
      if (!batch.ok()) return "reads with " + batch.error().text();
      for (const StoredRecord& record : batch->records) {
        if (record.position != at) return "has a hole";
        if (record.record != record_of(value_of(mark.where.partition, at.value))) {
          return "holds a wrong record";
        }
        at = at.next();
      }
    }
  }
  return "";
}

using Damage = std::function<void(const std::string& directory)>;
struct Case {
  std::string name;
  Damage damage;
};

// Runs every case on a copy of its own; the first broken promise fails the test.
// Returns in how many cases the damage was noticed.
std::size_t run_cases(const std::string& original, const std::vector<Case>& cases) {
  std::atomic<std::size_t> noticed{0};
  const auto head = read_head_mark(original);
  REQUIRE(head.ok());
  std::atomic<std::size_t> next{0};
  std::mutex mutex;
  std::string first_failure;
  const TemporaryDirectory work;
  // Opening changes a log, so even this takes a copy.
  fs::copy(original, work.path + "/sound", fs::copy_options::recursive);
  REQUIRE(broken_promise(work.path + "/sound", *head, noticed) == "");
  const auto worker = [&](int index) {
    const std::string copy = work.path + "/" + std::to_string(index);
    for (std::size_t i = next++; i < cases.size(); i = next++) {
      fs::remove_all(copy);
      fs::copy(original, copy, fs::copy_options::recursive);
      cases[i].damage(copy);
      const std::string broken = broken_promise(copy, *head, noticed);
      const std::lock_guard lock(mutex);
      if (!broken.empty() && first_failure.empty()) first_failure = cases[i].name + ": " + broken;
      if (!first_failure.empty()) return;
    }
  };
  std::vector<std::thread> threads;
  for (int i = 0; i < kThreads; ++i) threads.emplace_back(worker, i);
  for (std::thread& thread : threads) thread.join();
  CHECK(first_failure == "");
  return noticed;
}

// Relative paths of files worth damaging; not RocksDB's texts for people and its saved options.
std::vector<std::string> files_of(const std::string& directory) {
  std::vector<std::string> files;
  for (const auto& entry : fs::recursive_directory_iterator(directory)) {
    const std::string name = fs::relative(entry.path(), directory).string();
    const bool is_noise =
        name.find("LOG") != std::string::npos || name.find("OPTIONS") != std::string::npos;
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

// Flips spread evenly over the bytes of all files, a random bit or byte each.
std::vector<Case> flips(const std::string& directory, std::uint64_t count, Random& random) {
  std::vector<std::pair<std::string, std::uint64_t>> places;
  for (const std::string& file : files_of(directory)) {
    const std::uint64_t size = fs::file_size(directory + "/" + file);
    for (std::uint64_t at = 0; at < size; ++at) places.push_back({file, at});
  }
  std::vector<Case> cases;
  const std::uint64_t step = std::max<std::uint64_t>(1, places.size() / count);
  for (std::uint64_t i = random.below(step); i < places.size(); i += step) {
    const auto [file, at] = places[i];
    const auto mask = static_cast<unsigned char>(random.below(2) == 0 ? 1u << random.below(8)
                                                                      : 1 + random.below(255));
    cases.push_back({describe(file, "flipped at", at), [file = file, at = at, mask](const auto& d) {
                       flip(d + "/" + file, at, mask);
                     }});
  }
  return cases;
}

std::vector<Case> truncations(const std::string& directory, std::size_t count) {
  std::vector<Case> cases;
  for (const std::string& file : files_of(directory)) {
    if (!file.ends_with(".log")) continue;
    const std::uint64_t size = fs::file_size(directory + "/" + file);
    const std::uint64_t step = std::max<std::uint64_t>(1, size / count);
    for (std::uint64_t length = 0; length < size; length += step) {
      cases.push_back({describe(file, "cut to", length),
                       [file, length](const auto& d) { fs::resize_file(d + "/" + file, length); }});
    }
  }
  return cases;
}

}  // namespace

TEST_CASE("every damaged byte of a cleanly closed log is refused, reported or harmless") {
  const Original original;
  SeededRandom random(1);
  const auto cases = flips(original.closed.path, kFlips / 2, random);
  CHECK(cases.size() >= kFlips / 2);
  CHECK(run_cases(original.closed.path, cases) > cases.size() / 2);
}

TEST_CASE("every damaged byte of a killed log is refused, reported or harmless") {
  const Original original;
  SeededRandom random(2);
  const auto cases = flips(original.killed.path, kFlips / 2, random);
  CHECK(cases.size() >= kFlips / 2);
  CHECK(run_cases(original.killed.path, cases) > cases.size() / 2);
}

TEST_CASE("a table file that would end the process in RocksDB is refused before") {
  const Original original;
  const auto files = files_of(original.closed.path);
  const auto table = std::find_if(files.begin(), files.end(),
                                  [](const std::string& file) { return file.ends_with(".sst"); });
  REQUIRE(table != files.end());
  const std::uint64_t size = fs::file_size(original.closed.path + "/" + *table);
  std::vector<Case> cases;
  // The highest bit of each byte of its properties and of all that follows them.
  for (std::uint64_t at = size - std::min<std::uint64_t>(size, 1400); at < size; ++at) {
    cases.push_back({describe(*table, "flipped at", at),
                     [file = *table, at](const auto& d) { flip(d + "/" + file, at, 0x80); }});
  }
  CHECK(run_cases(original.closed.path, cases) > cases.size() / 2);
}

TEST_CASE("a write-ahead log cut off anywhere leaves an intact prefix or a refusal") {
  const Original original;
  const auto killed = truncations(original.killed.path, kTruncations);
  CHECK(killed.size() >= kTruncations);
  // Most cuts leave a torn tail that nobody was told of in time for the head mark.
  run_cases(original.killed.path, killed);
  const auto closed = truncations(original.closed.path, kTruncations / 4);
  CHECK(run_cases(original.closed.path, closed) == closed.size());
}

TEST_CASE("a missing file is refused, reported or harmless") {
  const Original original;
  for (const std::string& directory : {original.closed.path, original.killed.path}) {
    std::vector<Case> cases;
    for (const std::string& file : files_of(directory)) {
      cases.push_back({file + " removed", [file](const auto& d) { fs::remove(d + "/" + file); }});
    }
    cases.push_back({"no records at all", [](const auto& d) { fs::remove_all(d + "/records"); }});
    CHECK(run_cases(directory, cases) > 0);
  }
}

TEST_CASE("a log without its write-ahead log is refused, until the loss is accepted") {
  const Original original;
  const std::string& directory = original.closed.path;
  const std::string identity = (must_open(directory), read_head_mark(directory)->identity);
  append_records(*must_open(directory), 3);
  int removed = 0;
  for (const std::string& file : files_of(directory)) {
    if (file.ends_with(".log")) removed += fs::remove(directory + "/" + file) ? 1 : 0;
  }
  REQUIRE(removed > 0);
  for (int attempt = 0; attempt < 2; ++attempt) {
    const auto refused = try_open(directory);
    REQUIRE(!refused.ok());
    CHECK(refused.error().code == ErrorCode::conflict);
    CHECK(refused.error().message.find("t/0 ended at 63 and now ends at 60") != std::string::npos);
    CHECK(refused.error().hint.find("backup") != std::string::npos);
  }
  EmbeddedLogOptions accepting;
  accepting.accept_loss = true;
  std::string renamed;
  {
    const auto log = must_open(directory, accepting);
    renamed = log->identity();
    CHECK(renamed != identity);
    CHECK(log->marks({"t", 0})->high.value == 60);
    append_records(*log, 2);
  }
  // Nothing is missing any more, so nothing is accepted and the identity stays.
  CHECK(must_open(directory, accepting)->identity() == renamed);
  CHECK(must_open(directory)->identity() == renamed);
}
