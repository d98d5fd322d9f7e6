// SPDX-License-Identifier: Apache-2.0
// G1 where kill -9 cannot look: the machine loses power at any call that changes the disk, and of
// each file only what was synced is left, or torn pieces of the rest. And a disk that fails at any
// call, or at every n-th.
#include "embedded_support.h"
#include "fault_env.h"
#include "log_contract.h"
#include "log_embedded/embedded_log_on_env.h"

using namespace sandtrail;
using namespace sandtrail::contract;
namespace fs = std::filesystem;
using Rest = UnsyncedDisk::Rest;
using Fault = FaultEnv::Fault;

namespace {

constexpr int kPartitions = 2;
constexpr int kLives = 5;  // each open flushes what the one before left: the fifth compacts
constexpr int kBigLife = 2;
constexpr int kBigRecords = 44;  // more than a write buffer
constexpr std::size_t kBigBytes = 200'000;

// What was asked of a log, and what it answered.
struct Asked {
  History history;
  // Of partition 1: what may have been trimmed, and what was for sure.
  struct Trims {
    std::int64_t below = 0;
    std::int64_t surely = 0;
  } trims;
  int number = 0;

  // False once the log takes no more.
  bool append(EventLog& log, int records, std::size_t bytes) {
    for (int i = 0; i < records; ++i, ++number) {
      const Bytes value = std::to_string(number) + ":" + test_random.bytes(bytes);
      history.append(log, {"t", number % kPartitions}, record_of(value));
      if (i % 4 == 3) REQUIRE(history.wait());
    }
    REQUIRE(history.wait());
    return log.health().level != LogHealth::Level::fatal;
  }
  bool trim(EventLog& log) {
    const std::int64_t before = log.marks({"t", 1})->high.value - 3;
    if (before <= trims.surely) return true;
    trims.below = before;
    if (!log.trim({"t", 1}, {before}).ok()) return false;
    trims.surely = before;
    return true;
  }
};

// One process after the other, until the disk has failed one of them.
void live(FaultEnv& faults, const std::string& directory, Asked& asked, int lives) {
  for (int life = 0; life < lives; ++life) {
    auto log = open_embedded_log_on_env(directory, {}, test_clock, test_random, faults.env());
    if (!log.ok() || !(*log)->ensure_topic({"t", kPartitions}).ok()) return;
    if (!asked.append(**log, 10, 20)) return;
    if (life == kBigLife && !asked.append(**log, kBigRecords, kBigBytes)) return;
    if (!asked.trim(**log) || !asked.append(**log, 6, 300)) return;
  }
}

// Everything that was committed is there, but for what was trimmed, and nothing else.
void check_kept(EventLog& log, const Asked& asked, const Asked::Trims& trims) {
  for (std::int32_t partition = 0; partition < kPartitions; ++partition) {
    const TopicPartition where{"t", partition};
    std::vector<History::Sent> sent = asked.history.sent();
    if (log.partitions("t") == 0) {
      for (const History::Sent& one : sent) REQUIRE(!one.outcome.committed());
      return;
    }
    const Position low = log.marks(where)->low;
    REQUIRE(low.value <= (partition == 1 ? trims.below : 0));
    REQUIRE(low.value >= (partition == 1 ? trims.surely : 0));
    std::erase_if(sent, [&](const History::Sent& one) {
      return one.where == where && one.outcome.committed() && one.outcome.position < low;
    });
    check_truthful(log, where, sent);
  }
}

// What the machine finds after it lost power: `directory` as of now, in `target`.
void copy_survivors(const FaultEnv& faults, const std::string& directory, const std::string& target,
                    Rest rest, Random& random) {
  fs::create_directories(target);
  faults.copy_survivors(target + "/records", rest, random);
  // Replaced as a whole and synced by write_file_durably(), so these are what they are.
  for (const char* name : {"/head", "/identity"}) {
    if (fs::exists(directory + name)) fs::copy_file(directory + name, target + name);
  }
}

int changes_of_a_whole_run() {
  const TemporaryDirectory directory;
  FaultEnv faults;
  faults.watch(directory.path + "/records");
  Asked asked;
  live(faults, directory.path, asked, kLives);
  return faults.changes();
}

// The first `dense` calls and then each `step`-th: creation has the most turns.
std::vector<int> points_of(int calls) {
  const int dense = is_torture() ? calls : 6;
  const int step = is_torture() ? 1 : std::max(1, calls / 20);
  std::vector<int> points;
  for (int at = 0; at < calls; at += at < dense ? 1 : step) points.push_back(at);
  return points;
}

}  // namespace

