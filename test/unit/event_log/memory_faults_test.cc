// SPDX-License-Identifier: Apache-2.0
// What the twin does on demand.
#include <doctest/doctest.h>

#include "event_log/memory_log.h"

using namespace sandtrail;

namespace {

const TopicPartition kWhere{"t", 0};

struct Fixture {
  ManualClock clock;
  MemoryLog log;
  explicit Fixture(std::uint64_t seed,
                   MemoryLogOptions::Mode mode = MemoryLogOptions::Mode::immediate,
                   std::size_t queue_records_max = 100)
      : log(
            [&] {
              MemoryLogOptions options;
              options.seed = seed;
              options.mode = mode;
              options.queue_records_max = queue_records_max;
              return options;
            }(),
            clock) {
    REQUIRE(log.ensure_topic({"t", 2}).ok());
  }
};

AppendOutcome append(EventLog& log, const std::string& value) {
  AppendOutcome got;
  log.append(kWhere, {"", {}, value}, [&](const AppendOutcome& outcome) { got = outcome; });
  return got;
}

ErrorCode poll_error(EventLog& log, Position from) {
  auto reader = log.open_reader(kWhere, from);
  REQUIRE(reader.ok());
  const auto batch = (*reader)->poll(1000);
  REQUIRE(!batch.ok());
  return batch.error().code;
}

class Listener final : public OwnershipListener {
 public:
  explicit Listener(std::string& trace, std::string name) : trace_(trace), name_(name) {}
  void on_assigned(const TopicPartition& where) override { note("+", where); }
  void on_revoked(const TopicPartition& where) override { note("-", where); }
  void on_lost(const TopicPartition& where) override { note("!", where); }

 private:
  void note(const char* what, const TopicPartition& where) {
    trace_ += name_ + what + std::to_string(where.partition) + " ";
  }
  std::string& trace_;
  const std::string name_;
};

}  // namespace

TEST_CASE("a crash loses unsynced records of every number, and never an acknowledged one") {
  bool some_lost = false;
  bool some_unacknowledged_kept = false;
  for (std::uint64_t seed = 0; seed < 50; ++seed) {
    Fixture fixture(seed, MemoryLogOptions::Mode::stepped);
    std::int64_t acknowledged = 0;
    for (int n = 0; n < 20; ++n) {
      fixture.log.append(kWhere, {"", {}, std::to_string(n)}, [&](const AppendOutcome& outcome) {
        acknowledged = std::max(acknowledged, outcome.position.value + 1);
      });
    }
    for (std::uint64_t step = 0; step < seed; ++step) fixture.log.step();
    fixture.log.crash();
    CHECK(!fixture.log.step());
    CHECK(fixture.log.marks(kWhere).error().code == ErrorCode::cancelled);
    const auto restarted = fixture.log.connect();
    const std::int64_t high = restarted->marks(kWhere)->high.value;
    CHECK(high >= acknowledged);
    CHECK(high <= 20);
    some_unacknowledged_kept = some_unacknowledged_kept || high > acknowledged;
    some_lost = some_lost || high < 20;
    bool committed = false;
    restarted->append(kWhere, {"", {}, "after"},
                      [&](const AppendOutcome& outcome) { committed = outcome.committed(); });
    restarted->run();
    CHECK(committed);
  }
  CHECK(some_lost);
  CHECK(some_unacknowledged_kept);
}

TEST_CASE("a killed process leaves a prefix of what it had queued, and others go on") {
  bool all = false;
  bool none = false;
  for (std::uint64_t seed = 0; seed < 50; ++seed) {
    Fixture fixture(seed, MemoryLogOptions::Mode::stepped);
    const auto other = fixture.log.connect();
    int answers = 0;
    for (int n = 0; n < 3; ++n) {
      fixture.log.append(kWhere, {"", {}, std::to_string(n)},
                         [&](const AppendOutcome&) { ++answers; });
    }
    bool committed = false;
    other->append(kWhere, {"", {}, "other"},
                  [&](const AppendOutcome& outcome) { committed = outcome.committed(); });
    fixture.log.kill();
    other->run();
    CHECK(answers == 0);
    CHECK(committed);
    const auto batch = (*other->open_reader(kWhere, {0}))->poll(1000);
    REQUIRE(batch.ok());
    for (std::size_t i = 0; i + 1 < batch->records.size(); ++i) {
      CHECK(batch->records[i].record.value == std::to_string(i));
    }
    CHECK(batch->records.back().record.value == "other");
    all = all || batch->records.size() == 4;
    none = none || batch->records.size() == 1;
  }
  CHECK(all);
  CHECK(none);
}

