// SPDX-License-Identifier: Apache-2.0
// Fills an embedded log with a history of executions, as fast as the disk takes it, for measuring
// what is done with long logs.
//
//   log_fill DATA_DIR [records=1000000] [partitions=4]
//
// Each execution is requested with a sealed payload of random bytes, assigned, started, finished
// and settled, and an hour later erased; all are applied. Stamps end an hour before now. The log is
// below DATA_DIR/log. Prints one JSON object.
#define DOCTEST_CONFIG_IMPLEMENT
#include <doctest/doctest.h>

#include <cstdio>
#include <cstdlib>
#include <deque>

#include "../unit/domain/harness.h"
#include "event_log/partitioner.h"
#include "log_embedded/embedded_import.h"
#include "wire/event_codec.h"
#include "wire/topics.h"

using namespace sandtrail;

namespace {

constexpr std::size_t kBatchRecords = 512;
constexpr std::size_t kPayloadBytes = 256;
constexpr std::size_t kErasedAfter = 360;  // executions, of ten seconds each
constexpr Millis kBetween = seconds(2);
constexpr std::int64_t kRecordsOfAnExecution = 7;

[[noreturn]] void fail(const std::string& what) {
  std::fprintf(stderr, "log_fill: %s\n", what.c_str());
  std::exit(1);
}

void check(const Status& status) {
  if (!status.ok()) fail(status.error().text());
}

// One partition and its history.
class Writer {
 public:
  Writer(LogImport& log, TopicPartition where, UnixMs begin, std::int64_t records)
      : log_(log), where_(std::move(where)), left_(records) {
    h_.now = begin;
    h_.ids = static_cast<std::uint64_t>(where_.partition) << 40;
  }

  // Returns how many records it has written.
  std::int64_t run(std::int32_t partitions) {
    for (const auto role :
         {test::kLauncher, test::kBilling, test::kRetention, test::kWebhooks, test::kAuditor}) {
      add(h_.event(h_.claim(role)));
    }
    add(h_.decided(test::kBilling, h_.adopt(1, 1000)));
    do {
      h_.org = h_.id<OrgId>();
    } while (partition_of(h_.org, partitions) != where_.partition);
    auto organization = h_.organization();
    organization.grant = {limits::kGrantMicroCreditsMax};
    add(h_.by_operator(organization));
    const auto key = h_.key(KeyRole::member);
    add(h_.by_operator(key));
    h_.member = key.key;
    while (left_ >= kRecordsOfAnExecution) execution();
    flush();
    return written_;
  }

 private:
  void execution() {
    auto request = h_.request();
    request.language = "python";
    request.payload.bytes = kPayloadBytes;
    request.payload.sealed.bytes = random_.bytes(kPayloadBytes);
    const ExecutionId id = request.execution;
    add(h_.by_key(h_.member, request));
    add(h_.decided(test::kLauncher, h_.assign(id)));
    add(h_.event(h_.start(id)));
    add(h_.event(h_.finish(id)));
    add(h_.decided(test::kBilling, h_.settle(id)));
    ended_.push_back(id);
    if (ended_.size() <= kErasedAfter) return;
    add(h_.decided(test::kRetention, h_.erase(ended_.front())));
    add(h_.decided(test::kRetention, h_.destroy_key(ended_.front())));
    ended_.pop_front();
  }

  void add(const Event& event) {
    auto record = encode_event(event);
    if (!record.ok()) fail(record.error().text());
    StoredRecord stored{{h_.position}, h_.now, std::move(*record)};
    const Judgement judgement = h_.fold(event);
    if (!judgement.applied()) {
      fail(std::string(type_of(event.body)) +
           " is void: " + std::string(enum_text(judgement.reason)));
    }
    waiting_.push_back(std::move(stored));
    --left_;
    h_.pass(kBetween);
    if (waiting_.size() < kBatchRecords) return;
    flush();
    h_.core.drain([](const Bytes&, const Bytes&) {}, [](const Bytes&) {});
  }

  void flush() {
    check(log_.append(where_, waiting_));
    written_ += static_cast<std::int64_t>(waiting_.size());
    waiting_.clear();
  }

  LogImport& log_;
  const TopicPartition where_;
  test::Harness h_;
  SeededRandom random_{11};
  std::int64_t left_;
  std::int64_t written_ = 0;
  std::deque<ExecutionId> ended_;
  std::vector<StoredRecord> waiting_;
};

}  // namespace

int main(int argc, char** argv) {
  if (argc < 2) fail("give a directory");
  const std::int64_t records = argc > 2 ? std::atoll(argv[2]) : 1'000'000;
  const std::int32_t partitions = argc > 3 ? std::atoi(argv[3]) : 4;
  const SystemClock clock;
  SystemRandom random;
  auto log = open_embedded_import(std::string(argv[1]) + "/log", "", random);
  if (!log.ok()) fail(log.error().text());
  check((*log)->ensure_topic({kEventsTopic, partitions}));
  check((*log)->ensure_topic({kPlatformTopic, 1}));
  check((*log)->ensure_topic({kAuditTopic, 1}));
  const std::int64_t each = records / partitions;
  const UnixMs begin = clock.now() - hours(1) - Millis{each * kBetween.count};
  const std::int64_t began_us = clock.monotonic_us();
  std::int64_t written = 0;
  for (std::int32_t i = 0; i < partitions; ++i) {
    written += Writer(**log, {kEventsTopic, i}, begin, each).run(partitions);
  }
  check((*log)->finish());
  const std::int64_t span_us = clock.monotonic_us() - began_us;
  std::printf("{\"records\": %lld, \"seconds\": %.2f, \"records_per_second\": %.0f}\n",
              static_cast<long long>(written), static_cast<double>(span_us) / 1e6,
              static_cast<double>(written) * 1e6 / static_cast<double>(span_us));
  return 0;
}
