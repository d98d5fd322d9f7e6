// SPDX-License-Identifier: Apache-2.0
// log_clients --log embedded:DIRECTORY|kafka://HOST:PORT[,…] --history DIRECTORY --process NAME …
//
// Many clients of one log, whose operations are written down (history.h) for history_check. Ends
// after its time, or with SIGTERM: appenders first, then readers once they have reached the end. It
// may be killed at any moment and started again on the same directories.
//   --prefix TEXT        of topics over Kafka
//   --replication N      of the topic, over Kafka; --min-insync N (default: 1)
//   --partitions N       of the topic (default: 4)
//   --appenders N        (default: 3); 0: only reads
//   --readers N          of each partition (default: 1)
//   --seconds N          (default: until SIGTERM); --operations N: appends of each appender
//   --in-flight N        unanswered appends of an appender (default: 8)
//   --rate N             appends a second of each appender (default: as many as are answered)
//   --back N             positions before the tail at which readers begin (default: 500); all
//   --append-timeout-ms N  over Kafka (default: the product's)
// Exits 0; 1 if it could not read to the end; 2 if the log could not be opened or was misasked for.
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <map>
#include <thread>
#include <vector>

#include "clients.h"
#include "kafka/kafka_log.h"
#include "log_embedded/embedded_log.h"

using namespace sandtrail;
using namespace sandtrail::history;

