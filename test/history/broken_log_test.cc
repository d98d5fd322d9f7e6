// SPDX-License-Identifier: Apache-2.0
// The checker against logs of which it is known what they do: the twin with all that a real log may
// do, and one log for each breach.
#include <doctest/doctest.h>

#include <cstdlib>
#include <filesystem>

#include "broken_log.h"
#include "checker.h"
#include "clients.h"

using namespace sandtrail;
using namespace sandtrail::history;

namespace {

constexpr std::int32_t kPartitions = 2;
constexpr int kRounds = 120;

struct Directory {
  std::string path;
  Directory() {
    char name[] = "/tmp/sandtrail-history-XXXXXX";
    path = ::mkdtemp(name);
  }
  ~Directory() { std::filesystem::remove_all(path); }
  Directory(const Directory&) = delete;
  Directory& operator=(const Directory&) = delete;
};

// Two appenders, two readers of each partition, and who asks for marks, in turns; then readers that
// read all.
struct Workload {
  explicit Workload(EventLog& log_in) : log(log_in) {
    auto made = HistoryWriter::create(directory.path, "a");
    REQUIRE(made.ok());
    writer = std::move(*made);
    REQUIRE(log.ensure_topic({kTopic, kPartitions}).ok());
  }
  void run(const std::function<void(int)>& each_round) {
    const ClientParts parts{log, *writer, clock};
    Appender first(parts, 0, kPartitions, 100);
    Appender second(parts, 1, kPartitions, 100);
    std::vector<std::unique_ptr<PartitionReader>> readers;
    for (int i = 0; i < 2 * kPartitions; ++i) {
      readers.push_back(std::make_unique<PartitionReader>(parts, "r" + std::to_string(i),
                                                          i % kPartitions, PartitionReader::kAll));
    }
    for (int round = 0; round < kRounds; ++round) {
      for (Appender* appender : {&first, &first, &first, &second}) {
        clock.advance({1});
        REQUIRE(appender->append_one(seconds(1)));
      }
      for (const auto& reader : readers) {
        clock.advance({1});
        if (round % 3 == 0) reader->poll_once();
        if (round % 10 == 0) reader->go_back(random);
      }
      clock.advance({1});
      ask_marks(parts, "m", round % kPartitions);
      each_round(round);
    }
    for (std::int32_t partition = 0; partition < kPartitions; ++partition) {
      PartitionReader last(parts, "last", partition, PartitionReader::kAll);
      // A log that hides something never comes to its end.
      last.read_to_end({1});
    }
  }
  Report report() {
    const auto history = read_history(directory.path);
    REQUIRE(history.ok());
    return check(*history);
  }

  const Directory directory;
  EventLog& log;
  // Its time passes by itself as well, so that no client waits for ever.
  struct Ticking final : Clock {
    UnixMs now() const override { return {monotonic_us() / 1000}; }
    std::int64_t monotonic_us() const override { return us += 10; }
    void advance(Millis span) { us += span.count * 1000; }
    mutable std::int64_t us = 0;
  } clock;
  SeededRandom random{11};
  std::unique_ptr<HistoryWriter> writer;
};

std::string names_of(const Report& report) {
  std::string out;
  for (const auto& [name, found] : report.anomalies) out += name + " ";
  return out;
}

}  // namespace

TEST_CASE("what a real log may do is no anomaly") {
  for (std::uint64_t seed = 1; seed <= 10; ++seed) {
    CAPTURE(seed);
    const ManualClock clock;
    MemoryLogOptions options;
    options.seed = seed;
    options.faults = {60, 50, 30, 20, 0, 80, 20};
    MemoryLog twin(options, clock);
    BrokenLog log(twin, Breach::none);
    Workload workload(log);
    workload.run([](int) {});
    const Report report = workload.report();
    CAPTURE(table_of(report));
    CHECK(report.clean());
    CHECK(report.appends == 4 * kRounds);
    CHECK(report.committed > kRounds);
    CHECK(report.not_committed > 0);
    CHECK(report.unknown_there > 0);
    CHECK(report.unknown > report.unknown_there + report.unknown_repeated);
  }
}

TEST_CASE("each breach is found and named") {
  struct Row {
    Breach breach;
    const char* anomaly;
  };
  const Row rows[] = {
      {Breach::acknowledges_before_it_is_durable, "lost-write"},
      {Breach::drops_one, "lost-write"},
      {Breach::stores_twice, "duplicate"},
      {Breach::tells_another_position, "inconsistent-offsets"},
      {Breach::gives_one_position_twice, "inconsistent-offsets"},
      {Breach::skips_in_poll, "poll-skip"},
      {Breach::polls_again, "nonmonotonic-poll"},
      {Breach::swaps_two_in_poll, "nonmonotonic-poll"},
      {Breach::never_shows_the_newest, "unseen"},
      {Breach::stores_in_another_order, "reordered"},
      {Breach::stores_what_it_refused, "phantom"},
      {Breach::shows_a_part, "phantom"},
      {Breach::tells_an_old_mark, "stale-marks"},
  };
  for (const Row& row : rows) {
    CAPTURE(row.anomaly);
    CAPTURE(static_cast<int>(row.breach));
    const ManualClock clock;
    MemoryLog twin({}, clock);
    BrokenLog log(twin, row.breach);
    Workload workload(log);
    workload.run([&](int round) {
      if (round % 13 == 12) log.crash();
    });
    const Report report = workload.report();
    CAPTURE(names_of(report));
    CHECK(report.anomalies.contains(row.anomaly));
  }
}

TEST_CASE("a log that was trimmed, shortened or damaged refuses its readers, and that is named") {
  for (const int harm : {0, 1, 2}) {
    CAPTURE(harm);
    const ManualClock clock;
    MemoryLog twin({}, clock);
    BrokenLog log(twin, Breach::none);
    Workload workload(log);
    const TopicPartition where{kTopic, 0};
    workload.run([&](int round) {
      if (round != kRounds / 2) return;
      if (harm == 0) twin.trim_unasked(where, {twin.marks(where)->high});
      if (harm == 1) twin.shorten(where, {10});
      if (harm == 2) twin.damage(where, {10});
    });
    const Report report = workload.report();
    CAPTURE(names_of(report));
    // One that was shortened has grown again before anybody read beyond its end.
    CHECK(report.anomalies.contains(harm == 1 ? "inconsistent-offsets" : "refused-read"));
  }
}
