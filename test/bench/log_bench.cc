// SPDX-License-Identifier: Apache-2.0
// Durable appends per second through the EventLog port on the embedded log, beside a bare RocksDB
// loop that does the same writes: same options, same value size, one thread, a batch of as many
// records as are in flight, synced. Both in turns within one run, because disks have moods.
//
//   log_bench [directory=/tmp] [seconds a turn=0.8] [turns=5]
//
// Prints one JSON object a line: a figure for each number of records in flight, medians of the
// turns.
#include <rocksdb/db.h>
#include <unistd.h>

#include <algorithm>
#include <condition_variable>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <mutex>
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

// One thread hands over records, never more than `in_flight` unanswered.
class PortLoop {
 public:
  PortLoop(EventLog& log, std::size_t in_flight) : log_(log), in_flight_(in_flight) {}

  Turn run(std::int64_t length_us) {
    const std::int64_t start_us = system_clock.monotonic_us();
    std::size_t sent = 0;
    for (std::int64_t now = start_us; now - start_us < length_us;
         now = system_clock.monotonic_us()) {
      {
        std::unique_lock lock(mutex_);
        answered_changed_.wait(lock, [&] { return sent - waits_us_.size() < in_flight_; });
      }
      append(values_[sent++ % kValues]);
    }
    std::unique_lock lock(mutex_);
    answered_changed_.wait(lock, [&] { return sent == waits_us_.size(); });
    return turn_of(sent, start_us, waits_us_);
  }

 private:
  void append(const Bytes& value) {
    const std::int64_t handed_over_us = system_clock.monotonic_us();
    log_.append({"bench", 0}, Record{"", {}, value}, [=, this](const AppendOutcome& outcome) {
      if (!outcome.committed()) std::abort();
      const std::lock_guard lock(mutex_);
      waits_us_.push_back(system_clock.monotonic_us() - handed_over_us);
      answered_changed_.notify_one();
    });
  }

  EventLog& log_;
  const std::size_t in_flight_;
  const std::vector<Bytes> values_ = random_values(kValueBytes);
  std::mutex mutex_;
  std::condition_variable answered_changed_;
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

void print(std::size_t in_flight, const std::vector<Turn>& port, const std::vector<Turn>& raw) {
  const double port_rate = median(port, &Turn::per_second);
  const double raw_rate = median(raw, &Turn::per_second);
  std::printf(
      "{\"bench\":\"log_append\",\"value_bytes\":%zu,\"in_flight\":%zu,\"port_per_second\":%.0f,"
      "\"raw_per_second\":%.0f,\"ratio\":%.3f,\"port_ack_p50_ms\":%.3f,\"port_ack_p99_ms\":%.3f,"
      "\"raw_write_p50_ms\":%.3f,\"raw_write_p99_ms\":%.3f}\n",
      kValueBytes, in_flight, port_rate, raw_rate, port_rate / raw_rate,
      median(port, &Turn::ack_p50_ms), median(port, &Turn::ack_p99_ms),
      median(raw, &Turn::ack_p50_ms), median(raw, &Turn::ack_p99_ms));
  std::fflush(stdout);
}

int run(const std::string& directory, std::int64_t length_us, int turns) {
  SystemRandom random;
  auto log = open_embedded_log(directory + "/log", {}, system_clock, random);
  auto raw_store = embedded::Store::open(directory + "/raw", embedded::database_options(nullptr));
  if (!log.ok() || !raw_store.ok() || !(*log)->ensure_topic({"bench", 1}).ok() ||
      !(*raw_store)->create_family("bench").ok()) {
    std::fprintf(stderr, "log_bench: cannot open its logs in %s\n", directory.c_str());
    return 1;
  }
  std::int64_t position = 0;
  for (const std::size_t in_flight : {1u, 64u, 512u}) {
    std::vector<Turn> port;
    std::vector<Turn> raw;
    for (int turn = 0; turn <= turns; ++turn) {
      const Turn of_port = PortLoop(**log, in_flight).run(length_us);
      const Turn of_raw = run_raw(**raw_store, position, in_flight, length_us);
      if (turn == 0) continue;  // warms up
      port.push_back(of_port);
      raw.push_back(of_raw);
    }
    print(in_flight, port, raw);
  }
  return 0;
}

}  // namespace

int main(int count, char** arguments) {
  std::string directory = std::string(count > 1 ? arguments[1] : "/tmp") + "/log-bench-XXXXXX";
  const double turn_seconds = count > 2 ? std::atof(arguments[2]) : 0.8;
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
