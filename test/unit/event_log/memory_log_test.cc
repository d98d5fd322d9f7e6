// SPDX-License-Identifier: Apache-2.0
// The twin's two modes, and that a seed decides everything.
#include "event_log/memory_log.h"

#include <doctest/doctest.h>

#include <map>

using namespace sandtrail;

namespace {

constexpr MemoryLogFaults kAllFaults{.unknown = 150,
                                     .refused = 100,
                                     .rejected = 50,
                                     .overloaded = 50,
                                     .duplicated = 100,
                                     .gaps = 100,
                                     .spurious_wakes = 200};

MemoryLogOptions stepped(std::uint64_t seed, MemoryLogFaults faults = {}) {
  MemoryLogOptions options;
  options.seed = seed;
  options.mode = MemoryLogOptions::Mode::stepped;
  options.faults = faults;
  return options;
}

// Everything that can be observed of a run, as text.
std::string trace_of(std::uint64_t seed) {
  ManualClock clock;
  MemoryLog log(stepped(seed, kAllFaults), clock);
  REQUIRE(log.ensure_topic({"t", 2}).ok());
  std::string trace = log.identity();
  const auto wake = log.subscribe({"t", 0}, [&] { trace += " wake"; });
  for (int n = 0; n < 200; ++n) {
    log.append({"t", n % 2}, {"", {}, std::to_string(n)}, [&, n](const AppendOutcome& outcome) {
      trace += " " + std::to_string(n) + ":" + std::to_string(static_cast<int>(outcome.kind)) +
               "@" + std::to_string(outcome.position.value);
    });
    if (n % 7 == 0) clock.advance({1});
    if (n % 3 == 0) log.step();
  }
  log.run();
  return trace;
}

std::vector<std::string> values_of(EventLog& log, const TopicPartition& where) {
  std::vector<std::string> values;
  auto reader = log.open_reader(where, log.marks(where)->low);
  REQUIRE(reader.ok());
  for (;;) {
    const auto batch = (*reader)->poll(100);
    REQUIRE(batch.ok());
    if (batch->records.empty()) return values;
    for (const StoredRecord& record : batch->records) values.push_back(record.record.value);
  }
}

}  // namespace

TEST_CASE("one seed gives one run, another seed another one") {
  CHECK(trace_of(1) == trace_of(1));
  CHECK(trace_of(7) == trace_of(7));
  CHECK(trace_of(1) != trace_of(7));
}

TEST_CASE("in immediate mode an append is committed and readable before it returns") {
  ManualClock clock;
  MemoryLog log({}, clock);
  REQUIRE(log.ensure_topic({"t", 1}).ok());
  int wakes = 0;
  const auto wake = log.subscribe({"t", 0}, [&] { ++wakes; });
  for (std::int64_t n = 0; n < 5; ++n) {
    bool answered = false;
    log.append({"t", 0}, {"", {}, "v"}, [&](const AppendOutcome& outcome) {
      CHECK(outcome.committed());
      CHECK(outcome.position.value == n);
      CHECK(outcome.stamp == clock.now());
      answered = true;
    });
    CHECK(answered);
    CHECK(wakes == n + 1);
    CHECK(log.marks({"t", 0})->high.value == n + 1);
  }
}

TEST_CASE("a long chain of appends from answers needs no stack") {
  ManualClock clock;
  MemoryLog log({}, clock);
  REQUIRE(log.ensure_topic({"t", 1}).ok());
  int left = 100'000;
  AppendDone again = [&](const AppendOutcome&) {
    if (--left > 0) log.append({"t", 0}, {}, again);
  };
  log.append({"t", 0}, {}, again);
  CHECK(left == 0);
}

TEST_CASE("in stepped mode nothing happens by itself") {
  ManualClock clock;
  MemoryLog log(stepped(1), clock);
  REQUIRE(log.ensure_topic({"t", 1}).ok());
  bool answered = false;
  log.append({"t", 0}, {"", {}, "v"}, [&](const AppendOutcome&) {
    answered = true;
    CHECK(!log.step());  // from a callback
  });
  CHECK(!answered);
  CHECK(log.step());  // written
  CHECK(!answered);
  CHECK(log.marks({"t", 0})->high.value == 0);
  log.run();
  CHECK(answered);
  CHECK(log.marks({"t", 0})->high.value == 1);
  CHECK(!log.step());
}

TEST_CASE("stamps never go back, whatever the clock does") {
  ManualClock clock;
  MemoryLog log({}, clock);
  REQUIRE(log.ensure_topic({"t", 1}).ok());
  UnixMs last;
  for (const std::int64_t jump : {0, 1000, -86'400'000, 5, 86'400'000, -1}) {
    clock.jump({jump});
    log.append({"t", 0}, {}, [&](const AppendOutcome& outcome) {
      CHECK(outcome.stamp >= last);
      last = outcome.stamp;
    });
  }
  REQUIRE(log.trim({"t", 0}, log.marks({"t", 0})->high).ok());
  log.append({"t", 0}, {}, [&](const AppendOutcome& outcome) { CHECK(outcome.stamp >= last); });
}

TEST_CASE("over many seeds every kind of outcome happens, and all of them are true") {
  std::map<std::string, int> happened;
  for (std::uint64_t seed = 0; seed < 60; ++seed) {
    ManualClock clock;
    MemoryLog log(stepped(seed, kAllFaults), clock);
    REQUIRE(log.ensure_topic({"t", 1}).ok());
    std::vector<AppendOutcome> outcomes(40);
    for (std::size_t n = 0; n < outcomes.size(); ++n) {
      log.append({"t", 0}, {"", {}, std::to_string(n)},
                 [&, n](const AppendOutcome& outcome) { outcomes[n] = outcome; });
    }
    log.run();
    std::map<std::string, int> copies;
    for (const std::string& value : values_of(log, {"t", 0})) ++copies[value];
    for (std::size_t n = 0; n < outcomes.size(); ++n) {
      const int count = copies[std::to_string(n)];
      switch (outcomes[n].kind) {
        case AppendOutcome::Kind::committed:
          CHECK((count == 1 || count == 2));
          ++happened["committed " + std::to_string(count)];
          break;
        case AppendOutcome::Kind::not_committed:
          CHECK(count == 0);
          ++happened[std::string(name_of(outcomes[n].error.code))];
          break;
        case AppendOutcome::Kind::unknown:
          CHECK(count <= 2);
          ++happened["unknown " + std::to_string(count)];
          break;
      }
    }
  }
  for (const char* kind : {"committed 1", "committed 2", "unknown 0", "unknown 1", "unknown 2",
                           "unavailable", "internal", "overloaded"}) {
    CAPTURE(kind);
    CHECK(happened[kind] > 0);
  }
}
