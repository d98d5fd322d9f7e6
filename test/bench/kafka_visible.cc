// SPDX-License-Identifier: Apache-2.0
#include "kafka_visible.h"

#include <sys/timerfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <condition_variable>
#include <cstdio>
#include <cstring>
#include <mutex>
#include <numeric>

#include "base/clock.h"
#include "base/fd.h"
#include "fetcher.h"
#include "kafka/kafka_log.h"

namespace sandtrail::bench {
namespace {

constexpr std::int64_t kMicrosecondsPerSecond = 1'000'000;
constexpr std::int64_t kSilenceUsMax = 20 * kMicrosecondsPerSecond;  // then the reader gives up
constexpr std::size_t kStampBytes = sizeof(std::int64_t);
const SystemClock system_clock;

// What the reading process has seen; it says so when it stands at the tail, and tells all its
// figures at the end.
class Sightings {
 public:
  Sightings(UniqueFd pipe, std::uint64_t wanted) : pipe_(std::move(pipe)), wanted_(wanted) {}

  void ready() { tell("r", 1); }
  // False when it was the last one.
  bool see(BytesView value) {
    if (value.size() < kStampBytes) fail("a stranger's record");
    std::int64_t stamp_us = 0;
    std::memcpy(&stamp_us, value.data(), kStampBytes);
    waits_us_.push_back(system_clock.monotonic_us() - stamp_us);
    if (waits_us_.size() < wanted_) return true;
    tell(waits_us_.data(), waits_us_.size() * sizeof(waits_us_[0]));
    return false;
  }

 private:
  void tell(const void* data, std::size_t bytes) {
    const auto* at = static_cast<const char*>(data);
    while (bytes > 0) {
      const ssize_t count = ::write(pipe_.get(), at, bytes);
      if (count <= 0) fail("the pipe broke");
      at += count;
      bytes -= static_cast<std::size_t>(count);
    }
  }

