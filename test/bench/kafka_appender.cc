// SPDX-License-Identifier: Apache-2.0
#include "kafka_appender.h"

#include <cstdio>
#include <cstdlib>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "base/random.h"
#include "client.h"
#include "kafka/kafka_log.h"
#include "wire/event_codec.h"

namespace sandtrail::bench {
namespace {

constexpr std::size_t kContents = 256;
const SystemClock system_clock;

template <typename T>
T value_of(Result<T> result) {
  if (!result.ok()) fail(result.error().text());
  return std::move(*result);
}

// A step of an execution, as most records of a log are.
Record event_record(Random& random) {
  ExecutionStarted body;
  body.execution = ExecutionId::fresh(system_clock, random);
  body.attempt = 1;
  body.host_epoch = 1;
  Event event;
  event.id = EventId::fresh(system_clock, random);
  event.time = system_clock.now();
  event.org = OrgId::fresh(system_clock, random);
  event.source = "/launcher";
  event.subject = body.execution.text();
  event.correlation = event.subject;
  event.causation = EventId::fresh(system_clock, random).text();
  event.traceparent = "00-" + hex(random.bytes(16)) + "-" + hex(random.bytes(8)) + "-01";
  event.body = body;
  return value_of(encode_event(event));
}

std::vector<Record> make_records(const Target& target) {
  SeededRandom random(7);
  std::vector<Record> records;
  for (std::size_t i = 0; i < kContents; ++i) {
    Record record = target.shape == Shape::event ? event_record(random) : Record{};
    const std::size_t bytes = record.size();
    if (bytes > target.record_bytes) fail("records of " + std::to_string(bytes) + " B at least");
    // Text, so that the baseline can read it from a file by lines.
    record.value += hex(random.bytes(target.record_bytes)).substr(0, target.record_bytes - bytes);
    records.push_back(std::move(record));
  }
  return records;
}

class PortAppender final : public Appender {
 public:
  PortAppender(const Target& target, OnAcked on_acked)
      : on_acked_(std::move(on_acked)),
        log_(value_of(open_kafka_log(log_options(target), system_clock))) {
    // Known from here on, and its metadata is asked for.
    if (log_->partitions(kTopic) != 1) fail("there is no topic");
  }
  ~PortAppender() override { log_->close(limits::kKafkaAppendTimeout); }

  void append(Record record, std::uint64_t number) override {
    log_->append({kTopic, 0}, std::move(record), [this, number](const AppendOutcome& outcome) {
      if (!outcome.committed()) fail(outcome.error.text());
      on_acked_(number);
    });
  }

 private:
  const OnAcked on_acked_;
  const std::unique_ptr<EventLog> log_;
};

class BareAppender final : public Appender {
 public:
  BareAppender(const Target& target, OnAcked on_acked) : on_acked_(std::move(on_acked)) {
    const auto options = log_options(target);
    auto conf = kafka::make_conf(options.connection,
                                 kafka::producer_settings(options.append_timeout, options.linger));
    client_ = value_of(
        kafka::Client::start(RD_KAFKA_PRODUCER, value_of(std::move(conf)), RD_KAFKA_EVENT_DR,
                             [this](rd_kafka_t*, rd_kafka_event_t* event) { on_event(event); }));
    topic_.reset(
        rd_kafka_topic_new(client_->raw(), (target.topic_prefix + kTopic).c_str(), nullptr));
    const rd_kafka_metadata_t* found = nullptr;
    if (rd_kafka_metadata(client_->raw(), 0, topic_.get(), &found,
                          kafka::to_ms(limits::kKafkaCallTimeout)) != RD_KAFKA_RESP_ERR_NO_ERROR) {
      fail("no metadata");
    }
    const kafka::Metadata owner(found);
  }
  ~BareAppender() override {
    rd_kafka_flush(client_->raw(), kafka::to_ms(limits::kKafkaAppendTimeout));
    topic_.reset();
  }

  void append(Record record, std::uint64_t number) override {
    rd_kafka_headers_t* headers = nullptr;
    if (!record.headers.empty()) headers = rd_kafka_headers_new(record.headers.size());
    for (const auto& [name, content] : record.headers) {
      rd_kafka_header_add(headers, name.data(), static_cast<ssize_t>(name.size()), content.data(),
                          static_cast<ssize_t>(content.size()));
    }
    const auto code = rd_kafka_producev(
        client_->raw(), RD_KAFKA_V_RKT(topic_.get()), RD_KAFKA_V_PARTITION(0),
        RD_KAFKA_V_MSGFLAGS(RD_KAFKA_MSG_F_COPY),
        RD_KAFKA_V_KEY(record.key.data(), record.key.size()),
        RD_KAFKA_V_VALUE(record.value.data(), record.value.size()), RD_KAFKA_V_HEADERS(headers),
        RD_KAFKA_V_OPAQUE(reinterpret_cast<void*>(number)), RD_KAFKA_V_END);
    if (code != RD_KAFKA_RESP_ERR_NO_ERROR) fail(rd_kafka_err2str(code));
  }

 private:
  void on_event(rd_kafka_event_t* event) {
    while (const rd_kafka_message_t* message = rd_kafka_event_message_next(event)) {
      if (message->err != RD_KAFKA_RESP_ERR_NO_ERROR) fail(rd_kafka_err2str(message->err));
      on_acked_(reinterpret_cast<std::uint64_t>(message->_private));
    }
  }

  const OnAcked on_acked_;
  std::unique_ptr<kafka::Client> client_;
  kafka::Topic topic_;
};

}  // namespace

void fail(const std::string& why) {
  std::fprintf(stderr, "kafka_bench: %s\n", why.c_str());
  std::_Exit(1);
}

Record record_of(const Target& target, std::uint64_t number) {
  static const std::vector<Record> records = make_records(target);
  return records[number % records.size()];
}

KafkaLogOptions log_options(const Target& target) {
  KafkaLogOptions options;
  options.connection.brokers = target.brokers;
  options.connection.topic_prefix = target.topic_prefix;
  options.connection.replication = 1;
  options.connection.min_insync = 1;
  options.linger = target.linger;
  return options;
}

void prepare_topic(const Target& target) {
  const auto log = value_of(open_kafka_log(log_options(target), system_clock));
  if (const Status made = log->ensure_topic({kTopic, 1}); !made.ok()) fail(made.error().text());
  const Marks marks = value_of(log->marks({kTopic, 0}));
  if (const Status done = log->trim({kTopic, 0}, marks.high); !done.ok()) fail(done.error().text());
}

std::unique_ptr<Appender> Appender::open(const Target& target, OnAcked on_acked) {
  if (target.way == Way::bare) return std::make_unique<BareAppender>(target, std::move(on_acked));
  return std::make_unique<PortAppender>(target, std::move(on_acked));
}

}  // namespace sandtrail::bench
