// SPDX-License-Identifier: Apache-2.0
// Reading: G1, G6 to G8, G10, G12, wakes.
#include <atomic>
#include <chrono>
#include <thread>

#include "base/clock.h"
#include "log_contract.h"

using namespace sandtrail;
using namespace sandtrail::contract;

namespace {

std::vector<AppendOutcome> commit_many(EventLog& log, const TopicPartition& where, int count) {
  std::vector<AppendOutcome> outcomes;
  for (int n = 0; n < count; ++n) {
    outcomes.push_back(commit(log, where, record_of("value " + std::to_string(n))));
  }
  return outcomes;
}

bool same(const std::vector<StoredRecord>& a, const std::vector<StoredRecord>& b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(), [](const auto& x, const auto& y) {
    return x.position == y.position && x.stamp == y.stamp && x.record == y.record;
  });
}

ErrorCode poll_error(EventLog& log, const TopicPartition& where, Position from) {
  auto reader = log.open_reader(where, from);
  if (!reader.ok()) return reader.error().code;
  const auto batch = (*reader)->poll(1000);
  REQUIRE(!batch.ok());
  return batch.error().code;
}

}  // namespace

TEST_CASE("G1, G12: what was acknowledged is there after every reopen") {
  for (const Adapter& adapter : adapters()) {
    CAPTURE(adapter.name);
    const auto under_test = adapter.make();
    const TopicPartition where = make_topic(under_test->log(), 2);
    const std::string identity = under_test->log().identity();
    CHECK(identity.size() == 32);
    std::vector<StoredRecord> before;
    for (int round = 0; round < 4; ++round) {
      commit_many(under_test->log(), where, 20);
      before = read_all(under_test->log(), where);
      CHECK(before.size() >= static_cast<std::size_t>(20 * (round + 1)));
      under_test->reopen();
      // A late second copy may have been added at the end.
      auto after = read_all(under_test->log(), where);
      REQUIRE(after.size() >= before.size());
      after.resize(before.size());
      CHECK(same(before, after));
      CHECK(under_test->log().identity() == identity);
      CHECK(read_all(under_test->log(), {where.topic, 1}).empty());
    }
  }
}

TEST_CASE("G1: a crash takes nothing that was acknowledged") {
  constexpr int kRounds = 20;
  for (const Adapter& adapter : adapters()) {
    CAPTURE(adapter.name);
    std::vector<History> histories(kRounds);  // outlive the log
    const auto under_test = adapter.make();
    const TopicPartition where = make_topic(under_test->log());
    std::vector<History::Sent> acknowledged;
    for (int round = 0; round < kRounds; ++round) {
      History& history = histories[static_cast<std::size_t>(round)];
      for (int n = 0; n < 30; ++n) {
        const std::string value = std::to_string(round) + ":" + std::to_string(n);
        history.append(under_test->log(), where, record_of(value));
      }
      if (!under_test->crash()) break;
      for (const History::Sent& one : history.sent()) {
        if (one.answers == 1 && one.outcome.committed()) acknowledged.push_back(one);
      }
      check_truthful(under_test->log(), where, acknowledged);
    }
  }
}

TEST_CASE("G6: every retained position reads on without a hole, always the same") {
  for (const Adapter& adapter : adapters()) {
    CAPTURE(adapter.name);
    const auto under_test = adapter.make();
    EventLog& log = under_test->log();
    const TopicPartition where = make_topic(log);
    commit_many(log, where, 30);
    const auto all = read_all(log, where);
    for (std::size_t skip = 0; skip < all.size(); ++skip) {
      const std::vector<StoredRecord> suffix(all.begin() + static_cast<std::ptrdiff_t>(skip),
                                             all.end());
      auto read = read_from(log, where, all[skip].position, 1 + skip * 40);
      REQUIRE(read.size() >= suffix.size());
      read.resize(suffix.size());
      CHECK(same(suffix, read));
    }
    auto reader = log.open_reader(where, all[0].position);
    REQUIRE(reader.ok());
    const auto one = (*reader)->poll(0);
    REQUIRE(one.ok());
    CHECK(one->records.size() == 1);
    CHECK(one->next > all[0].position);
  }
}

