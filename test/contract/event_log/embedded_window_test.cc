// SPDX-License-Identifier: Apache-2.0
// The window in which lost acknowledgements cannot be told: how wide it is, that nothing is silent
// outside of it, and that marking every commit closes it.
#include <algorithm>
#include <thread>

#include "damage.h"
#include "log_contract.h"

using namespace sandtrail;
using namespace sandtrail::contract;

namespace {

constexpr std::uint64_t kSmallWal = 64 * 1024;
constexpr std::uint64_t kFullWal = 6u << 20;  // just below what is flushed

std::uint64_t cuts(std::uint64_t normally, std::uint64_t torture) {
  return is_torture() ? torture : normally;
}

// Cuts of the write-ahead log as a kill leaves it.
Tally cut(const OriginalOptions& options, std::uint64_t count, const std::string& what) {
  const Original original(options);
  const auto cases = truncations(original.killed.path, count);
  const Tally tally =
      run_cases(original.killed.path, cases, original.acknowledged, original.folded);
  MESSAGE(tally.line(what));
  CHECK(tally.all() == cases.size());
  return tally;
}

}  // namespace

TEST_CASE("a small write-ahead log, cut to every length: silent only behind mark and stores") {
  OriginalOptions options;
  options.wal_bytes = kSmallWal;
  const Tally tally = cut(options, cuts(150, kSmallWal * 2), "cuts of a 64 KiB write-ahead log");
  // Half of it stands before the head mark, and a quarter more before the store's position.
  CHECK(tally.refused > tally.all() / 4);
  CHECK(tally.store > tally.all() / 8);
  CHECK(tally.window < tally.all() / 2);
}

TEST_CASE("a full write-ahead log, cut to many lengths: silent only behind mark and stores") {
  OriginalOptions options;
  options.wal_bytes = kFullWal;
  options.value_bytes = 20'000;
  const Tally tally = cut(options, cuts(40, 10'000), "cuts of a 6 MiB write-ahead log");
  CHECK(tally.refused > tally.all() / 4);
  CHECK(tally.store > tally.all() / 8);
  CHECK(tally.window < tally.all() / 2);
}

TEST_CASE("with every commit marked no cut is silent") {
  OriginalOptions options;
  options.mark_every_commit = true;
  options.wal_bytes = kSmallWal;
  const Tally small = cut(options, cuts(150, kSmallWal * 2), "every commit marked, 64 KiB");
  CHECK(small.window == 0);
  CHECK(small.refused > small.all() * 9 / 10);
  options.wal_bytes = kFullWal;
  options.value_bytes = 20'000;
  const Tally full = cut(options, cuts(30, 10'000), "every commit marked, 6 MiB");
  CHECK(full.window == 0);
  CHECK(full.refused > full.all() * 9 / 10);
}

TEST_CASE("with every commit marked an answer comes after its mark") {
  const TemporaryDirectory directory;
  EmbeddedLogOptions options;
  options.mark_every_commit = true;
  const auto log = must_open(directory.path, options);
  REQUIRE(log->ensure_topic({"t", 2}).ok());
  for (int n = 0; n < 20; ++n) {
    const AppendOutcome outcome = commit(*log, {"t", n % 2}, record_of(std::to_string(n)));
    const auto head = read_head_mark(directory.path);
    REQUIRE(head.ok());
    CHECK(head->marks[static_cast<std::size_t>(n % 2)].tail == outcome.position.next());
  }
}

TEST_CASE("with every commit marked a mark that cannot be written stops the log, untold") {
  const TemporaryDirectory directory;
  EmbeddedLogOptions options;
  options.mark_every_commit = true;
  {
    const auto log = must_open(directory.path, options);
    REQUIRE(log->ensure_topic({"t", 1}).ok());
    commit(*log, {"t", 0}, record_of("before"));
    // Where the mark would be written beside itself.
    std::filesystem::remove(directory.path + "/head");
    std::filesystem::create_directory(directory.path + "/head");
    History history;
    history.append(*log, {"t", 0}, record_of("untold"));
    REQUIRE(history.wait());
    CHECK(history.sent()[0].outcome.kind == AppendOutcome::Kind::unknown);
    CHECK(log->marks({"t", 0})->high.value == 1);
    CHECK(log->health().level == LogHealth::Level::fatal);
  }
  std::filesystem::remove(directory.path + "/head");
  CHECK(try_open(directory.path).error().message.find("head mark is missing") != std::string::npos);
}

TEST_CASE("the head mark of a busy log is as old as it may be, and no older") {
  const TemporaryDirectory directory;
  const auto log = must_open(directory.path);
  REQUIRE(log->ensure_topic({"t", 1}).ok());
  std::vector<std::int64_t> ages_ms;
  History history;
  const std::int64_t end_us = test_clock.monotonic_us() + (is_torture() ? 30'000'000 : 2'500'000);
  while (test_clock.monotonic_us() < end_us) {
    for (int i = 0; i < 16; ++i) history.append(*log, {"t", 0}, record_of("busy"));
    REQUIRE(history.wait());
    if (test_random.below(20) != 0) continue;
    const auto written = std::filesystem::last_write_time(directory.path + "/head");
    const auto age = std::filesystem::file_time_type::clock::now() - written;
    ages_ms.push_back(std::chrono::duration_cast<std::chrono::milliseconds>(age).count());
  }
  REQUIRE(!ages_ms.empty());
  std::sort(ages_ms.begin(), ages_ms.end());
  MESSAGE("age of the head mark at " << ages_ms.size() << " moments under load: median "
                                     << ages_ms[ages_ms.size() / 2] << " ms, oldest "
                                     << ages_ms.back() << " ms");
  // Generous: what it may be, and as long again for a slow disk.
  CHECK(ages_ms.back() < 10 * limits::kHeadMarkAgeMax.count);
}
