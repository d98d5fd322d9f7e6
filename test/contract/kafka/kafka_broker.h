// SPDX-License-Identifier: Apache-2.0
// The broker that tests use: SANDTRAIL_TEST_KAFKA (host:port) names it; scripts/test starts one.
#pragma once

#include <doctest/doctest.h>

#include <signal.h>

#include <atomic>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>
#include <thread>

#include "base/clock.h"
#include "kafka/connection.h"

namespace sandtrail::test {

// Topics of an earlier run may still be there: no two calls give the same.
inline std::string fresh_kafka_prefix(const std::string& name) {
  static std::atomic<int> count{0};
  return name + "-" + std::to_string(SystemClock().now().count) + "-" + std::to_string(++count) +
         ".";
}

inline KafkaConnection kafka_connection(const std::string& prefix) {
  const char* address = std::getenv("SANDTRAIL_TEST_KAFKA");
  if (address == nullptr) {
    FAIL("SANDTRAIL_TEST_KAFKA is not set: export SANDTRAIL_TEST_KAFKA=$(scripts/kafka start)");
  }
  KafkaConnection connection;
  connection.brokers = address;
  connection.topic_prefix = prefix;
  connection.replication = 1;
  connection.min_insync = 1;
  return connection;
}

// The broker's process, SANDTRAIL_TEST_KAFKA_PID; 0 if that is not set.
inline int kafka_pid() {
  const char* pid = std::getenv("SANDTRAIL_TEST_KAFKA_PID");
  return pid == nullptr ? 0 : std::atoi(pid);
}

// Makes the broker hang, and returns once none of its threads runs; or lets it go on.
inline void hang_kafka(bool hang) {
  ::kill(kafka_pid(), hang ? SIGSTOP : SIGCONT);
  const std::string tasks = "/proc/" + std::to_string(kafka_pid()) + "/task";
  for (bool running = hang; running; std::this_thread::yield()) {
    running = false;
    for (const auto& task : std::filesystem::directory_iterator(tasks)) {
      std::ifstream file(task.path() / "stat");
      std::string stat;
      std::getline(file, stat);
      // "pid (name) state …": the name may hold anything.
      const std::size_t name_end = stat.rfind(") ");
      running = running || (name_end != std::string::npos && stat[name_end + 2] != 'T');
    }
  }
}

}  // namespace sandtrail::test
