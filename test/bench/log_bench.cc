// SPDX-License-Identifier: Apache-2.0
// Durable appends per second through the EventLog port on the embedded log, beside a bare RocksDB
// loop that does the same writes: same options, same value size, one thread, a batch of as many
// records as are in flight, synced. Both in turns within one run, because disks have moods.
//
//   log_bench [directory=/tmp] [seconds a turn=0.6] [turns=5]
//
// The first turn of each kind warms up and doesn't count. Prints one JSON object a line, as run.py
// says, with the medians of the turns.
#include <rocksdb/db.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <mutex>
#include <utility>
#include <vector>

#include "layout.h"
#include "log_embedded/embedded_log.h"
#include "rocks.h"
#include "store.h"

using namespace sandtrail;

namespace {

constexpr std::size_t kValueBytes = 1024;
constexpr std::size_t kStoredBytes = kValueBytes + 33;  // with what record_codec.h adds
constexpr std::size_t kValues = 256;
constexpr std::int64_t kMicrosecondsPerSecond = 1'000'000;
const SystemClock system_clock;

std::vector<Bytes> random_values(std::size_t bytes) {
  SeededRandom random(7);
  std::vector<Bytes> values;
  for (std::size_t i = 0; i < kValues; ++i) values.push_back(random.bytes(bytes));
  return values;
}

struct Turn {
  double per_second = 0;
  double ack_p50_ms = 0;
  double ack_p99_ms = 0;
};

Turn turn_of(std::size_t count, std::int64_t start_us, std::vector<std::int64_t>& waits_us) {
  const std::int64_t taken_us = system_clock.monotonic_us() - start_us;
  std::sort(waits_us.begin(), waits_us.end());
  const auto at = [&](std::size_t percent) {
    return static_cast<double>(waits_us[waits_us.size() * percent / 100]) / 1000;
  };
  return {static_cast<double>(count) * kMicrosecondsPerSecond / static_cast<double>(taken_us),
          at(50), at(99)};
}

// Keeps `in_flight` records unanswered. Either each answer appends the next one at once, as a
// reaction does; or one thread appends whenever it may, and has to be woken for it.
class PortLoop {
 public:
  PortLoop(EventLog& log, std::size_t in_flight, bool by_thread)
      : log_(log), in_flight_(in_flight), by_thread_(by_thread) {}

  Turn run(std::int64_t length_us) {
    const std::int64_t start_us = system_clock.monotonic_us();
    end_us_ = start_us + length_us;
    for (std::size_t i = 0; i < in_flight_; ++i) append();
    while (by_thread_ && system_clock.monotonic_us() < end_us_) {
      wait_until([&] { return sent_ - answered_ < in_flight_; });
      append();
    }
    wait_until([&] { return sent_ == answered_ && system_clock.monotonic_us() >= end_us_; });
    return turn_of(waits_us_.size(), start_us, waits_us_);
  }

 private:
  template <typename Condition>
  void wait_until(const Condition& condition) {
    std::unique_lock lock(mutex_);
    while (!condition()) {
      waiting_ = true;
      changed_.wait(lock);
    }
    waiting_ = false;
  }
  void append() {
    const std::int64_t now = system_clock.monotonic_us();
    log_.append({"bench", 0}, Record{"", {}, values_[sent_++ % kValues]},
                [this, now](const AppendOutcome& outcome) { take_answer(outcome, now); });
  }
  void take_answer(const AppendOutcome& outcome, std::int64_t handed_over_us) {
    if (!outcome.committed()) std::abort();
    const std::int64_t now = system_clock.monotonic_us();
    const bool goes_on = !by_thread_ && now < end_us_;
    if (goes_on) append();
    const std::lock_guard lock(mutex_);
    waits_us_.push_back(now - handed_over_us);
    ++answered_;
    if (goes_on || !std::exchange(waiting_, false)) return;
    changed_.notify_one();
  }

