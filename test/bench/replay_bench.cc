// SPDX-License-Identifier: Apache-2.0
// Folding a log from its beginning, beside a raw loop over RocksDB that gets and puts one row a
// record and commits as many rows at a time as the runtime does. Both by the CPU time of their one
// thread.
//
//   replay_bench [directory=/tmp] [records=100000] [turns=5] [only those of this name]
//
// "trivial": records whose type nobody knows, and a projection that gets and puts one row. The
// others: an ordinary history (execution_history.h) with the projections of one role's process.
#include <rocksdb/db.h>
#include <unistd.h>

#include <atomic>
#include <cstdlib>
#include <filesystem>
#include <functional>
#include <memory>

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

constexpr std::size_t kRowBytes = 200;
constexpr std::size_t kRows = 20'000;
const TopicPartition kEvents{kEventsTopic, 0};

[[noreturn]] void fail(const std::string& why) {
  std::fprintf(stderr, "replay_bench: %s\n", why.c_str());
  std::exit(1);
}

Bytes row_key(std::uint64_t number) {
  Bytes key;
  put_be64(key, number * 0x9e3779b97f4a7c15u % kRows);
  return key;
}

// One get and one put a record.
class OneRow final : public Projection {
 public:
  std::string_view name() const override { return "one_row"; }
  bool folds(TopicKind topic) const override { return topic == TopicKind::events; }
  void apply(const Folded& folded, const CoreState&, Rows& rows) const override {
    const Bytes key = row_key(static_cast<std::uint64_t>(folded.position.value));
    Bytes value = rows.get(key).value_or(Bytes(kRowBytes, 'v'));
    value[0] = static_cast<char>(value[0] + 1);
    rows.put(key, std::move(value));
  }
};

using Projections = std::function<std::vector<std::unique_ptr<Projection>>()>;

struct Measured {
  double records_per_second = 0;
  double records_per_batch = 0;
};

// Counts the runtime's batches.
class BatchCounter final : public Observer {
 public:
  void on_committed(const PartitionView&, const std::vector<Folded>& batch) override {
    ++batches;
    records += batch.size();
  }
  std::size_t batches = 0;
  std::size_t records = 0;
};

Measured replay(EventLog& log, const std::string& directory, std::size_t records,
                const Projections& projections) {
  auto store = open_rocksdb_kv_store(directory);
  if (!store.ok()) fail(store.error().text());
  ManualClock clock({4'000'000'000'000});  // log time is never ahead of it
  SeededRandom random(1);
  RuntimeOptions options;
  options.events_partitions = 1;
  options.threads = false;
  BatchCounter counter;
  Runtime runtime(options, log, **store, clock, random);
  for (auto& projection : projections()) runtime.add(std::move(projection));
  runtime.add(&counter);
  if (const Status started = runtime.start(); !started.ok()) fail(started.error().text());
  const std::int64_t start_us = bench::thread_cpu_us();
  while (counter.records < records) {
    if (!runtime.step(0)) fail("the partition stopped: " + runtime.not_ready_because());
  }
  const auto taken_us = static_cast<double>(bench::thread_cpu_us() - start_us);
  return {static_cast<double>(records) * 1e6 / taken_us,
          static_cast<double>(records) / static_cast<double>(counter.batches)};
}

double raw_loop(const std::string& directory, std::size_t records, std::size_t batch_records) {
  rocksdb::Options options;
  options.create_if_missing = true;
  options.write_buffer_size = limits::kStoreWriteBufferBytes;
  rocksdb::DB* opened = nullptr;
  if (!rocksdb::DB::Open(options, directory, &opened).ok()) fail("cannot open " + directory);
  const std::unique_ptr<rocksdb::DB> db(opened);
  const std::int64_t start_us = bench::thread_cpu_us();
  rocksdb::WriteBatch batch;
  std::string value;
  for (std::size_t n = 0; n < records; ++n) {
    const Bytes key = row_key(n);
    if (!db->Get({}, key, &value).ok()) value.assign(kRowBytes, 'v');
    value[0] = static_cast<char>(value[0] + 1);
    if (!batch.Put(key, value).ok()) fail("put");
    if ((n + 1) % batch_records != 0 && n + 1 != records) continue;
    Bytes position;
    put_be64(position, n);
    if (!batch.Put("position", position).ok() || !db->Write({}, &batch).ok()) fail("write");
    batch.Clear();
  }
  const auto taken_us = static_cast<double>(bench::thread_cpu_us() - start_us);
  return static_cast<double>(records) * 1e6 / taken_us;
}