TEST_CASE("a power failure at any call loses nothing committed, and the log opens") {
  const int calls = changes_of_a_whole_run();
  REQUIRE(calls > 200);
  int cuts = 0;
  int struck = 0;
  for (const int at : points_of(calls)) {
    CAPTURE(at);
    const TemporaryDirectory directory;
    SeededRandom random(static_cast<std::uint64_t>(at));
    Asked asked;
    FaultEnv faults;
    faults.watch(directory.path + "/log/records");
    faults.strike(Fault::power, at);
    live(faults, directory.path + "/log", asked, kLives);
    struck += faults.struck() ? 1 : 0;
    for (const Rest rest : {Rest::gone, Rest::torn}) {
      ++cuts;
      CAPTURE(static_cast<int>(rest));
      const std::string once = directory.path + "/once" + std::to_string(static_cast<int>(rest));
      copy_survivors(faults, directory.path + "/log", once, rest, random);
      // And again while it recovers from that.
      Asked more;
      FaultEnv again;
      again.watch(once + "/records");
      again.strike(Fault::power, static_cast<int>(random.below(60)));
      const bool has_topic = asked.history.answered() > 0;
      live(again, once, more, 1);
      const std::string twice = once + ".again";
      copy_survivors(again, once, twice, rest, random);
      const auto log = must_open(twice);
      // What the second process appended stands behind what the first one did.
      const Asked::Trims trims{std::max(asked.trims.below, more.trims.below),
                               std::max(asked.trims.surely, more.trims.surely)};
      check_kept(*log, asked, trims);
      check_kept(*log, more, trims);
      if (has_topic && log->partitions("t") > 0) commit(*log, {"t", 0}, record_of("after"));
    }
  }
  MESSAGE("power failures: " << 2 * cuts << " at " << calls << " points, struck " << struck
                             << ", refused 0, lost 0");
  CHECK(struck > cuts / 3);
}

TEST_CASE("after a power failure that left zeros, nothing is lost or the log says so") {
  const int calls = changes_of_a_whole_run();
  int refused = 0;
  int opened = 0;
  for (const int at : points_of(calls)) {
    if (!is_torture() && at % 3 != 0) continue;
    CAPTURE(at);
    const TemporaryDirectory directory;
    SeededRandom random(static_cast<std::uint64_t>(at) + 1);
    Asked asked;
    FaultEnv faults;
    faults.watch(directory.path + "/log/records");
    faults.strike(Fault::power, at);
    live(faults, directory.path + "/log", asked, kLives);
    const std::string after = directory.path + "/after";
    copy_survivors(faults, directory.path + "/log", after, Rest::zeroed, random);
    const auto log = try_open(after);
    log.ok() ? ++opened : ++refused;
    if (log.ok()) check_kept(**log, asked, asked.trims);
    if (!log.ok()) CHECK_MESSAGE(!log.error().hint.empty(), log.error().text());
  }
  MESSAGE("power failures with zeros: " << opened + refused << ", opened whole " << opened
                                        << ", refused " << refused << ", lost 0");
}

TEST_CASE("a disk that fails any one call, or every n-th, never makes an answer false") {
  const int calls = changes_of_a_whole_run();
  int struck = 0;
  int cases = 0;
  for (const bool again : {false, true}) {
    for (const int at : points_of(calls)) {
      if (again && at > 40 && !is_torture()) continue;
      CAPTURE(again);
      CAPTURE(at);
      const Fault fault = at % 2 == 0 ? Fault::error : Fault::no_room;
      const TemporaryDirectory directory;
      SeededRandom random(static_cast<std::uint64_t>(at));
      Asked asked;
      FaultEnv faults;
      faults.watch(directory.path + "/log/records");
      faults.strike(fault, again ? at + 1 : at, again);
      live(faults, directory.path + "/log", asked, kLives);
      struck += faults.struck() ? 1 : 0;
      ++cases;
      // Whoever failed to sync, and went on, would be found out by a power failure.
      const std::string after = directory.path + "/after";
      copy_survivors(faults, directory.path + "/log", after, Rest::gone, random);
      check_kept(*must_open(after), asked, asked.trims);
    }
  }
  MESSAGE("failing disks: " << cases << ", struck " << struck << ", false answers 0");
  CHECK(struck > cases / 2);
}
