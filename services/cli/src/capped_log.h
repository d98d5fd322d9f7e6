// SPDX-License-Identifier: Apache-2.0
// A log as it was when its partitions ended at given positions.
#pragma once

#include <map>

#include "event_log/checks.h"
#include "event_log/event_log.h"

namespace sandtrail::cli {

// Takes no appends. `log` must outlive it and its readers. As thread-safe as `log`.
class CappedLog final : public EventLog {
 public:
  CappedLog(EventLog& log, std::map<TopicPartition, Position> ends)
      : log_(log), ends_(std::move(ends)) {}

  // Nobody makes one by looking.
  Status ensure_topic(const TopicSpec& spec) override {
    return check_same_partitions(spec, log_.partitions(spec.name));
  }
  std::int32_t partitions(const std::string& topic) const override {
    return log_.partitions(topic);
  }
  void append(const TopicPartition& where, Record record, AppendDone done) override;
  Result<std::unique_ptr<LogReader>> open_reader(const TopicPartition& where,
                                                 Position from) override;
  std::shared_ptr<void> subscribe(const TopicPartition& where,
                                  std::function<void()> wake) override {
    return log_.subscribe(where, std::move(wake));
  }
  Result<Marks> marks(const TopicPartition& where) override;
  Result<std::unique_ptr<Ownership>> own(const std::string& group,
                                         const std::vector<std::string>& topics,
                                         OwnershipListener& listener) override;
  void report(const std::string&, const TopicPartition&, Position) override {}
  Result<ReportedPositions> reported() override { return log_.reported(); }
  Status trim(const TopicPartition& where, Position before) override;
  std::string identity() const override { return log_.identity(); }
  LogHealth health() const override { return log_.health(); }
  void close(Millis) override {}

  Position end_of(const TopicPartition& where) const;

 private:
  EventLog& log_;
  const std::map<TopicPartition, Position> ends_;  // of the others: position 0
};

}  // namespace sandtrail::cli