TEST_CASE("a stalled log fills its queue, refuses, and catches up") {
  Fixture fixture(1, MemoryLogOptions::Mode::immediate, 10);
  fixture.log.stall(true);
  int committed = 0;
  int overloaded = 0;
  for (int n = 0; n < 15; ++n) {
    fixture.log.append(kWhere, {}, [&](const AppendOutcome& outcome) {
      committed += outcome.committed() ? 1 : 0;
      overloaded += outcome.error.code == ErrorCode::overloaded ? 1 : 0;
    });
  }
  CHECK(committed == 0);
  CHECK(overloaded == 5);
  fixture.log.stall(false);
  CHECK(committed == 10);
  CHECK(append(fixture.log, "after").committed());
}

TEST_CASE("health follows a full disk and a write error") {
  Fixture fixture(1);
  fixture.log.degrade(true);
  CHECK(fixture.log.health().level == LogHealth::Level::degraded);
  CHECK(append(fixture.log, "full").error.code == ErrorCode::disk_full);
  fixture.log.degrade(false);
  CHECK(append(fixture.log, "space").committed());
  fixture.log.stall(true);
  AppendOutcome queued;
  queued.kind = AppendOutcome::Kind::committed;
  fixture.log.append(kWhere, {}, [&](const AppendOutcome& outcome) { queued = outcome; });
  fixture.log.fail("no disk");
  fixture.log.stall(false);
  CHECK(queued.kind == AppendOutcome::Kind::unknown);
  CHECK(fixture.log.health().level == LogHealth::Level::fatal);
  CHECK(append(fixture.log, "late").kind == AppendOutcome::Kind::not_committed);
  const auto restarted = fixture.log.connect();
  CHECK(restarted->health().level == LogHealth::Level::ok);
  CHECK(append(*restarted, "restarted").committed());
}

TEST_CASE("health says since when it is what it is") {
  ManualClock clock;
  MemoryLog log({}, clock);
  log.degrade(true);
  const UnixMs began = clock.now();
  clock.advance(seconds(7));
  CHECK(log.health().since == began);
  CHECK(log.health().code == ErrorCode::disk_full);
  log.degrade(false);
  CHECK(log.health().since == UnixMs{});
  CHECK(log.health().level == LogHealth::Level::ok);
}

TEST_CASE("a connection that is cut is refused everything, and its appends wait") {
  Fixture fixture(1);
  const auto other = fixture.log.connect();
  REQUIRE(append(fixture.log, "before").committed());
  auto reader = fixture.log.open_reader(kWhere, {0}).value();
  fixture.log.cut(true);
  CHECK(fixture.log.health().level == LogHealth::Level::degraded);
  CHECK(fixture.log.health().code == ErrorCode::unavailable);
  for (const Error& error :
       {fixture.log.marks(kWhere).error(), reader->poll(1).error(),
        fixture.log.ensure_topic({"more", 1}).error(), fixture.log.reported().error(),
        fixture.log.open_reader(kWhere, {0}).error()}) {
    CHECK(error.code == ErrorCode::unavailable);
    CHECK(error.retryable());
  }
  int answers = 0;
  fixture.log.append(kWhere, {"", {}, "waits"}, [&](const AppendOutcome& outcome) {
    CHECK(outcome.committed());
    ++answers;
  });
  CHECK(answers == 0);
  // Others go on.
  CHECK(other->health().level == LogHealth::Level::ok);
  CHECK(append(*other, "meanwhile").committed());
  int wakes = 0;
  const auto subscription = fixture.log.subscribe(kWhere, [&] { ++wakes; });
  fixture.log.cut(false);
  CHECK(answers == 1);
  CHECK(wakes > 0);
  const auto batch = reader->poll(1 << 20);
  REQUIRE(batch.ok());
  REQUIRE(batch->records.size() == 3);
  CHECK(batch->records[1].record.value == "meanwhile");
  CHECK(batch->records[2].record.value == "waits");
}

