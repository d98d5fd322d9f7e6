// SPDX-License-Identifier: Apache-2.0
// Two ways to append to one partition: the EventLog port over Kafka, and a bare librdkafka producer
// with the very settings of our adapter.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "event_log/record.h"
#include "kafka/kafka_log.h"

namespace sandtrail::bench {

enum class Way { port, bare };
// event: a record as the product encodes it, key and headers included; plain: a value alone, as
// kafka-producer-perf-test sends it. Both have the same bytes in all.
enum class Shape { event, plain };

struct Target {
  std::string brokers;
  std::string topic_prefix;
  Way way = Way::port;
  Shape shape = Shape::event;
  std::size_t record_bytes = 1024;
  Millis linger = {0};
};
inline constexpr const char* kTopic = "bench";  // of one partition; made by prepare_topic()

// Prints to stderr and ends the program: half a measurement is none.
[[noreturn]] void fail(const std::string& why);

// How both ways connect and behave.
KafkaLogOptions log_options(const Target& target);

// Record `number` of the target's shape and size: different contents in turn.
Record record_of(const Target& target, std::uint64_t number);

// The topic is there, and holds nothing from earlier turns that must be kept.
void prepare_topic(const Target& target);

// append() by one thread; `on_acked` is called on another one with the append's number, in order. A
// record that is not committed ends the program. The destructor waits for what is not answered.
class Appender {
 public:
  using OnAcked = std::function<void(std::uint64_t number)>;
  static std::unique_ptr<Appender> open(const Target& target, OnAcked on_acked);
  virtual ~Appender() = default;
  virtual void append(Record record, std::uint64_t number) = 0;
};

}  // namespace sandtrail::bench
