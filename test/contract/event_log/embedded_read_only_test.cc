// SPDX-License-Identifier: Apache-2.0
// Reading a log beside the process that writes it, or without one.
#include <atomic>
#include <chrono>
#include <thread>

#include "embedded_support.h"
#include "log_contract.h"

using namespace sandtrail;
using namespace sandtrail::contract;

namespace {

const TopicPartition kWhere{"t", 0};

std::unique_ptr<EventLog> must_open_read_only(const std::string& directory,
                                              const std::string& scratch) {
  ReadOnlyLogOptions options;
  options.poll_interval = {10};
  options.scratch_directory = scratch;
  auto log = open_embedded_log_read_only(directory, options);
  if (!log.ok()) FAIL(log.error().text());
  return std::move(*log);
}

void append_records(EventLog& log, int count, std::size_t bytes) {
  History history;
  for (int n = 0; n < count; ++n) {
    history.append(log, kWhere, record_of(std::to_string(n) + Bytes(bytes, '.')));
  }
  REQUIRE(history.wait());
  for (const History::Sent& one : history.sent()) REQUIRE(one.outcome.committed());
}

void check_same(EventLog& a, EventLog& b) {
  const auto left = read_all(a, kWhere);
  const auto right = read_all(b, kWhere);
  REQUIRE(left.size() == right.size());
  for (std::size_t i = 0; i < left.size(); ++i) {
    REQUIRE(left[i].position == right[i].position);
    REQUIRE(left[i].stamp == right[i].stamp);
    REQUIRE((left[i].record == right[i].record));
  }
}

}  // namespace

TEST_CASE("a closed log can be read, and nothing in it changes") {
  const TemporaryDirectory directory;
  const TemporaryDirectory scratch;
  CHECK(open_embedded_log_read_only(directory.path, {}).error().code == ErrorCode::not_found);
  std::string identity;
  {
    const auto log = must_open(directory.path);
    REQUIRE(log->ensure_topic({"t", 1}).ok());
    append_records(*log, 50, 100);
    identity = log->identity();
  }
  {
    const auto reader = must_open_read_only(directory.path, scratch.path);
    CHECK(reader->identity() == identity);
    CHECK(reader->partitions("t") == 1);
    CHECK(read_all(*reader, kWhere).size() == 50);
    CHECK(!std::filesystem::is_empty(scratch.path));
  }
  CHECK(std::filesystem::is_empty(scratch.path));
  const auto log = must_open(directory.path);
  CHECK(read_all(*log, kWhere).size() == 50);
}

TEST_CASE("a reader beside the writer sees every acknowledged record, through flushes and trims") {
  const TemporaryDirectory directory;
  const TemporaryDirectory scratch;
  const auto log = must_open(directory.path);
  REQUIRE(log->ensure_topic({"t", 1}).ok());
  append_records(*log, 10, 100);
  const auto reader = must_open_read_only(directory.path, scratch.path);
  check_same(*log, *reader);
  for (int round = 0; round < 12; ++round) {
    CAPTURE(round);
    append_records(*log, 20, 100'000);  // more than a write buffer in all rounds together
    CHECK(reader->marks(kWhere)->high == log->marks(kWhere)->high);
    check_same(*log, *reader);
    if (round % 4 == 3) {
      const Position before{log->marks(kWhere)->high.value - 30};
      REQUIRE(log->trim(kWhere, before).ok());
      CHECK(reader->marks(kWhere)->low == before);
      check_same(*log, *reader);
    }
  }
  // A topic the reader doesn't know of must not disturb it.
  REQUIRE(log->ensure_topic({"later", 1}).ok());
  commit(*log, {"later", 0}, record_of("x"));
  append_records(*log, 10, 100);
  check_same(*log, *reader);
}

TEST_CASE("a follower is woken for what another process appends") {
  constexpr int kRecords = 40;
  const TemporaryDirectory directory;
  const TemporaryDirectory scratch;
  const auto log = must_open(directory.path);
  REQUIRE(log->ensure_topic({"t", 1}).ok());
  const auto follower = must_open_read_only(directory.path, scratch.path);
  std::mutex mutex;
  std::condition_variable changed;
  bool woken = false;
  const auto handle = follower->subscribe(kWhere, [&] {
    const std::lock_guard lock(mutex);
    woken = true;
    changed.notify_all();
  });
  std::thread appender([&] {
    for (int n = 0; n < kRecords; ++n) commit(*log, kWhere, record_of(std::to_string(n)));
  });
  auto reader = follower->open_reader(kWhere, {0});
  std::size_t seen = 0;
  bool in_time = true;
  while (seen < kRecords && in_time) {
    std::unique_lock lock(mutex);
    in_time =
        changed.wait_for(lock, std::chrono::milliseconds(kPatience.count), [&] { return woken; });
    woken = false;
    lock.unlock();
    const auto batch = (*reader)->poll(1u << 20);
    REQUIRE(batch.ok());
    seen += batch->records.size();
  }
  appender.join();
  CHECK(seen == kRecords);
}

TEST_CASE("a reader changes nothing") {
  const TemporaryDirectory directory;
  const TemporaryDirectory scratch;
  const auto log = must_open(directory.path);
  REQUIRE(log->ensure_topic({"t", 1}).ok());
  append_records(*log, 3, 10);
  const auto reader = must_open_read_only(directory.path, scratch.path);
  History history;
  history.append(*reader, kWhere, record_of("x"));
  REQUIRE(history.wait());
  CHECK(history.sent()[0].outcome.kind == AppendOutcome::Kind::not_committed);
  CHECK(history.sent()[0].outcome.error.code == ErrorCode::denied);
  CHECK(reader->ensure_topic({"t", 1}).ok());
  CHECK(reader->ensure_topic({"t", 2}).error().code == ErrorCode::conflict);
  CHECK(reader->ensure_topic({"new", 1}).error().code == ErrorCode::denied);
  CHECK(reader->trim(kWhere, {1}).error().code == ErrorCode::denied);
  CHECK(reader->health().level == LogHealth::Level::degraded);
  CHECK(log->marks(kWhere)->high.value == 3);
  auto lines = reader->open_reader(kWhere, {0});
  reader->close({0});
  CHECK((*lines)->poll(100).error().code == ErrorCode::cancelled);
  CHECK(reader->marks(kWhere).error().code == ErrorCode::cancelled);
}

TEST_CASE("marks of several partitions beside a writer are those of one moment") {
  const TemporaryDirectory directory;
  const TemporaryDirectory scratch;
  const auto log = must_open(directory.path);
  REQUIRE(log->ensure_topic({"t", 2}).ok());
  REQUIRE(log->ensure_topic({"u", 1}).ok());
  const std::vector<TopicPartition> all{{"t", 0}, {"u", 0}, {"t", 1}};
  std::atomic<bool> enough{false};
  // Each record follows the one before it in another partition.
  std::thread writer([&] {
    while (!enough) {
      for (const TopicPartition& where : all) commit(*log, where, record_of("next"));
    }
  });
  const auto reader = must_open_read_only(directory.path, scratch.path);
  std::int64_t seen = 0;
  for (int cut = 0; cut < 200 || seen < 100; ++cut) {
    const auto marks = reader->marks_of(all);
    REQUIRE(marks.ok());
    const auto high = [&](std::size_t i) { return (*marks)[i].high.value; };
    CHECK(high(1) <= high(0));
    CHECK(high(2) <= high(1));
    CHECK(high(0) <= high(2) + 1);
    seen = high(0);
  }
  enough = true;
  writer.join();
  CHECK(!reader->marks_of({{"t", 7}}).ok());
}