  EventLog& log_;
  const std::size_t in_flight_;
  const bool by_thread_;
  const std::vector<Bytes> values_ = random_values(kValueBytes);
  std::int64_t end_us_ = 0;
  std::atomic<std::size_t> sent_{0};
  std::atomic<std::size_t> answered_{0};
  std::mutex mutex_;
  std::condition_variable changed_;
  bool waiting_ = false;
  std::vector<std::int64_t> waits_us_;
};

Turn run_raw(embedded::Store& store, std::int64_t& position, std::size_t in_flight,
             std::int64_t length_us) {
  static const std::vector<Bytes> values = random_values(kStoredBytes);
  rocksdb::WriteOptions options;
  options.sync = true;
  rocksdb::WriteBatch batch;
  std::vector<std::int64_t> waits_us;
  std::size_t written = 0;
  const std::int64_t start_us = system_clock.monotonic_us();
  std::int64_t now = start_us;
  while (now - start_us < length_us) {
    batch.Clear();
    for (std::size_t i = 0; i < in_flight; ++i, ++position) {
      const Bytes key = embedded::record_key(0, position);
      if (!batch.Put(store.family("bench"), key, values[written++ % kValues]).ok()) std::abort();
    }
    if (!store.db().Write(options, &batch).ok()) std::abort();
    const std::int64_t done_us = system_clock.monotonic_us();
    waits_us.push_back(done_us - now);
    now = done_us;
  }
  return turn_of(written, start_us, waits_us);
}

double median(std::vector<Turn> turns, double Turn::*figure) {
  std::sort(turns.begin(), turns.end(),
            [&](const Turn& a, const Turn& b) { return a.*figure < b.*figure; });
  return turns[turns.size() / 2].*figure;
}

void print(const char* driver, std::size_t in_flight, const std::vector<Turn>& port,
           const std::vector<Turn>& raw) {
  const double port_rate = median(port, &Turn::per_second);
  const double raw_rate = median(raw, &Turn::per_second);
  std::printf(
      "{\"name\":\"durable appends of %zu B, %zu in flight, next by %s\",\"unit\":\"records/s\","
      "\"value\":%.0f,\"baseline\":\"bare RocksDB, synced batches as large\","
      "\"baseline_value\":%.0f,"
      "\"port_ack_p50_ms\":%.3f,\"port_ack_p99_ms\":%.3f,"
      "\"raw_write_p50_ms\":%.3f,\"raw_write_p99_ms\":%.3f}\n",
      kValueBytes, in_flight, driver, port_rate, raw_rate, median(port, &Turn::ack_p50_ms),
      median(port, &Turn::ack_p99_ms), median(raw, &Turn::ack_p50_ms),
      median(raw, &Turn::ack_p99_ms));
  std::fflush(stdout);
}

// What it costs to make the head mark durable before each answer.
void print_marked(std::size_t in_flight, const std::vector<Turn>& marked,
                  const std::vector<Turn>& port) {
  std::printf(
      "{\"name\":\"durable appends of %zu B, %zu in flight, every commit marked\","
      "\"unit\":\"records/s\",\"value\":%.0f,\"baseline\":\"marked once a second\","
      "\"baseline_value\":%.0f,\"marked_ack_p50_ms\":%.3f,\"marked_ack_p99_ms\":%.3f}\n",
      kValueBytes, in_flight, median(marked, &Turn::per_second), median(port, &Turn::per_second),
      median(marked, &Turn::ack_p50_ms), median(marked, &Turn::ack_p99_ms));
  std::fflush(stdout);
}

int run(const std::string& directory, std::int64_t length_us, int turns) {
  SystemRandom random;
  EmbeddedLogOptions marking;
  marking.mark_every_commit = true;
  auto marked_log = open_embedded_log(directory + "/marked", marking, system_clock, random);
  auto log = open_embedded_log(directory + "/log", {}, system_clock, random);
  auto raw_store = embedded::Store::open(directory + "/raw", embedded::database_options(nullptr));
  if (!log.ok() || !raw_store.ok() || !(*log)->ensure_topic({"bench", 1}).ok() ||
      !marked_log.ok() || !(*marked_log)->ensure_topic({"bench", 1}).ok() ||
      !(*raw_store)->create_family("bench").ok()) {
    std::fprintf(stderr, "log_bench: cannot open its logs in %s\n", directory.c_str());
    return 1;
  }
  std::int64_t position = 0;
  for (const std::size_t in_flight : {1u, 64u, 512u}) {
    std::vector<Turn> by_answer;
    std::vector<Turn> by_thread;
    std::vector<Turn> raw;
    std::vector<Turn> marked;
    for (int turn = 0; turn <= turns; ++turn) {
      by_answer.push_back(PortLoop(**log, in_flight, false).run(length_us));
      raw.push_back(run_raw(**raw_store, position, in_flight, length_us));
      by_thread.push_back(PortLoop(**log, in_flight, true).run(length_us));
      marked.push_back(PortLoop(**marked_log, in_flight, false).run(length_us));
    }
    for (auto* figures : {&by_answer, &by_thread, &raw, &marked}) figures->erase(figures->begin());
    print("answer", in_flight, by_answer, raw);
    print("thread", in_flight, by_thread, raw);
    print_marked(in_flight, marked, by_answer);
  }
  return 0;
}

}  // namespace

int main(int count, char** arguments) {
  std::string directory = std::string(count > 1 ? arguments[1] : "/tmp") + "/log-bench-XXXXXX";
  const double turn_seconds = count > 2 ? std::atof(arguments[2]) : 0.6;
  const int turns = count > 3 ? std::atoi(arguments[3]) : 5;
  if (turn_seconds <= 0 || turns < 1 || ::mkdtemp(directory.data()) == nullptr) {
    std::fprintf(stderr, "usage: log_bench [directory] [seconds a turn] [turns]\n");
    return 2;
  }
  const auto length_us = static_cast<std::int64_t>(turn_seconds * kMicrosecondsPerSecond);
  const int result = run(directory, length_us, turns);
  std::filesystem::remove_all(directory);
  return result;
}
