// SPDX-License-Identifier: Apache-2.0
// The process that embedded_kill_test.cc kills.
//
//   append_until_killed DIRECTORY FIRST_NUMBER
//
// Appends FIRST_NUMBER, FIRST_NUMBER + 1 … to both partitions of topic "t", many at a time, trims
// the second one now and then, and writes "partition number position\n" to stdout for each record
// once it is acknowledged. Ends only by being killed, or with a message on an error.
#include <unistd.h>

#include <condition_variable>
#include <cstdio>
#include <cstdlib>
#include <mutex>

#include "base/clock.h"
#include "base/random.h"
#include "log_embedded/embedded_log.h"

using namespace sandtrail;

namespace {

constexpr std::int64_t kInFlightMax = 40;
constexpr std::int64_t kTrimEvery = 64;
constexpr std::int64_t kTrimDistance = 20;

struct Progress {
  std::mutex mutex;
  std::condition_variable changed;
  std::int64_t unanswered = 0;
  std::int64_t acknowledged_of_second = 0;
};

[[noreturn]] void fail(const Error& error) {
  std::fprintf(stderr, "append_until_killed: %s\n", error.text().c_str());
  std::_Exit(1);
}

void append(EventLog& log, Progress& progress, std::int32_t partition, std::int64_t number) {
  {
    std::unique_lock lock(progress.mutex);
    progress.changed.wait(lock, [&] { return progress.unanswered < kInFlightMax; });
    ++progress.unanswered;
  }
  const Record record{
      "", {{"number", std::to_string(number)}}, Bytes(static_cast<std::size_t>(number % 700), 'v')};
  log.append({"t", partition}, record, [&, partition, number](const AppendOutcome& outcome) {
    if (!outcome.committed()) fail(outcome.error);
    char line[64];
    const int length = std::snprintf(line, sizeof line, "%d %lld %lld\n", partition,
                                     static_cast<long long>(number),
                                     static_cast<long long>(outcome.position.value));
    if (::write(STDOUT_FILENO, line, static_cast<std::size_t>(length)) != length) std::_Exit(2);
    const std::lock_guard lock(progress.mutex);
    --progress.unanswered;
    if (partition == 1) progress.acknowledged_of_second = outcome.position.value + 1;
    progress.changed.notify_all();
  });
}

}  // namespace

int main(int count, char** arguments) {
  if (count != 3) return 3;
  const SystemClock clock;
  SystemRandom random;
  auto log = open_embedded_log(arguments[1], {}, clock, random);
  if (!log.ok()) fail(log.error());
  if (const Status status = (*log)->ensure_topic({"t", 2}); !status.ok()) fail(status.error());
  Progress progress;
  for (std::int64_t number = std::atoll(arguments[2]);; ++number) {
    append(**log, progress, 0, number);
    append(**log, progress, 1, number);
    if (number % kTrimEvery != 0) continue;
    std::int64_t before = 0;
    {
      const std::lock_guard lock(progress.mutex);
      before = progress.acknowledged_of_second - kTrimDistance;
    }
    if (before <= 0) continue;
    if (const Status status = (*log)->trim({"t", 1}, {before}); !status.ok()) fail(status.error());
  }
}