TEST_CASE("trimmed, shortened, damaged and replaced logs are reported") {
  Fixture fixture(1);
  for (int n = 0; n < 10; ++n) append(fixture.log, std::to_string(n));
  fixture.log.trim_unasked(kWhere, {4});
  CHECK(poll_error(fixture.log, {3}) == ErrorCode::not_found);
  fixture.log.damage(kWhere, {6});
  CHECK(poll_error(fixture.log, {6}) == ErrorCode::corrupt);
  auto reader = *fixture.log.open_reader(kWhere, {4});
  CHECK(reader->poll(1000)->next.value == 6);
  CHECK(reader->poll(1000).error().code == ErrorCode::corrupt);
  CHECK(reader->poll(1000).error().code == ErrorCode::corrupt);
  fixture.log.shorten(kWhere, {8});
  CHECK(poll_error(fixture.log, {9}) == ErrorCode::conflict);
  CHECK(append(fixture.log, "again").position.value == 8);
  const std::string identity = fixture.log.identity();
  fixture.log.replace();
  CHECK(fixture.log.identity() != identity);
  CHECK(fixture.log.marks(kWhere)->high.value == 0);
  CHECK(poll_error(fixture.log, {8}) == ErrorCode::conflict);
}

TEST_CASE("ownership is assigned, revoked, lost and handed over on demand") {
  Fixture fixture(1);
  std::string trace;
  const auto took = [&trace] { return std::exchange(trace, ""); };
  Listener a(trace, "a");
  Listener b(trace, "b");
  const auto other = fixture.log.connect();
  auto first = fixture.log.own("g", {"t"}, a);
  REQUIRE(first.ok());
  CHECK(took() == "a+0 a+1 ");
  fixture.log.revoke("g", {"t", 1});
  CHECK(took() == "a-1 ");  // nobody else is there
  fixture.log.assign("g", {"t", 1});
  CHECK(took() == "a+1 ");
  auto second = other->own("g", {"t"}, b);
  REQUIRE(second.ok());
  CHECK(took().empty());
  fixture.log.revoke("g", {"t", 1});
  CHECK(took() == "a-1 b+1 ");
  fixture.log.lose("g", {"t", 0});
  CHECK(took() == "a!0 b+0 ");
  fixture.log.revoke("nobody", {"t", 0});
  fixture.log.assign("g", {"t", 0});
  CHECK(took().empty());
  other->kill();
  CHECK(took() == "a+0 a+1 ");
  first->reset();
  CHECK(took().empty());
}

TEST_CASE("a lost partition may be acted on by its new owner before the old one hears of it") {
  bool zombie = false;
  for (std::uint64_t seed = 0; seed < 20 && !zombie; ++seed) {
    Fixture fixture(seed, MemoryLogOptions::Mode::stepped);
    std::string trace;
    Listener a(trace, "a");
    Listener b(trace, "b");
    const auto first = fixture.log.own("g", {"t"}, a);
    fixture.log.run();
    const auto other = fixture.log.connect();
    const auto second = other->own("g", {"t"}, b);
    trace.clear();
    fixture.log.lose("g", {"t", 0});
    fixture.log.run();
    zombie = trace == "b+0 a!0 ";
  }
  CHECK(zombie);
}

TEST_CASE("a handle that is destroyed within its own call neither hangs nor calls again") {
  Fixture fixture(1);
  int wakes = 0;
  std::shared_ptr<void> handle;
  handle = fixture.log.subscribe(kWhere, [&] {
    ++wakes;
    handle.reset();
  });
  append(fixture.log, "one");
  append(fixture.log, "two");
  CHECK(wakes == 1);
}