  const UniqueFd pipe_;
  const std::uint64_t wanted_;
  std::vector<std::int64_t> waits_us_;
};

void watch_by_port(const Target& target, Sightings& sightings) {
  auto log = open_kafka_log(log_options(target), system_clock);
  if (!log.ok()) fail(log.error().text());
  const TopicPartition where{kTopic, 0};
  const auto marks = (*log)->marks(where);
  if (!marks.ok()) fail(marks.error().text());
  auto reader = (*log)->open_reader(where, marks->high);
  if (!reader.ok()) fail(reader.error().text());
  std::mutex mutex;
  std::condition_variable changed;
  bool woken = false;
  const auto subscription = (*log)->subscribe(where, [&] {
    const std::lock_guard lock(mutex);
    woken = true;
    changed.notify_one();
  });
  sightings.ready();
  for (;;) {
    const auto batch = (*reader)->poll(limits::kReadBatchBytesMax);
    if (!batch.ok()) fail(batch.error().text());
    for (const StoredRecord& stored : batch->records) {
      if (!sightings.see(stored.record.value)) return;
    }
    if (!batch->records.empty()) continue;
    std::unique_lock lock(mutex);
    if (!changed.wait_for(lock, std::chrono::microseconds(kSilenceUsMax), [&] { return woken; })) {
      fail("nothing comes");
    }
    woken = false;
  }
}

void watch_bare(const Target& target, Sightings& sightings) {
  auto settings = kafka::fetcher_settings(log_options(target).connection);
  settings.emplace_back("group.id", "bench");
  auto conf = kafka::make_conf(log_options(target).connection, settings);
  if (!conf.ok()) fail(conf.error().text());
  std::array<char, 512> why{};
  rd_kafka_t* consumer = rd_kafka_new(RD_KAFKA_CONSUMER, conf->release(), why.data(), why.size());
  if (consumer == nullptr) fail(why.data());
  rd_kafka_poll_set_consumer(consumer);
  {
    const kafka::PartitionList list(rd_kafka_topic_partition_list_new(1));
    rd_kafka_topic_partition_list_add(list.get(), (target.topic_prefix + kTopic).c_str(), 0)
        ->offset = RD_KAFKA_OFFSET_END;
    if (rd_kafka_assign(consumer, list.get()) != RD_KAFKA_RESP_ERR_NO_ERROR) fail("no assignment");
  }
  bool ready = false;
  bool more = true;
  while (more) {
    const kafka::Message message(
        rd_kafka_consumer_poll(consumer, static_cast<int>(kSilenceUsMax / 1000)));
    if (!message) fail("nothing comes");
    if (message->err == RD_KAFKA_RESP_ERR__PARTITION_EOF) {
      if (!std::exchange(ready, true)) sightings.ready();
      continue;
    }
    if (message->err != RD_KAFKA_RESP_ERR_NO_ERROR) fail(rd_kafka_message_errstr(message.get()));
    more = sightings.see({static_cast<const char*>(message->payload), message->len});
  }
  rd_kafka_consumer_close(consumer);
  rd_kafka_destroy(consumer);
}

// Reads exactly so many bytes; the reading process has ended if there are fewer.
void read_all(const UniqueFd& pipe, void* data, std::size_t bytes) {
  auto* at = static_cast<char*>(data);
  while (bytes > 0) {
    const ssize_t count = ::read(pipe.get(), at, bytes);
    if (count <= 0) fail("the reading process has ended");
    at += count;
    bytes -= static_cast<std::size_t>(count);
  }
}

// Lets `rate` a second pass, in steps of a millisecond if there are more than one in it.
class Pace {
 public:
  explicit Pace(std::uint64_t rate)
      : rate_(rate), timer_(::timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC)) {
    itimerspec every{};
    const std::uint64_t ns = std::max<std::uint64_t>(1'000'000'000 / rate, 1'000'000);
    every.it_interval = {static_cast<time_t>(ns / 1'000'000'000),
                         static_cast<long>(ns % 1'000'000'000)};
    every.it_value = every.it_interval;
    if (!timer_.valid() || ::timerfd_settime(timer_.get(), 0, &every, nullptr) != 0) {
      fail("no timer");
    }
  }
  void wait(std::uint64_t sent) {
    if (sent == 0) start_us_ = system_clock.monotonic_us();
    while (static_cast<std::int64_t>(sent) * kMicrosecondsPerSecond >
           (system_clock.monotonic_us() - start_us_) * static_cast<std::int64_t>(rate_)) {
      std::uint64_t ticks = 0;
      read_all(timer_, &ticks, sizeof ticks);
    }
  }

 private:
  const std::uint64_t rate_;
  const UniqueFd timer_;
  std::int64_t start_us_ = 0;
};

void append_stamped(const Target& target, std::uint64_t count, std::uint64_t rate) {
  const auto appender = Appender::open(target, [](std::uint64_t) {});
  Pace pace(rate);
  for (std::uint64_t sent = 0; sent < count; ++sent) {
    Record record = record_of(target, sent);
    pace.wait(sent);
    const std::int64_t now_us = system_clock.monotonic_us();
    std::memcpy(record.value.data(), &now_us, kStampBytes);
    appender->append(std::move(record), sent);
  }
}

}  // namespace

void print_quantiles(std::vector<std::int64_t> waits_us) {
  std::sort(waits_us.begin(), waits_us.end());
  const auto at = [&](std::size_t percent) {
    return static_cast<double>(waits_us[(waits_us.size() - 1) * percent / 100]) / 1000;
  };
  const auto sum = std::accumulate(waits_us.begin(), waits_us.end(), std::int64_t{0});
  std::printf("{\"p50_ms\":%.3f,\"p99_ms\":%.3f,\"mean_ms\":%.3f}\n", at(50), at(99),
              static_cast<double>(sum) / static_cast<double>(waits_us.size()) / 1000);
}

void append_and_watch(const Target& target, std::uint64_t warmup, std::uint64_t records,
                      std::uint64_t rate) {
  std::array<int, 2> ends{};
  if (::pipe(ends.data()) != 0) fail("no pipe");
  UniqueFd read_end(ends[0]);
  UniqueFd write_end(ends[1]);
  const pid_t child = ::fork();
  if (child < 0) fail("no process");
  if (child == 0) {
    read_end.reset();
    Sightings sightings(std::move(write_end), warmup + records);
    (target.way == Way::port ? watch_by_port : watch_bare)(target, sightings);
    std::_Exit(0);
  }
  write_end.reset();
  char ready = 0;
  read_all(read_end, &ready, 1);
  append_stamped(target, warmup + records, rate);
  std::vector<std::int64_t> waits_us(warmup + records);
  read_all(read_end, waits_us.data(), waits_us.size() * sizeof(waits_us[0]));
  ::waitpid(child, nullptr, 0);
  waits_us.erase(waits_us.begin(), waits_us.begin() + static_cast<std::ptrdiff_t>(warmup));
  print_quantiles(std::move(waits_us));
}

}  // namespace sandtrail::bench