// A log of `records` records made by `next`, which also sets the clock of their append. Some
// are appended together: their times are a few seconds apart, and the fold allows for that.
std::unique_ptr<EventLog> make_log(const std::string& directory, std::size_t records,
                                   const ManualClock& clock, const std::function<Record()>& next) {
  constexpr std::size_t kTogether = 32;
  SystemRandom random;
  auto log = open_embedded_log(directory, {}, clock, random);
  if (!log.ok()) fail(log.error().text());
  for (const char* topic : {kEventsTopic, kPlatformTopic, kAuditTopic}) {
    if (!(*log)->ensure_topic({topic, 1}).ok()) fail("no topic");
  }
  std::atomic<std::size_t> answered{0};
  for (std::size_t n = 0; n < records;) {
    const std::size_t end = std::min(records, n + kTogether);
    for (; n < end; ++n) {
      (*log)->append(kEvents, next(), [&](const AppendOutcome& outcome) {
        if (!outcome.committed()) fail(outcome.error.text());
        ++answered;
        answered.notify_one();
      });
    }
    for (std::size_t seen = answered; seen < end; seen = answered) answered.wait(seen);
  }
  return std::move(*log);
}

std::unique_ptr<EventLog> history_log(const std::string& directory, std::size_t records) {
  ManualClock clock;
  bench::ExecutionHistory history(7);
  return make_log(directory, records, clock, [&] {
    const Event event = history.next();
    clock.advance(event.time - clock.now());
    auto record = encode_event(event);
    if (!record.ok()) fail(record.error().text());
    return std::move(record).value();
  });
}

// Records of about a KiB, of a type that nobody knows.
std::unique_ptr<EventLog> trivial_log(const std::string& directory, std::size_t records) {
  ManualClock clock;
  SeededRandom random(7);
  return make_log(directory, records, clock, [&] {
    Record record;
    record.headers = {{"ce_specversion", "1.0"},
                      {"ce_id", EventId::fresh(clock, random).text()},
                      {"ce_type", "com.example.something"},
                      {"ce_source", "/bench"},
                      {"ce_time", rfc3339(clock.now())}};
    record.value = "{\"text\":\"" + hex(random.bytes(440)) + "\"}";
    return record;
  });
}

class Bench {
 public:
  Bench(std::string directory, std::size_t records, int turns, std::string only)
      : directory_(std::move(directory)),
        records_(records),
        turns_(turns),
        only_(std::move(only)) {}

  void measure(const std::string& name, EventLog& log, const Projections& projections) {
    if (name.find(only_) == std::string::npos) return;
    std::vector<double> ours;
    std::vector<double> raw;
    for (int turn = 0; turn < turns_; ++turn) {
      const Measured measured = replay(log, fresh_place(), records_, projections);
      ours.push_back(measured.records_per_second);
      raw.push_back(
          raw_loop(fresh_place(), records_, static_cast<std::size_t>(measured.records_per_batch)));
    }
    bench::print_row("replay, " + name, "records/s", bench::median(ours),
                     "RocksDB get, put, commit of as many", bench::median(raw));
  }

 private:
  std::string fresh_place() {
    const std::string place = directory_ + "/store";
    std::filesystem::remove_all(place);
    return place;
  }

  std::string directory_;
  std::size_t records_;
  int turns_;
  std::string only_;
};

template <typename... Made>
Projections made_by(Made... made) {
  return [made...] {
    std::vector<std::unique_ptr<Projection>> out;
    (out.push_back(made()), ...);
    return out;
  };
}

}  // namespace

int main(int count, char** arguments) {
  std::string directory = std::string(count > 1 ? arguments[1] : "/tmp") + "/replay-bench-XXXXXX";
  const std::size_t records = count > 2 ? std::strtoul(arguments[2], nullptr, 10) : 100'000;
  const int turns = count > 3 ? std::atoi(arguments[3]) : 5;
  if (records == 0 || turns < 1 || ::mkdtemp(directory.data()) == nullptr) {
    fail("usage: replay_bench [directory] [records] [turns] [name]");
  }
  Bench bench(directory, records, turns, count > 4 ? arguments[4] : "");
  {
    const auto log = trivial_log(directory + "/trivial", records);
    bench.measure("trivial fold", *log, made_by([] { return std::make_unique<OneRow>(); }));
  }
  const auto log = history_log(directory + "/history", records);
  const auto read_model = [] { return std::make_unique<ReadModel>(); };
  bench.measure("core alone (billing, retention)", *log, made_by());
  bench.measure("gateway", *log, made_by(read_model));
  bench.measure("launcher", *log, made_by(make_launcher_projection));
  bench.measure("webhooks", *log, made_by(make_webhooks_projection));
  bench.measure("auditor", *log, made_by(make_auditor_projection));
  bench.measure("all roles in one process", *log, bench::all_projections);
  std::filesystem::remove_all(directory);
  return 0;
}
