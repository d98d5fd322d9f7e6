// SPDX-License-Identifier: Apache-2.0
#include "metered_log.h"

#include <atomic>

#include "wire/topics.h"

namespace sandtrail {
namespace {

constexpr double kSecondsPerUs = 1e-6;

// From 50 µs, as appends of an embedded log take some 0.2 ms.
std::vector<double> append_buckets() {
  return {0.00005, 0.0001, 0.0002, 0.0005, 0.001, 0.002, 0.005, 0.01, 0.02,
          0.05,    0.1,    0.2,    0.5,    1,     2,     5,     10,   30};
}

// The series of one topic.
struct TopicMeter {
  Histogram latency;
  Counter committed, not_committed, unknown, bytes;
};

TopicMeter meter_of(Metrics& metrics, const std::string& topic) {
  const auto outcome = [&](const char* name) {
    return metrics.counter("appends_total", "Records handed to the log, by what became of them.",
                           {{"topic", topic}, {"outcome", name}});
  };
  TopicMeter out;
  out.latency = metrics.histogram("append_seconds", "From handing a record over to its answer.",
                                  append_buckets(), {{"topic", topic}});
  out.committed = outcome("committed");
  out.not_committed = outcome("not_committed");
  out.unknown = outcome("unknown");
  out.bytes = metrics.counter("append_bytes_total", "Bytes of records that are committed.",
                              {{"topic", topic}});
  return out;
}

// What every append and its answer share; answers may come when the log is closed.
struct Meters {
  Meters(Metrics& metrics, const Clock& clock_in)
      : clock(clock_in),
        queue_records(metrics.gauge("append_queue_records", "Records not answered yet.")),
        queue_bytes(metrics.gauge("append_queue_bytes", "Bytes of records not answered yet.")) {
    for (const char* topic : {kEventsTopic, kPlatformTopic, kAuditTopic}) {
      topics[topic] = meter_of(metrics, topic);
    }
  }
  const TopicMeter& of(const std::string& topic) const {
    static const TopicMeter none;
    const auto found = topics.find(topic);
    return found == topics.end() ? none : found->second;
  }

  const Clock& clock;
  const Gauge queue_records, queue_bytes;
  std::map<std::string, TopicMeter> topics;  // fixed
};

class MeteredListener final : public OwnershipListener {
 public:
  MeteredListener(OwnershipListener& inner, Metrics& metrics, const std::string& group)
      : inner_(inner),
        rebalances_(metrics.counter("rebalances_total",
                                    "Times that the process was given its partitions anew.",
                                    {{"group", group}})) {
    const auto change = [&](const char* name) {
      return metrics.counter("ownership_changes_total", "Partitions given and taken.",
                             {{"group", group}, {"change", name}});
    };
    assigned_ = change("assigned");
    revoked_ = change("revoked");
    lost_ = change("lost");
  }

  void on_assigned(const TopicPartition& partition) override {
    assigned_.add();
    // One after the other is one change.
    if (!receiving_.exchange(true)) rebalances_.add();
    inner_.on_assigned(partition);
  }
  void on_revoked(const TopicPartition& partition) override {
    revoked_.add();
    receiving_ = false;
    inner_.on_revoked(partition);
  }
  void on_lost(const TopicPartition& partition) override {
    lost_.add();
    receiving_ = false;
    inner_.on_lost(partition);
  }

 private:
  OwnershipListener& inner_;
  const Counter rebalances_;
  Counter assigned_, revoked_, lost_;
  std::atomic<bool> receiving_{false};
};

class MeteredOwnership final : public Ownership {
 public:
  explicit MeteredOwnership(std::unique_ptr<MeteredListener> listener)
      : listener_(std::move(listener)) {}
  MeteredListener& listener() { return *listener_; }
  void hold(std::unique_ptr<Ownership> inner) { inner_ = std::move(inner); }

