// SPDX-License-Identifier: Apache-2.0
// One turn of a measurement against a Kafka broker, for over_kafka.py, which takes turns with other
// programs. Prints one JSON object.
//
//   kafka_bench prepare BROKERS PREFIX          makes the topic, or trims it
//   kafka_bench append  BROKERS PREFIX WAY SHAPE BYTES LINGER_MS WARMUP RECORDS UNANSWERED
//       as fast as it goes, so many unanswered: records a second from the first append after the
//       warm-up to the last answer, and the CPU time of this process for each record
//   kafka_bench ack     BROKERS PREFIX WAY SHAPE BYTES LINGER_MS WARMUP RECORDS
//       one at a time: from append to its answer
//   kafka_bench visible BROKERS PREFIX WAY SHAPE BYTES LINGER_MS WARMUP RECORDS RATE
//       RATE records a second: from append to when another process has read them
//
// WAY is "port" or "bare", SHAPE "event" or "plain"; see kafka_appender.h.
#include <sys/resource.h>

#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <cstdio>
#include <cstdlib>
#include <mutex>
#include <vector>

#include "base/clock.h"
#include "kafka_appender.h"
#include "kafka_visible.h"

namespace sandtrail::bench {
namespace {

constexpr double kMicrosecondsPerSecond = 1e6;
const SystemClock system_clock;

struct Plan {
  Target target;
  std::uint64_t warmup = 0;
  std::uint64_t records = 0;
  std::uint64_t unanswered = 1;  // at most
  std::uint64_t rate = 0;        // a second
};

double cpu_us() {
  rusage used{};
  ::getrusage(RUSAGE_SELF, &used);
  const auto in_us = [](const timeval& time) {
    return static_cast<double>(time.tv_sec) * kMicrosecondsPerSecond +
           static_cast<double>(time.tv_usec);
  };
  return in_us(used.ru_utime) + in_us(used.ru_stime);
}

// How many of `sent` are not answered, and a thread that waits until there are fewer.
class Window {
 public:
  // At most `room` unanswered after it. Sleeps until a part of them is answered, not for each one.
  void wait(std::uint64_t sent, std::uint64_t room) {
    if (sent - answered_.load() <= room) return;
    std::unique_lock lock(mutex_);
    wanted_ = sent - room + room / 4;
    wanted_ = std::min(wanted_.load(), sent);
    changed_.wait(lock, [this] { return answered_.load() >= wanted_.load(); });
    wanted_ = kNobody;
  }
  void on_answer() {
    if (++answered_ < wanted_.load()) return;
    const std::lock_guard lock(mutex_);
    changed_.notify_one();
  }

 private:
  static constexpr std::uint64_t kNobody = ~std::uint64_t{0};
  std::atomic<std::uint64_t> answered_{0};
  std::atomic<std::uint64_t> wanted_{kNobody};
  std::mutex mutex_;
  std::condition_variable changed_;
};

void append_many(const Plan& plan) {
  Window window;
  const auto appender =
      Appender::open(plan.target, [&window](std::uint64_t) { window.on_answer(); });
  std::int64_t start_us = 0;
  double cpu_start_us = 0;
  for (std::uint64_t sent = 0; sent < plan.warmup + plan.records; ++sent) {
    window.wait(sent, plan.unanswered - 1);
    if (sent == plan.warmup) {
      start_us = system_clock.monotonic_us();
      cpu_start_us = cpu_us();
    }
    appender->append(record_of(plan.target, sent), sent);
  }
  window.wait(plan.warmup + plan.records, 0);
  const auto taken_us = static_cast<double>(system_clock.monotonic_us() - start_us);
  const auto records = static_cast<double>(plan.records);
  std::printf("{\"records_per_second\":%.0f,\"cpu_us_per_record\":%.2f}\n",
              records * kMicrosecondsPerSecond / taken_us, (cpu_us() - cpu_start_us) / records);
}

void append_one_by_one(const Plan& plan) {
  Window window;
  std::atomic<std::int64_t> answered_us{0};
  const auto appender = Appender::open(plan.target, [&](std::uint64_t) {
    answered_us = system_clock.monotonic_us();
    window.on_answer();
  });
  std::vector<std::int64_t> waits_us;
  for (std::uint64_t sent = 0; sent < plan.warmup + plan.records; ++sent) {
    Record record = record_of(plan.target, sent);
    const std::int64_t start_us = system_clock.monotonic_us();
    appender->append(std::move(record), sent);
    window.wait(sent + 1, 0);
    if (sent >= plan.warmup) waits_us.push_back(answered_us - start_us);
  }
  print_quantiles(std::move(waits_us));
}

// A positive number of at most nine digits.
std::uint64_t number_of(const char* text) {
  char* end = nullptr;
  const long value = std::strtol(text, &end, 10);
  if (*text == '\0' || *end != '\0' || value < 0 || value > 999'999'999) {
    fail(std::string("not a number: ") + text);
  }
  return static_cast<std::uint64_t>(value);
}

Plan plan_of(int count, char** arguments) {
  Plan plan;
  plan.target.brokers = arguments[2];
  plan.target.topic_prefix = arguments[3];
  if (count < 10) return plan;
  const std::string way = arguments[4];
  const std::string shape = arguments[5];
  if (way != "port" && way != "bare") fail("no way " + way);
  if (shape != "event" && shape != "plain") fail("no shape " + shape);
  plan.target.way = way == "port" ? Way::port : Way::bare;
  plan.target.shape = shape == "event" ? Shape::event : Shape::plain;
  plan.target.record_bytes = number_of(arguments[6]);
  plan.target.linger = {static_cast<std::int64_t>(number_of(arguments[7]))};
  plan.warmup = number_of(arguments[8]);
  plan.records = number_of(arguments[9]);
  if (count > 10)
    plan.unanswered = plan.rate = std::max<std::uint64_t>(number_of(arguments[10]), 1);
  return plan;
}

int run(int count, char** arguments) {
  const std::string verb = count > 1 ? arguments[1] : "";
  const int wanted = verb == "prepare"                       ? 4
                     : verb == "ack"                         ? 10
                     : verb == "append" || verb == "visible" ? 11
                                                             : -1;
  if (count != wanted) {
    std::fprintf(stderr, "usage: kafka_bench prepare|append|ack|visible …, see kafka_bench.cc\n");
    return 2;
  }
  const Plan plan = plan_of(count, arguments);
  if (verb == "prepare") {
    prepare_topic(plan.target);
    std::printf("{}\n");
  } else if (verb == "append") {
    append_many(plan);
  } else if (verb == "ack") {
    append_one_by_one(plan);
  } else {
    append_and_watch(plan.target, plan.warmup, plan.records, plan.rate);
  }
  return 0;
}

}  // namespace
}  // namespace sandtrail::bench

int main(int count, char** arguments) {
  return sandtrail::bench::run(count, arguments);
}