namespace {

constexpr Millis kOpenPatience = seconds(60);
constexpr Millis kEndPatience = seconds(60);
constexpr Millis kStep{20};
constexpr int kGoBackOnceIn = 100;  // polls with something new

const SystemClock steady;

struct Options {
  std::map<std::string, std::string> texts{
      {"back", "500"},    {"appenders", "3"},   {"readers", "1"},   {"partitions", "4"},
      {"in-flight", "8"}, {"replication", "1"}, {"min-insync", "1"}};
  std::string text(const std::string& name) const {
    const auto found = texts.find(name);
    return found == texts.end() ? "" : found->second;
  }
  std::int64_t number(const std::string& name) const { return std::atoll(text(name).c_str()); }
};

[[noreturn]] void fail(const std::string& why) {
  std::fprintf(stderr, "log_clients: %s\n", why.c_str());
  std::_Exit(2);
}

Result<std::unique_ptr<EventLog>> open_log(const Options& options, Random& random) {
  const std::string url = options.text("log");
  const std::string embedded = "embedded:";
  if (url.starts_with(embedded)) {
    return open_embedded_log(url.substr(embedded.size()), {}, steady, random);
  }
  KafkaLogOptions kafka;
  ST_ASSIGN(kafka.connection.brokers, parse_kafka_url(url));
  kafka.connection.topic_prefix = options.text("prefix");
  kafka.connection.replication = static_cast<std::int16_t>(options.number("replication"));
  kafka.connection.min_insync = static_cast<std::int16_t>(options.number("min-insync"));
  if (options.number("append-timeout-ms") > 0) {
    kafka.append_timeout = {options.number("append-timeout-ms")};
  }
  return open_kafka_log(kafka, steady);
}

void ensure_topic(EventLog& log, std::int32_t partitions) {
  const std::int64_t until_us = steady.monotonic_us() + kOpenPatience.count * 1000;
  for (;;) {
    const Status made = log.ensure_topic({kTopic, partitions});
    if (made.ok()) return;
    if (!made.error().retryable() || steady.monotonic_us() > until_us) fail(made.error().text());
    std::this_thread::sleep_for(std::chrono::milliseconds(kStep.count));
  }
}

// Everything that runs; the end is told to all by one flag each.
struct Clients {
  std::atomic<bool> appending{true};
  std::atomic<bool> reading{true};
  std::atomic<bool> ended_well{true};
  std::vector<std::thread> appenders;
  std::vector<std::thread> readers;
};

void run_appender(Clients& clients, const ClientParts& parts, const Options& options, int number) {
  Appender appender(parts, number, static_cast<std::int32_t>(options.number("partitions")),
                    static_cast<int>(options.number("in-flight")));
  const std::int64_t rate = options.number("rate");
  const std::int64_t operations = options.number("operations");
  const std::int64_t began_us = steady.monotonic_us();
  for (std::int64_t done = 0; clients.appending && (operations == 0 || done < operations);) {
    const bool ahead = rate > 0 && done * 1'000'000 / rate > steady.monotonic_us() - began_us;
    // What a log refuses at once must not be asked for in a busy loop.
    if (ahead || appender.refusals() > 0) {
      std::this_thread::sleep_for(std::chrono::milliseconds(ahead ? 1 : kStep.count));
    }
    if (!ahead && appender.append_one(kStep)) ++done;
  }
  if (!appender.wait_answered(kEndPatience)) clients.ended_well = false;
}

void run_reader(Clients& clients, const ClientParts& parts, const Options& options, int copy,
                std::int32_t partition) {
  SystemRandom random;
  const std::int64_t back =
      options.text("back") == "all" ? PartitionReader::kAll : options.number("back");
  const std::string name = "r" + std::to_string(copy) + "." + std::to_string(partition);
  PartitionReader reader(parts, name, partition, back);
  while (clients.reading && !reader.refused()) {
    if (reader.poll_once()) {
      if (random.below(kGoBackOnceIn) == 0) reader.go_back(random);
      continue;
    }
    ask_marks(parts, name, partition);
    std::this_thread::sleep_for(std::chrono::milliseconds(kStep.count));
  }
  if (!reader.read_to_end(kEndPatience)) clients.ended_well = false;
}

void start(Clients& clients, const ClientParts& parts, const Options& options) {
  for (int i = 0; i < options.number("appenders"); ++i) {
    clients.appenders.emplace_back([&, i] { run_appender(clients, parts, options, i); });
  }
  for (std::int32_t partition = 0; partition < options.number("partitions"); ++partition) {
    for (int copy = 0; copy < options.number("readers"); ++copy) {
      clients.readers.emplace_back(
          [&, copy, partition] { run_reader(clients, parts, options, copy, partition); });
    }
  }
}

// Until SIGTERM, or the time is over.
void wait_for_end(const sigset_t& signals, const Options& options) {
  int signal = 0;
  if (options.text("seconds").empty()) {
    ::sigwait(&signals, &signal);
    return;
  }
  const timespec span{static_cast<time_t>(options.number("seconds")), 0};
  ::sigtimedwait(&signals, nullptr, &span);
}

int run(const Options& options, const sigset_t& signals) {
  SystemRandom random;
  auto opened = open_log(options, random);
  if (!opened.ok()) fail(opened.error().text());
  auto history = HistoryWriter::create(options.text("history"), options.text("process"));
  if (!history.ok()) fail(history.error().text());
  EventLog& log = **opened;
  ensure_topic(log, static_cast<std::int32_t>(options.number("partitions")));
  const ClientParts parts{log, **history, steady};
  Clients clients;
  start(clients, parts, options);
  if (options.number("operations") == 0) wait_for_end(signals, options);
  if (options.number("operations") == 0) clients.appending = false;
  for (std::thread& appender : clients.appenders) appender.join();
  clients.reading = false;
  for (std::thread& reader : clients.readers) reader.join();
  log.close(seconds(1));
  return clients.ended_well ? 0 : 1;
}

}  // namespace

int main(int count, char** arguments) {
  Options options;
  for (int i = 1; i + 1 < count; i += 2) {
    const std::string name = arguments[i];
    if (!name.starts_with("--")) fail("not an option: " + name);
    options.texts[name.substr(2)] = arguments[i + 1];
  }
  for (const char* needed : {"log", "history", "process"}) {
    if (options.text(needed).empty()) fail(std::string("--") + needed + " is missing");
  }
  // Before any thread: all of them leave it to the one that waits for it.
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGTERM);
  sigprocmask(SIG_BLOCK, &signals, nullptr);
  return run(options, signals);
}
