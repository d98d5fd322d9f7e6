// SPDX-License-Identifier: Apache-2.0
// From append to when another role sees the record, on an idle embedded log: folded, with all
// roles' rows in the store. Beside the acknowledgement of the same appends on a log that nobody
// reads, in turns.
//
//   visible_bench [directory=/tmp] [records a turn=400] [turns=5]
#include <unistd.h>

#include <condition_variable>
#include <cstdlib>
#include <filesystem>
#include <memory>
#include <mutex>

#include "all_projections.h"
#include "base/clock.h"
#include "execution_history.h"
#include "figures.h"
#include "log_embedded/embedded_log.h"
#include "runtime/runtime.h"
#include "store_rocksdb/kv_store.h"
#include "wire/event_codec.h"
#include "wire/topics.h"

using namespace sandtrail;

namespace {

const SystemClock system_clock;
const TopicPartition kEvents{kEventsTopic, 0};

[[noreturn]] void fail(const std::string& why) {
  std::fprintf(stderr, "visible_bench: %s\n", why.c_str());
  std::exit(1);
}

// When something happened for the n-th time.
class Signal {
 public:
  void happened() {
    const std::lock_guard lock(mutex_);
    at_us_ = system_clock.monotonic_us();
    ++times_;
    changed_.notify_one();
  }
  std::int64_t wait(std::size_t times) {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [&] { return times_ >= times; });
    return at_us_;
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  std::int64_t at_us_ = 0;
  std::size_t times_ = 0;
};

class Sight final : public Observer {
 public:
  void on_committed(const PartitionView& view, const std::vector<Folded>& batch) override {
    if (view.where() != kEvents) return;
    for (std::size_t i = 0; i < batch.size(); ++i) seen.happened();
  }
  Signal seen;
};

// A log that takes the records of a history one at a time.
class Site {
 public:
  Site(const std::string& directory, bool folded) {
    auto log = open_embedded_log(directory + "/log", {}, clock_, random_);
    if (!log.ok()) fail(log.error().text());
    log_ = std::move(*log);
    if (!folded) {
      if (!log_->ensure_topic({kEventsTopic, 1}).ok()) fail("no topic");
      return;
    }
    auto store = open_rocksdb_kv_store(directory + "/store");
    if (!store.ok()) fail(store.error().text());
    store_ = std::move(*store);
    RuntimeOptions options;
    options.events_partitions = 1;
    runtime_ = std::make_unique<Runtime>(options, *log_, *store_, clock_, random_);
    for (auto& projection : bench::all_projections()) runtime_->add(std::move(projection));
    runtime_->add(&sight_);
    if (const Status started = runtime_->start(); !started.ok()) fail(started.error().text());
  }

  struct Waits {
    std::vector<double> ack_us;
    std::vector<double> visible_us;
  };
  Waits turn(std::size_t records) {
    Waits waits;
    for (std::size_t n = 0; n < records; ++n) {
      const Event event = history_.next();
      clock_.advance(event.time - clock_.now());
      auto record = encode_event(event);
      if (!record.ok()) fail(record.error().text());
      ++appended_;
      const std::int64_t start_us = system_clock.monotonic_us();
      log_->append(kEvents, std::move(*record), [this](const AppendOutcome& outcome) {
        if (!outcome.committed()) fail(outcome.error.text());
        answered_.happened();
      });
      waits.ack_us.push_back(static_cast<double>(answered_.wait(appended_) - start_us));
      if (!runtime_) continue;
      waits.visible_us.push_back(static_cast<double>(sight_.seen.wait(appended_) - start_us));
    }
    return waits;
  }

 private:
  ManualClock clock_;
  SystemRandom random_;
  bench::ExecutionHistory history_{7};
  std::size_t appended_ = 0;
  Signal answered_;
  Sight sight_;
  std::unique_ptr<EventLog> log_;
  std::unique_ptr<KvStore> store_;
  std::unique_ptr<Runtime> runtime_;  // last: uses the others
};

}  // namespace

int main(int count, char** arguments) {
  std::string directory = std::string(count > 1 ? arguments[1] : "/tmp") + "/visible-bench-XXXXXX";
  const std::size_t records = count > 2 ? std::strtoul(arguments[2], nullptr, 10) : 400;
  const int turns = count > 3 ? std::atoi(arguments[3]) : 5;
  if (records == 0 || turns < 1 || ::mkdtemp(directory.data()) == nullptr) {
    fail("usage: visible_bench [directory] [records a turn] [turns]");
  }
  std::vector<double> ack;
  std::vector<double> bare;
  std::vector<double> visible;
  {
    Site folded(directory + "/folded", true);
    Site alone(directory + "/alone", false);
    for (int turn = 0; turn <= turns; ++turn) {
      const auto ours = folded.turn(records);
      const auto theirs = alone.turn(records);
      if (turn == 0) continue;  // warms up
      ack.push_back(bench::median(ours.ack_us) / 1000);
      visible.push_back(bench::median(ours.visible_us) / 1000);
      bare.push_back(bench::median(theirs.ack_us) / 1000);
    }
  }
  std::filesystem::remove_all(directory);
  bench::print_row("append to visible to every role, idle, p50", "ms", bench::median(visible),
                   "acknowledgement on a log that nobody reads", bench::median(bare));
  bench::print_row("append to acknowledgement while it is folded, idle, p50", "ms",
                   bench::median(ack), "acknowledgement on a log that nobody reads",
                   bench::median(bare));
}