 private:
  std::unique_ptr<MeteredListener> listener_;
  std::unique_ptr<Ownership> inner_;  // ends first
};

class MeteredLog final : public EventLog {
 public:
  MeteredLog(std::unique_ptr<EventLog> inner, Metrics& metrics, const Clock& clock)
      : metrics_(metrics),
        meters_(std::make_shared<const Meters>(metrics, clock)),
        inner_(std::move(inner)) {}

  Status ensure_topic(const TopicSpec& spec) override { return inner_->ensure_topic(spec); }
  std::int32_t partitions(const std::string& topic) const override {
    return inner_->partitions(topic);
  }
  void append(const TopicPartition& where, Record record, AppendDone done) override;
  Result<std::unique_ptr<LogReader>> open_reader(const TopicPartition& where,
                                                 Position from) override {
    return inner_->open_reader(where, from);
  }
  std::shared_ptr<void> subscribe(const TopicPartition& where,
                                  std::function<void()> wake) override {
    return inner_->subscribe(where, std::move(wake));
  }
  Result<Marks> marks(const TopicPartition& where) override { return inner_->marks(where); }
  Result<std::unique_ptr<Ownership>> own(const std::string& group,
                                         const std::vector<std::string>& topics,
                                         OwnershipListener& listener) override {
    auto out = std::make_unique<MeteredOwnership>(
        std::make_unique<MeteredListener>(listener, metrics_, group));
    ST_ASSIGN(auto inner, inner_->own(group, topics, out->listener()));
    out->hold(std::move(inner));
    return std::unique_ptr<Ownership>(std::move(out));
  }
  void report(const std::string& group, const TopicPartition& where, Position durable) override {
    inner_->report(group, where, durable);
  }
  Result<ReportedPositions> reported() override { return inner_->reported(); }
  Status trim(const TopicPartition& where, Position before) override {
    return inner_->trim(where, before);
  }
  Result<TopicFacts> facts(const std::string& topic) override { return inner_->facts(topic); }
  std::string identity() const override { return inner_->identity(); }
  LogHealth health() const override { return inner_->health(); }
  void close(Millis deadline) override { inner_->close(deadline); }

 private:
  Metrics& metrics_;
  const std::shared_ptr<const Meters> meters_;
  const std::unique_ptr<EventLog> inner_;  // ends first: it answers
};

void MeteredLog::append(const TopicPartition& where, Record record, AppendDone done) {
  const auto bytes = static_cast<double>(record.size());
  const TopicMeter& topic = meters_->of(where.topic);
  meters_->queue_records.add(1);
  meters_->queue_bytes.add(bytes);
  inner_->append(where, std::move(record),
                 [meters = meters_, &topic, bytes, began_us = meters_->clock.monotonic_us(),
                  done = std::move(done)](const AppendOutcome& outcome) {
                   meters->queue_records.add(-1);
                   meters->queue_bytes.add(-bytes);
                   const std::int64_t span_us = meters->clock.monotonic_us() - began_us;
                   topic.latency.observe(static_cast<double>(span_us) * kSecondsPerUs);
                   switch (outcome.kind) {
                     case AppendOutcome::Kind::committed:
                       topic.committed.add();
                       topic.bytes.add(bytes);
                       break;
                     case AppendOutcome::Kind::not_committed:
                       topic.not_committed.add();
                       break;
                     case AppendOutcome::Kind::unknown:
                       topic.unknown.add();
                       break;
                   }
                   if (done) done(outcome);
                 });
}

}  // namespace

std::unique_ptr<EventLog> make_metered_log(std::unique_ptr<EventLog> log, Metrics& metrics,
                                           const Clock& clock) {
  return std::make_unique<MeteredLog>(std::move(log), metrics, clock);
}

std::function<void(std::size_t)> batch_meter(Metrics& metrics) {
  const Histogram batches = metrics.histogram("log_batch_records", "Records written together.",
                                              {1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024});
  return [batches](std::size_t records) { batches.observe(static_cast<double>(records)); };
}

}  // namespace sandtrail
