// SPDX-License-Identifier: Apache-2.0
// Appending: G2 to G5, G11, and what becomes of appends at close.
#include <thread>

#include "base/limits.h"
#include "log_contract.h"

using namespace sandtrail;
using namespace sandtrail::contract;

TEST_CASE("topics can be ensured again, but not with another partition count") {
  for (const Adapter& adapter : adapters()) {
    CAPTURE(adapter.name);
    const auto under_test = adapter.make();
    EventLog& log = under_test->log();
    const std::string topic = fresh_topic();
    CHECK(log.partitions(topic) == 0);
    CHECK(log.ensure_topic({topic, 3}).ok());
    CHECK(log.ensure_topic({topic, 3}).ok());
    CHECK(log.partitions(topic) == 3);
    CHECK(log.ensure_topic({topic, 4}).error().code == ErrorCode::conflict);
    under_test->reopen();
    CHECK(under_test->log().partitions(topic) == 3);
    CHECK(under_test->log().ensure_topic({topic, 2}).error().code == ErrorCode::conflict);
    for (const TopicSpec& bad : {TopicSpec{"", 1}, TopicSpec{"Ünicode", 1}, TopicSpec{"a/b", 1},
                                 TopicSpec{"fine", 0}, TopicSpec{"fine", 100'000}}) {
      CHECK(under_test->log().ensure_topic(bad).error().code == ErrorCode::invalid_argument);
    }
  }
}

TEST_CASE("unsound appends are NotCommitted and leave nothing behind") {
  for (const Adapter& adapter : adapters()) {
    CAPTURE(adapter.name);
    const auto under_test = adapter.make();
    EventLog& log = under_test->log();
    const TopicPartition where = make_topic(log);
    Record many_headers;
    many_headers.headers.resize(limits::kRecordHeadersMax + 1);
    const Record too_large{"", {{"h", "12345"}}, Bytes(limits::kRecordBytesMax - 5, 'x')};
    struct Row {
      TopicPartition where;
      Record record;
      ErrorCode code;
    };
    const std::vector<Row> rows{
        {where, too_large, ErrorCode::invalid_argument},
        {where, many_headers, ErrorCode::invalid_argument},
        {{where.topic, 1}, record_of("x"), ErrorCode::not_found},
        {{where.topic, -1}, record_of("x"), ErrorCode::not_found},
        {{"no-such-topic", 0}, record_of("x"), ErrorCode::not_found},
    };
    for (const Row& row : rows) {
      History history;
      history.append(log, row.where, row.record);
      REQUIRE(history.wait());
      const AppendOutcome outcome = history.sent()[0].outcome;
      CHECK(outcome.kind == AppendOutcome::Kind::not_committed);
      CHECK(outcome.error.code == row.code);
    }
    CHECK(read_all(log, where).empty());
  }
}

TEST_CASE("G3: records of every size are stored whole or not at all") {
  for (const Adapter& adapter : adapters()) {
    CAPTURE(adapter.name);
    const auto under_test = adapter.make();
    EventLog& log = under_test->log();
    const TopicPartition where = make_topic(log);
    Record full_headers{"k", {}, "v"};
    for (std::size_t i = 0; i < limits::kRecordHeadersMax; ++i) {
      full_headers.headers.push_back({i % 2 == 0 ? "same" : "", Bytes(i, '\0')});
    }
    std::vector<Record> records{{}, {"", {}, "v"}, {"key only", {}, ""}, full_headers};
    for (const std::size_t size : {1u, 255u, 4096u, 70'000u, 200'000u}) {
      records.push_back({"k", {{"size", std::to_string(size)}}, Bytes(size, '\xff')});
    }
    records.push_back({"k", {{"h", "12345"}}, Bytes(limits::kRecordBytesMax - 7, 'x')});
    for (const Record& record : records) {
      const AppendOutcome outcome = commit(log, where, record);
      const auto stored = read_from(log, where, outcome.position);
      REQUIRE(!stored.empty());
      CHECK(stored[0].position == outcome.position);
      CHECK(stored[0].stamp == outcome.stamp);
      CHECK((stored[0].record == record));
    }
  }
}

TEST_CASE("G2: each appender's records keep their order") {
  constexpr int kAppenders = 4;
  constexpr int kEach = 100;
  for (const Adapter& adapter : adapters()) {
    CAPTURE(adapter.name);
    const auto under_test = adapter.make();
    EventLog& log = under_test->log();
    const TopicPartition where = make_topic(log);
    std::vector<History> histories(kAppenders);
    std::vector<std::thread> threads;
    for (int i = 0; i < kAppenders; ++i) {
      threads.emplace_back([&, i] {
        for (int n = 0; n < kEach; ++n) {
          histories[static_cast<std::size_t>(i)].append(
              log, where, record_of(std::to_string(i) + ":" + std::to_string(n)));
        }
      });
    }
    for (std::thread& thread : threads) thread.join();
    for (History& history : histories) REQUIRE(history.wait());
    for (const History& history : histories) check_truthful(log, where, history.sent());
  }
}

TEST_CASE("G4, G5: every outcome is the truth, and stays it after a reopen") {
  constexpr int kRecords = 400;
  constexpr std::int32_t kPartitions = 3;
  for (const Adapter& adapter : adapters()) {
    CAPTURE(adapter.name);
    History history;
    const auto under_test = adapter.make();
    const TopicPartition first = make_topic(under_test->log(), kPartitions);
    for (int n = 0; n < kRecords; ++n) {
      history.append(under_test->log(), {first.topic, n % kPartitions},
                     record_of(std::to_string(n) + std::string(static_cast<std::size_t>(n), '.')));
    }
    REQUIRE(history.wait());
    for (std::int32_t i = 0; i < kPartitions; ++i) {
      check_truthful(under_test->log(), {first.topic, i}, history.sent());
    }
    const auto sent = history.sent();
    for (const History::Sent& one : sent) {
      INFO(one.outcome.error.text());
      CHECK((adapter.hostile || one.outcome.committed()));
    }
    under_test->reopen();
    for (std::int32_t i = 0; i < kPartitions; ++i) {
      check_truthful(under_test->log(), {first.topic, i}, sent);
    }
  }
}

TEST_CASE("G11: under a stalled log appends are refused at once, and none is forgotten") {
  for (const Adapter& adapter : adapters()) {
    CAPTURE(adapter.name);
    History history;
    const auto under_test = adapter.make();
    EventLog& log = under_test->log();
    const TopicPartition where = make_topic(log);
    if (!under_test->stall(true)) continue;
    const std::size_t enough = limits::kAppendQueueRecordsMax + 1000;
    for (std::size_t i = 0; i < enough; ++i) history.append(log, where, {"", {}, "v"});
    std::size_t refused = 0;
    std::size_t waiting = 0;
    for (const History::Sent& one : history.sent()) {
      waiting += one.answers == 0 ? 1 : 0;
      if (one.answers > 0 && one.outcome.error.code == ErrorCode::overloaded) {
        CHECK(one.outcome.kind == AppendOutcome::Kind::not_committed);
        ++refused;
      }
    }
    CHECK(waiting <= limits::kAppendQueueRecordsMax);
    CHECK(refused >= 1000);
    under_test->stall(false);
    REQUIRE(history.wait());
    CHECK(commit(log, where, record_of("after")).committed());
  }
}

TEST_CASE("close answers everything once, truthfully, and refuses what comes later") {
  constexpr int kRecords = 500;
  for (const Adapter& adapter : adapters()) {
    CAPTURE(adapter.name);
    History history;
    const auto under_test = adapter.make();
    const TopicPartition where = make_topic(under_test->log());
    for (int n = 0; n < kRecords; ++n) {
      history.append(under_test->log(), where, record_of(std::to_string(n)));
    }
    under_test->log().close(seconds(20));
    CHECK(history.answered() == kRecords);
    const auto sent = history.sent();
    History late;
    late.append(under_test->log(), where, record_of("late"));
    REQUIRE(late.wait());
    CHECK(late.sent()[0].outcome.kind == AppendOutcome::Kind::not_committed);
    CHECK(late.sent()[0].outcome.error.code == ErrorCode::cancelled);
    under_test->log().close(seconds(20));
    under_test->reopen();
    check_truthful(under_test->log(), where, sent);
  }
}

TEST_CASE("G11, G12: closing a stalled log in time reports what is left as Unknown") {
  constexpr std::size_t kRecords = 50;
  for (const Adapter& adapter : adapters()) {
    CAPTURE(adapter.name);
    History history;
    const auto under_test = adapter.make();
    const TopicPartition where = make_topic(under_test->log());
    commit(under_test->log(), where, record_of("before"));
    if (!under_test->stall(true)) continue;
    for (std::size_t n = 0; n < kRecords; ++n) {
      history.append(under_test->log(), where, record_of(std::to_string(n)));
    }
    under_test->log().close({50});
    CHECK(history.answered() == kRecords);
    const auto sent = history.sent();
    for (const History::Sent& one : sent) CHECK(!one.outcome.committed());
    under_test->stall(false);
    under_test->reopen();
    check_truthful(under_test->log(), where, sent);
  }
}

TEST_CASE("an answer may append again") {
  for (const Adapter& adapter : adapters()) {
    CAPTURE(adapter.name);
    History history;
    const auto under_test = adapter.make();
    EventLog& log = under_test->log();
    const TopicPartition where = make_topic(log);
    const auto chained = std::make_shared<History>();
    log.append(where, record_of("first"), [&log, where, chained](const AppendOutcome&) {
      chained->append(log, where, record_of("second"));
    });
    // Its answer comes after that of "first" was given.
    history.append(log, where, record_of("third"));
    REQUIRE(history.wait());
    under_test->log().close(seconds(20));
    REQUIRE(chained->sent().size() == 1);
    CHECK(chained->sent()[0].answers == 1);
  }
}
