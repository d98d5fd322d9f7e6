// SPDX-License-Identifier: Apache-2.0
// The process that embedded_kill_test.cc kills.
//
//   append_until_killed DIRECTORY FIRST_NUMBER
//
// Opens the log in DIRECTORY/log and a store in DIRECTORY/store. Appends FIRST_NUMBER,
// FIRST_NUMBER + 1 … to both partitions of topic "t", many at a time, trims the second one now and
// then, folds the first one into the store (kill_fold.h) and compacts that; after some hundred
// numbers closes all and begins again with opening. Writes "partition number position\n" to stdout
// for each record once it is acknowledged. Ends only by being killed, or with a message on an
// error.
#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <condition_variable>
#include <cstdio>
#include <cstdlib>
#include <map>
#include <mutex>
#include <thread>

#include "base/clock.h"
#include "base/random.h"
#include "kill_fold.h"
#include "log_embedded/embedded_log.h"
#include "store_rocksdb/kv_store.h"

using namespace sandtrail;
using namespace sandtrail::contract;

namespace {

constexpr std::int64_t kInFlightMax = 40;
constexpr std::int64_t kTrimEvery = 64;
constexpr std::int64_t kTrimDistance = 20;
constexpr std::int64_t kNumbersOfALife = 400;
constexpr int kCommitsBetweenCompactions = 40;
constexpr std::size_t kFoldBytesMax = 4096;

const SystemClock system_clock;
SystemRandom system_random;
volatile char* doing = nullptr;  // shared with whoever looks at the file afterwards

class While {
 public:
  explicit While(Doing what) : what_(what) { doing[what_] = 1; }
  ~While() { doing[what_] = 0; }
  While(const While&) = delete;
  While& operator=(const While&) = delete;

 private:
  const Doing what_;
};

[[noreturn]] void fail(const Error& error) {
  std::fprintf(stderr, "append_until_killed: %s\n", error.text().c_str());
  std::_Exit(1);
}

void require(const Status& status) {
  if (!status.ok()) fail(status.error());
}

template <typename T>
T take(Result<T> result) {
  if (!result.ok()) fail(result.error());
  return std::move(result).value();
}

struct Progress {
  std::mutex mutex;
  std::condition_variable changed;
  std::int64_t unanswered = 0;
  std::int64_t acknowledged_of_second = 0;
};

void append(EventLog& log, Progress& progress, std::int32_t partition, std::int64_t number) {
  {
    std::unique_lock lock(progress.mutex);
    progress.changed.wait(lock, [&] { return progress.unanswered < kInFlightMax; });
    ++progress.unanswered;
    doing[appending] = 1;
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
    if (--progress.unanswered == 0) doing[appending] = 0;
    if (partition == 1) progress.acknowledged_of_second = outcome.position.value + 1;
    progress.changed.notify_all();
  });
}

// Folds the first partition in a thread of its own, as the runtime does.
class Projection {
 public:
  Projection(EventLog& log, KvStore& store)
      : store_(store),
        reader_(take(log.open_reader(kWhere, position_of(store)))),
        wake_(log.subscribe(kWhere,
                            [this] {
                              const std::lock_guard lock(mutex_);
                              woken_ = true;
                              changed_.notify_all();
                            })),
        thread_([this] { run(); }) {}
  ~Projection() {
    {
      const std::lock_guard lock(mutex_);
      ending_ = true;
      changed_.notify_all();
    }
    thread_.join();
  }
  Projection(const Projection&) = delete;
  Projection& operator=(const Projection&) = delete;

 private:
  static inline const TopicPartition kWhere{"t", 0};

  static Position position_of(const KvStore& store) {
    const auto row = take(store.get(kPositionRow));
    return {row ? std::atoll(row->c_str()) : 0};
  }
  void run() {
    for (;;) {
      while (!ended() && fold()) {
      }
      std::unique_lock lock(mutex_);
      changed_.wait(lock, [this] { return woken_ || ending_; });
      woken_ = false;
      if (ending_) return;
    }
  }
  bool ended() {
    const std::lock_guard lock(mutex_);
    return ending_;
  }
  // False if there was nothing to fold.
  bool fold() {
    const ReadBatch batch = take(reader_->poll(kFoldBytesMax));
    if (batch.records.empty()) return false;
    std::map<std::string, Bytes> rows;
    for (const StoredRecord& record : batch.records) {
      const std::string row = fold_row(record);
      if (!rows.contains(row)) rows[row] = take(store_.get(row)).value_or("");
      rows[row] = fold_value(rows[row], record);
    }
    WriteBatch writes;
    for (auto& [row, value] : rows) writes.put(row, std::move(value));
    writes.put(kPositionRow, std::to_string(batch.next.value));
    {
      const While busy(committing);
      require(store_.write(writes, KvStore::Sync::no));
    }
    if (++commits_ % kCommitsBetweenCompactions != 0) return true;
    const While busy(compacting);
    require(store_.compact("", ""));
    return true;
  }

  KvStore& store_;
  std::unique_ptr<LogReader> reader_;
  int commits_ = 0;
  std::mutex mutex_;
  std::condition_variable changed_;
  bool woken_ = true;
  bool ending_ = false;
  std::shared_ptr<void> wake_;
  std::thread thread_;  // last: uses the others
};

void append_some(EventLog& log, Progress& progress, std::int64_t first) {
  for (std::int64_t number = first; number < first + kNumbersOfALife; ++number) {
    append(log, progress, 0, number);
    append(log, progress, 1, number);
    if (number % kTrimEvery != 0) continue;
    std::int64_t before = 0;
    {
      const std::lock_guard lock(progress.mutex);
      before = progress.acknowledged_of_second - kTrimDistance;
    }
    if (before <= 0) continue;
    const While busy(trimming);
    require(log.trim({"t", 1}, {before}));
  }
}

void live(const std::string& directory, std::int64_t first) {
  doing[opening] = 1;
  auto log = take(open_embedded_log(directory + "/log", {}, system_clock, system_random));
  require(log->ensure_topic({"t", 2}));
  auto store = take(open_rocksdb_kv_store(directory + "/store"));
  auto projection = std::make_unique<Projection>(*log, *store);
  doing[opening] = 0;
  Progress progress;
  append_some(*log, progress, first);
  const While busy(closing);
  projection.reset();
  log->close(seconds(60));  // answers the last ones
  store.reset();
}

}  // namespace

int main(int count, char** arguments) {
  if (count != 3) return 3;
  const std::string directory = arguments[1];
  const int file = ::open((directory + "/doing").c_str(), O_RDWR | O_CREAT | O_TRUNC, 0600);
  if (file < 0 || ::ftruncate(file, doing_count) != 0) return 4;
  void* shared = ::mmap(nullptr, doing_count, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
  if (shared == MAP_FAILED) return 4;
  doing = static_cast<char*>(shared);
  for (std::int64_t first = std::atoll(arguments[2]);; first += kNumbersOfALife) {
    live(directory, first);
  }
}
