// SPDX-License-Identifier: Apache-2.0
// G1, G3, G12 by kill -9: at many points of opening, appending and trimming.
#include <fcntl.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <sstream>

#include "base/fd.h"
#include "embedded_support.h"
#include "log_contract.h"

using namespace sandtrail;
using namespace sandtrail::contract;

namespace {

constexpr int kKills = 100;
constexpr std::uint64_t kAcknowledgedBeforeKillMax = 400;

struct Acknowledged {
  std::int32_t partition;
  std::int64_t number;
  std::int64_t position;
};

std::vector<Acknowledged> parse(const std::string& text) {
  std::vector<Acknowledged> lines;
  std::istringstream in(text.substr(0, text.rfind('\n') + 1));
  Acknowledged line{};
  while (in >> line.partition >> line.number >> line.position) lines.push_back(line);
  return lines;
}

// Runs the appender and kills it after that many lines, or after a moment of opening if 0.
std::vector<Acknowledged> append_and_kill(const std::string& directory, std::int64_t first_number,
                                          std::uint64_t lines_before_kill) {
  int ends[2];
  REQUIRE(::pipe2(ends, O_CLOEXEC) == 0);
  const UniqueFd read_end(ends[0]);
  UniqueFd write_end(ends[1]);
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_adddup2(&actions, write_end.get(), STDOUT_FILENO);
  std::string program = APPEND_UNTIL_KILLED;
  std::string number = std::to_string(first_number);
  std::string place = directory;
  char* arguments[] = {program.data(), place.data(), number.data(), nullptr};
  pid_t child = 0;
  REQUIRE(::posix_spawn(&child, program.c_str(), &actions, nullptr, arguments, environ) == 0);
  posix_spawn_file_actions_destroy(&actions);
  write_end.reset();
  std::string text;
  std::uint64_t lines = 0;
  char buffer[4096];
  bool killed = false;
  for (;;) {
    if (!killed && lines >= lines_before_kill) {
      if (lines_before_kill == 0) ::usleep(static_cast<useconds_t>(test_random.below(30'000)));
      REQUIRE(::kill(child, SIGKILL) == 0);
      killed = true;
    }
    const ssize_t got = ::read(read_end.get(), buffer, sizeof buffer);
    if (got <= 0) break;
    text.append(buffer, static_cast<std::size_t>(got));
    lines = static_cast<std::uint64_t>(std::count(text.begin(), text.end(), '\n'));
  }
  int status = 0;
  REQUIRE(::waitpid(child, &status, 0) == child);
  REQUIRE(WIFSIGNALED(status));
  return parse(text);
}

// The records of one partition from `from` on are numbered upwards from `first_number`, whole, and
// reach what was acknowledged. Returns how many there are.
std::int64_t check_round(EventLog& log, std::int32_t partition, Position from,
                         std::int64_t first_number, const std::vector<Acknowledged>& lines) {
  const auto marks = log.marks({"t", partition});
  REQUIRE(marks.ok());
  const Position start = std::max(from, marks->low);
  const auto records = read_from(log, {"t", partition}, start);
  for (std::size_t i = 0; i < records.size(); ++i) {
    const std::int64_t number = first_number + (records[i].position.value - from.value);
    REQUIRE(records[i].position.value == start.value + static_cast<std::int64_t>(i));
    REQUIRE(records[i].record.header("number") == std::to_string(number));
    REQUIRE(records[i].record.value == Bytes(static_cast<std::size_t>(number % 700), 'v'));
  }
  for (const Acknowledged& line : lines) {
    if (line.partition != partition) continue;
    REQUIRE(line.position == from.value + line.number - first_number);
    REQUIRE(line.position < marks->high.value);
  }
  return marks->high.value - from.value;
}

}  // namespace

TEST_CASE("kill -9 at any point loses nothing acknowledged and leaves nothing torn") {
  const TemporaryDirectory directory;
  Position tails[2] = {};
  std::int64_t number = 1;
  std::size_t acknowledged = 0;
  for (int kill = 0; kill < kKills; ++kill) {
    CAPTURE(kill);
    const bool while_opening = kill % 5 == 0;
    const auto lines =
        append_and_kill(directory.path, number,
                        while_opening ? 0 : 1 + test_random.below(kAcknowledgedBeforeKillMax));
    acknowledged += lines.size();
    const auto log = must_open(directory.path);
    std::int64_t appended = 0;
    for (std::int32_t partition = 0; partition < 2; ++partition) {
      if (log->partitions("t") == 0) continue;
      const std::int64_t count = check_round(*log, partition, tails[partition], number, lines);
      tails[partition].value += count;
      appended = std::max(appended, count);
    }
    number += appended;
    CHECK(log->health().level == LogHealth::Level::ok);
  }
  CHECK(acknowledged > kKills);
}
