// SPDX-License-Identifier: Apache-2.0
// A process that is far behind the log holds no more of it in memory than one that is not.
#include <doctest/doctest.h>

#include <malloc.h>

#include <cstdlib>

#include "base/limits.h"
#include "bench.h"
#include "wire/event_codec.h"

using namespace sandtrail;
using namespace sandtrail::test;

namespace {

constexpr std::int64_t kValueBytes = 1024;
// Ten minutes of a thousand records a second, and what a test that is run often has time for.
constexpr std::int64_t kRecordsTorture = 600'000;
constexpr std::int64_t kRecords = 12'000;

std::int64_t records_wanted() {
  return std::getenv("SANDTRAIL_TORTURE") == nullptr ? kRecords : kRecordsTorture;
}

// What a reader was asked for and gave, all in all and at once.
struct Counts {
  std::size_t asked_bytes_max = 0;
  std::size_t given_bytes_max = 0;
  std::int64_t given = 0;
  std::int64_t folded = 0;
  std::int64_t ahead_max = 0;  // given and not yet folded when more was asked for
};

// A log of `events` whose records are made when they are read: the test's own memory does not grow.
class EndlessReader final : public LogReader {
 public:
  EndlessReader(Counts& counts, Record model, std::int64_t records)
      : counts_(counts), model_(std::move(model)), records_(records) {}

  Result<ReadBatch> poll(std::size_t bytes_max) override {
    counts_.asked_bytes_max = std::max(counts_.asked_bytes_max, bytes_max);
    counts_.ahead_max = std::max(counts_.ahead_max, counts_.given - counts_.folded);
    ReadBatch batch;
    std::size_t bytes = 0;
    while (next_ < records_ && (bytes == 0 || bytes + model_.size() <= bytes_max)) {
      batch.records.push_back({{next_++}, {1'700'000'000'000}, model_});
      bytes += model_.size();
    }
    counts_.given += static_cast<std::int64_t>(batch.records.size());
    counts_.given_bytes_max = std::max(counts_.given_bytes_max, bytes);
    batch.next = {next_};
    batch.marks = {{0}, {records_}};
    return batch;
  }

 private:
  Counts& counts_;
  const Record model_;
  const std::int64_t records_;
  std::int64_t next_ = 0;
};

class EndlessLog final : public EventLog {
 public:
  EndlessLog(Counts& counts, Record model, const Clock& clock)
      : counts_(counts), model_(std::move(model)), inner_({}, clock) {}

  Status ensure_topic(const TopicSpec& spec) override { return inner_.ensure_topic(spec); }
  std::int32_t partitions(const std::string& topic) const override {
    return inner_.partitions(topic);
  }
  void append(const TopicPartition& where, Record record, AppendDone done) override {
    inner_.append(where, std::move(record), std::move(done));
  }
  Result<std::unique_ptr<LogReader>> open_reader(const TopicPartition& where,
                                                 Position from) override {
    if (!(where == kEvents)) return inner_.open_reader(where, from);
    return std::unique_ptr<LogReader>(
        std::make_unique<EndlessReader>(counts_, model_, records_wanted()));
  }
  std::shared_ptr<void> subscribe(const TopicPartition& where,
                                  std::function<void()> wake) override {
    return inner_.subscribe(where, std::move(wake));
  }
  Result<Marks> marks(const TopicPartition& where) override {
    if (!(where == kEvents)) return inner_.marks(where);
    return Marks{{0}, {records_wanted()}};
  }
  Result<std::unique_ptr<Ownership>> own(const std::string& group,
                                         const std::vector<std::string>& topics,
                                         OwnershipListener& listener) override {
    return inner_.own(group, topics, listener);
  }
  void report(const std::string& group, const TopicPartition& where, Position durable) override {
    inner_.report(group, where, durable);
  }
  Result<ReportedPositions> reported() override { return inner_.reported(); }
  Status trim(const TopicPartition& where, Position before) override {
    return inner_.trim(where, before);
  }
  std::string identity() const override { return inner_.identity(); }
  LogHealth health() const override { return inner_.health(); }
  void close(Millis deadline) override { inner_.close(deadline); }

 private:
  Counts& counts_;
  const Record model_;
  MemoryLog inner_;
};

class CountingObserver final : public Observer {
 public:
  explicit CountingObserver(Counts& counts) : counts_(counts) {}
  void on_committed(const PartitionView& view, const std::vector<Folded>& batch) override {
    if (view.where() == kEvents) counts_.folded += static_cast<std::int64_t>(batch.size());
  }

 private:
  Counts& counts_;
};

std::size_t heap_bytes() {
  return ::mallinfo2().uordblks;
}

// What a stranger might write without end: not ours, so that only reading and folding are there.
Record foreign_record() {
  Record record;
  record.headers = {{"ce_specversion", "1.0"}, {"ce_type", "com.example.tick"}};
  record.value = Bytes(kValueBytes, 'x');
  return record;
}

}  // namespace

TEST_CASE("a process ten minutes behind folds the log in bounded pieces, in bounded memory") {
  ManualClock clock;
  SeededRandom random(1);
  Counts counts;
  EndlessLog log(counts, foreign_record(), clock);
  MemoryKvStore store;
  RuntimeOptions options;
  options.events_partitions = 1;
  options.threads = false;
  Runtime runtime(options, log, store, clock, random);
  runtime.add(std::make_unique<TallyProjection>());
  CountingObserver observer(counts);
  runtime.add(&observer);
  REQUIRE(runtime.start().ok());

  std::size_t early = 0;
  while (counts.folded < records_wanted()) {
    runtime.step(0);
    // The twin remembers what it would lose with the machine; that is not what is counted here.
    REQUIRE(store.write({}, KvStore::Sync::yes).ok());
    // What is kept of the newest records for comparing claims is full by then.
    if (early == 0 && counts.folded > records_wanted() / 2) early = heap_bytes();
  }
  CHECK(counts.given == records_wanted());
  CHECK(counts.asked_bytes_max <= limits::kReadBatchBytesMax);
  CHECK(counts.given_bytes_max <= limits::kReadBatchBytesMax);
  CHECK(counts.ahead_max == 0);
  CHECK(heap_bytes() < early + 2 * limits::kReadBatchBytesMax);
}

TEST_CASE("what others want of a partition that does not come to it is bounded as well") {
  Bench bench;
  bench.options.role = false;
  REQUIRE(bench.start().ok());
  bench.settle();
  std::size_t taken = 0;
  while (bench.runtime->query(kEvents, [](const PartitionView&) {})) {
    REQUIRE(++taken <= limits::kMailboxMax);
  }
  CHECK(taken == limits::kMailboxMax);
}