TEST_CASE("G7: an acknowledged record is below the tail and can be read at once") {
  for (const Adapter& adapter : adapters()) {
    CAPTURE(adapter.name);
    const auto under_test = adapter.make();
    EventLog& log = under_test->log();
    const TopicPartition where = make_topic(log);
    auto reader = log.open_reader(where, log.marks(where)->low);
    REQUIRE(reader.ok());
    for (int n = 0; n < 50; ++n) {
      const AppendOutcome outcome = commit(log, where, record_of(std::to_string(n)));
      CHECK(log.marks(where)->high > outcome.position);
      Position last{-1};
      for (;;) {
        const auto batch = (*reader)->poll(1u << 20);
        REQUIRE(batch.ok());
        if (!batch->records.empty()) last = batch->records.back().position;
        if (batch->next == batch->marks.high) break;
      }
      CHECK(last >= outcome.position);
    }
  }
}

TEST_CASE("G8: readers agree, also while records arrive") {
  for (const Adapter& adapter : adapters()) {
    CAPTURE(adapter.name);
    const auto under_test = adapter.make();
    EventLog& log = under_test->log();
    const TopicPartition where = make_topic(log);
    std::vector<std::vector<StoredRecord>> seen(2);
    std::atomic<bool> ended{false};
    std::vector<std::thread> threads;
    for (auto& mine : seen) {
      threads.emplace_back([&] {
        auto reader = log.open_reader(where, {0});
        for (bool last = false;;) {
          auto batch = (*reader)->poll(300);
          if (!batch.ok()) return;
          for (StoredRecord& record : batch->records) mine.push_back(std::move(record));
          if (batch->next < batch->marks.high) continue;
          if (last) return;
          last = ended.load();
        }
      });
    }
    History history;
    for (int n = 0; n < 200; ++n) history.append(log, where, record_of(std::to_string(n)));
    const bool answered = history.wait();
    ended = true;
    for (std::thread& thread : threads) thread.join();
    REQUIRE(answered);
    // One may have seen a late copy more than the other.
    const std::size_t common = std::min(seen[0].size(), seen[1].size());
    for (auto& mine : seen) mine.resize(common);
    CHECK(same(seen[0], seen[1]));
    auto all = read_all(log, where);
    REQUIRE(all.size() >= common);
    all.resize(common);
    CHECK(same(seen[0], all));
    for (const History::Sent& one : history.sent()) {
      if (one.outcome.committed()) CHECK(all.back().position >= one.outcome.position);
    }
  }
}

TEST_CASE("G10: trimmed records are reported, and consumers hold the trim back") {
  for (const Adapter& adapter : adapters()) {
    CAPTURE(adapter.name);
    const auto under_test = adapter.make();
    const TopicPartition where = make_topic(under_test->log(), 2);
    commit_many(under_test->log(), where, 30);
    commit_many(under_test->log(), {where.topic, 1}, 3);
    const auto all = read_all(under_test->log(), where);
    const auto other = read_all(under_test->log(), {where.topic, 1});
    under_test->log().report("fold", where, all[10].position);
    under_test->log().report("bill", where, all[20].position);
    under_test->log().report("bill", where, all[5].position);  // never back
    const auto trim = [&](Position before) { return under_test->log().trim(where, before); };
    CHECK(trim(all[11].position).error().code == ErrorCode::conflict);
    CHECK(trim(all[10].position).ok());
    CHECK(trim(all[3].position).ok());
    const Position beyond{under_test->log().marks(where)->high.value + 1};
    under_test->log().report("fold", where, {beyond.value + 100});
    CHECK(trim(all[21].position).error().code == ErrorCode::conflict);
    under_test->log().report("bill", where, {beyond.value + 100});
    CHECK(trim(beyond).error().code == ErrorCode::invalid_argument);
    for (int life = 0; life < 2; ++life) {
      EventLog& log = under_test->log();
      CHECK(log.marks(where)->low == all[10].position);
      CHECK(poll_error(log, where, all[9].position) == ErrorCode::not_found);
      auto rest = read_all(log, where);
      rest.resize(20);
      CHECK(same(rest, {all.begin() + 10, all.begin() + 30}));
      auto untouched = read_all(log, {where.topic, 1});
      untouched.resize(other.size());
      CHECK(same(untouched, other));
      under_test->reopen();
    }
  }
}

