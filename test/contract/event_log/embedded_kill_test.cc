// SPDX-License-Identifier: Apache-2.0
// G1, G3, G12 by kill -9: at many points of opening, appending, committing a projection, trimming,
// compacting and shutting down.
#include <fcntl.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <map>
#include <sstream>

#include "base/fd.h"
#include "base/file.h"
#include "embedded_support.h"
#include "kill_fold.h"
#include "log_contract.h"
#include "store_rocksdb/kv_store.h"

using namespace sandtrail;
using namespace sandtrail::contract;

namespace {

// More than a life of the appender has.
constexpr std::uint64_t kAcknowledgedBeforeKillMax = 1400;
constexpr std::uint64_t kMicrosecondsLaterMax = 8000;

int kills() {
  return is_torture() ? 1000 : 60;
}

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

// Runs the appender and kills it a moment after that many lines; after a longer one if 0.
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
      const std::uint64_t later = lines_before_kill == 0 ? 30'000 : kMicrosecondsLaterMax;
      ::usleep(static_cast<useconds_t>(test_random.below(later)));
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

// The rows as they must be, followed from kill to kill.
class Model {
 public:
  // The store is the fold of the log up to its position, and never ahead of it.
  void check(EventLog& log, const std::string& path) {
    const auto store = open_rocksdb_kv_store(path);
    if (!store.ok()) FAIL(store.error().text());
    const auto stored = (*store)->get(kPositionRow);
    REQUIRE(stored.ok());
    const std::int64_t position = *stored ? std::stoll(**stored) : 0;
    REQUIRE(position >= next_);  // a kill takes nothing back that was written
    if (log.partitions("t") == 0) {
      REQUIRE(position == 0);
      return;
    }
    REQUIRE(position <= log.marks({"t", 0})->high.value);
    for (const StoredRecord& record : read_from(log, {"t", 0}, {next_})) {
      if (record.position.value >= position) break;
      Bytes& row = rows_[fold_row(record)];
      row = fold_value(row, record);
    }
    next_ = position;
    std::map<std::string, Bytes> found;
    REQUIRE((*store)
                ->scan("row", prefix_end("row"),
                       [&found](BytesView key, BytesView value) {
                         found[std::string(key)] = Bytes(value);
                         return true;
                       })
                .ok());
    REQUIRE((found == rows_));
  }
  std::int64_t next() const { return next_; }

 private:
  std::map<std::string, Bytes> rows_;
  std::int64_t next_ = 0;
};

struct Hits {
  int of[doing_count] = {};
  void count(const std::string& directory) {
    const auto doing = read_file(directory + "/doing", doing_count);
    if (!doing.ok()) return;
    for (std::size_t what = 0; what < doing->size(); ++what) of[what] += (*doing)[what] != 0;
  }
  std::string text() const {
    std::string out;
    for (int what = 0; what < doing_count; ++what) {
      out += (what == 0 ? "" : ", ") + std::to_string(of[what]) + " in " + kDoingNames[what];
    }
    return out;
  }
};

}  // namespace

TEST_CASE("kill -9 at any point loses nothing acknowledged and leaves nothing torn") {
  const TemporaryDirectory directory;
  Position tails[2] = {};
  std::int64_t number = 1;
  std::size_t acknowledged = 0;
  Model model;
  Hits hits;
  for (int kill = 0; kill < kills(); ++kill) {
    CAPTURE(kill);
    const bool while_opening = kill % 5 == 0;
    const auto lines =
        append_and_kill(directory.path, number,
                        while_opening ? 0 : 1 + test_random.below(kAcknowledgedBeforeKillMax));
    acknowledged += lines.size();
    hits.count(directory.path);
    const auto log = must_open(directory.path + "/log");
    std::int64_t appended = 0;
    for (std::int32_t partition = 0; partition < 2; ++partition) {
      if (log->partitions("t") == 0) continue;
      const std::int64_t count = check_round(*log, partition, tails[partition], number, lines);
      tails[partition].value += count;
      appended = std::max(appended, count);
    }
    number += appended;
    model.check(*log, directory.path + "/store");
    CHECK(log->health().level == LogHealth::Level::ok);
  }
  MESSAGE(kills() << " kills (" << hits.text() << "); " << acknowledged << " acknowledged, "
                  << model.next() << " folded, lost 0, torn 0");
  CHECK(acknowledged > static_cast<std::size_t>(kills()));
  CHECK(model.next() > 0);
  CHECK(hits.of[appending] > 0);
}
