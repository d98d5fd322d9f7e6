// SPDX-License-Identifier: Apache-2.0
// Logs that break one promise each, on purpose: what the checker is tried on.
#pragma once

#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "event_log/memory_log.h"

namespace sandtrail::history {

enum class Breach {
  none,
  acknowledges_before_it_is_durable,  // shows with crash()
  drops_one,
  stores_twice,
  tells_another_position,
  gives_one_position_twice,  // two readers see different records there
  skips_in_poll,
  polls_again,
  swaps_two_in_poll,
  never_shows_the_newest,
  stores_in_another_order,
  stores_what_it_refused,
  shows_a_part,
  tells_an_old_mark,
};

// In front of a MemoryLog in immediate mode; a connection of its own. One thread at a time.
class BrokenLog final : public EventLog {
 public:
  BrokenLog(MemoryLog& inner, Breach breach) : inner_(inner), breach_(breach) {}

  // What was acknowledged and is not durable is gone.
  void crash() { held_.clear(); }

  Status ensure_topic(const TopicSpec& spec) override { return inner_.ensure_topic(spec); }
  std::int32_t partitions(const std::string& topic) const override {
    return inner_.partitions(topic);
  }
  void append(const TopicPartition& where, Record record, AppendDone done) override;
  Result<std::unique_ptr<LogReader>> open_reader(const TopicPartition& where,
                                                 Position from) override;
  std::shared_ptr<void> subscribe(const TopicPartition& where,
                                  std::function<void()> wake) override {
    return inner_.subscribe(where, std::move(wake));
  }
  Result<Marks> marks(const TopicPartition& where) override;
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
  struct Held {
    TopicPartition where;
    Record record;
    AppendDone done;
  };
  void hold_back(const TopicPartition& where, Record record, AppendDone done);
  void write_held();
  bool now();

  MemoryLog& inner_;
  const Breach breach_;
  int appends_ = 0;
  int readers_ = 0;
  int overtaken_ = 0;
  std::vector<Held> held_;
};

}  // namespace sandtrail::history