TEST_CASE("what was reported can be read back, by group") {
  for (const Adapter& adapter : adapters()) {
    CAPTURE(adapter.name);
    const auto under_test = adapter.make();
    EventLog& log = under_test->log();
    const TopicPartition where = make_topic(log, 2);
    const Position tail = commit(log, where, record_of("one")).position.next();
    log.report("one", where, {0});
    log.report("one", where, tail);
    log.report("two", {where.topic, 1}, {0});
    // A log may take reports in its own time.
    const SystemClock clock;
    const std::int64_t end_us = clock.monotonic_us() + kPatience.count * 1000;
    ReportedPositions known;
    do {
      const auto reported = log.reported();
      REQUIRE(reported.ok());
      known = *reported;
      std::this_thread::yield();
    } while ((known["one"][where] != tail || known["two"].empty()) &&
             clock.monotonic_us() < end_us);
    CHECK(known["one"] == std::map<TopicPartition, Position>{{where, tail}});
    CHECK(known["two"] == std::map<TopicPartition, Position>{{{where.topic, 1}, {0}}});
  }
}

TEST_CASE("G10, G12: a log trimmed to its end goes on where it was") {
  for (const Adapter& adapter : adapters()) {
    CAPTURE(adapter.name);
    const auto under_test = adapter.make();
    const TopicPartition where = make_topic(under_test->log());
    const auto outcomes = commit_many(under_test->log(), where, 5);
    const Position tail = under_test->log().marks(where)->high;
    REQUIRE(under_test->log().trim(where, tail).ok());
    under_test->reopen();
    CHECK(under_test->log().marks(where)->low == tail);
    const AppendOutcome next = commit(under_test->log(), where, record_of("next"));
    CHECK(next.position >= tail);
    CHECK(next.stamp >= outcomes.back().stamp);
    CHECK(read_from(under_test->log(), where, next.position)[0].record == record_of("next"));
  }
}

TEST_CASE("G10: a reader beyond the tail is told so") {
  for (const Adapter& adapter : adapters()) {
    CAPTURE(adapter.name);
    const auto under_test = adapter.make();
    EventLog& log = under_test->log();
    const TopicPartition where = make_topic(log);
    commit_many(log, where, 3);
    const Position beyond{log.marks(where)->high.value + 50};
    CHECK(poll_error(log, where, beyond) == ErrorCode::conflict);
    CHECK(poll_error(log, {where.topic, 7}, {0}) == ErrorCode::not_found);
    CHECK(log.marks({"no-such-topic", 0}).error().code == ErrorCode::not_found);
  }
}

TEST_CASE("a reader of a closed log gets an error") {
  for (const Adapter& adapter : adapters()) {
    CAPTURE(adapter.name);
    const auto under_test = adapter.make();
    const TopicPartition where = make_topic(under_test->log());
    commit_many(under_test->log(), where, 3);
    auto reader = under_test->log().open_reader(where, {0});
    REQUIRE(reader.ok());
    under_test->log().close(seconds(20));
    CHECK((*reader)->poll(1000).error().code == ErrorCode::cancelled);
  }
}

TEST_CASE("subscribers are woken for new records until they leave") {
  for (const Adapter& adapter : adapters()) {
    CAPTURE(adapter.name);
    const auto under_test = adapter.make();
    EventLog& log = under_test->log();
    const TopicPartition where = make_topic(log, 2);
    std::mutex mutex;
    std::condition_variable changed;
    int wakes = 0;
    auto handle = log.subscribe(where, [&] {
      const std::lock_guard lock(mutex);
      ++wakes;
      changed.notify_all();
    });
    REQUIRE(handle);
    for (int n = 0; n < 5; ++n) {
      // As consumers do: read to the end, and look again only when woken.
      auto reader = log.open_reader(where, log.marks(where)->high);
      REQUIRE(reader.ok());
      REQUIRE((*reader)->poll(1000).ok());
      std::thread appender([&] { commit(log, where, record_of(std::to_string(n))); });
      bool woken = true;
      for (bool found = false; woken && !found;) {
        std::unique_lock lock(mutex);
        woken = changed.wait_for(lock, std::chrono::milliseconds(kPatience.count),
                                 [&] { return wakes > 0; });
        wakes = 0;
        lock.unlock();
        const auto batch = (*reader)->poll(1000);
        found = batch.ok() && !batch->records.empty();
      }
      appender.join();
      REQUIRE(woken);
    }
    handle.reset();
    wakes = 0;
    // The second answer comes after whatever wakes the first record caused.
    commit_many(log, where, 2);
    CHECK(wakes == 0);
  }
}
