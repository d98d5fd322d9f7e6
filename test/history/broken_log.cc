// SPDX-License-Identifier: Apache-2.0
#include "broken_log.h"

#include <algorithm>
#include <utility>

namespace sandtrail::history {
namespace {

constexpr int kEach = 7;  // every seventh time it goes wrong
constexpr std::size_t kHeldMax = 5;
constexpr std::int64_t kHidden = 4;
constexpr int kOvertake = 4;  // so many records overtake one that is held back

AppendOutcome committed_at(Position position) {
  AppendOutcome outcome;
  outcome.kind = AppendOutcome::Kind::committed;
  outcome.position = position;
  return outcome;
}

AppendDone nobody() {
  return [](const AppendOutcome&) {};
}

class BrokenReader final : public LogReader {
 public:
  BrokenReader(std::unique_ptr<LogReader> inner, Breach breach, int number)
      : inner_(std::move(inner)), breach_(breach), number_(number) {}

  Result<ReadBatch> poll(std::size_t bytes_max) override {
    ST_ASSIGN(ReadBatch batch, inner_->poll(bytes_max));
    auto& records = batch.records;
    if (records.empty()) return batch;
    polls_ += static_cast<int>(records.size());
    switch (breach_) {
      case Breach::skips_in_poll:
        // Not what another reader skips.
        std::erase_if(records, [this](const StoredRecord& record) {
          return record.position.value % 20 == number_ % 20;
        });
        break;
      case Breach::polls_again:
        if (last_) records.insert(records.begin(), *last_);
        last_ = records.back();
        break;
      case Breach::swaps_two_in_poll:
        if (records.size() > 1) std::swap(records[0], records[1]);
        break;
      case Breach::gives_one_position_twice:
        if (number_ % 2 == 1) swap_contents(records);
        break;
      case Breach::shows_a_part:
        if (polls_ > kEach) records[0].record.value.resize(records[0].record.value.size() / 2);
        break;
      default:
        break;
    }
    return batch;
  }

 private:
  static void swap_contents(std::vector<StoredRecord>& records) {
    for (std::size_t i = 1; i < records.size(); ++i) {
      std::swap(records[i - 1].record, records[i].record);
    }
  }
  const std::unique_ptr<LogReader> inner_;
  const Breach breach_;
  const int number_;
  int polls_ = 0;
  std::optional<StoredRecord> last_;
};

// Stops a few records before the tail, and says that this is all.
class ShortReader final : public LogReader {
 public:
  ShortReader(std::unique_ptr<LogReader> inner, MemoryLog& log, TopicPartition where, Position next)
      : inner_(std::move(inner)), log_(log), where_(std::move(where)), next_(next) {}

  Result<ReadBatch> poll(std::size_t) override {
    ST_ASSIGN(const Marks marks, log_.marks(where_));
    ReadBatch batch;
    batch.next = next_;
    batch.marks = marks;
    if (next_.value + kHidden >= marks.high.value) return batch;
    ST_ASSIGN(batch, inner_->poll(1));
    next_ = batch.next;
    return batch;
  }

 private:
  const std::unique_ptr<LogReader> inner_;
  MemoryLog& log_;
  const TopicPartition where_;
  Position next_;
};

}  // namespace

bool BrokenLog::now() {
  return ++appends_ % kEach == 0;
}

void BrokenLog::append(const TopicPartition& where, Record record, AppendDone done) {
  switch (breach_) {
    case Breach::acknowledges_before_it_is_durable:
      return hold_back(where, std::move(record), std::move(done));
    case Breach::drops_one:
      if (!now()) break;
      {
        // At a position that is never given to another one.
        const Position hole = inner_.marks(where)->high;
        inner_.skip(where, 1);
        return done(committed_at(hole));
      }
    case Breach::stores_twice:
      if (now()) inner_.append(where, record, nobody());
      break;
    case Breach::tells_another_position:
      if (!now()) break;
      return inner_.append(where, std::move(record), [done](AppendOutcome outcome) {
        outcome.position = outcome.position.next();
        done(outcome);
      });
    case Breach::stores_in_another_order:
      if (held_.empty() && now()) {
        held_.push_back({where, std::move(record), std::move(done)});
        overtaken_ = 0;
        return;
      }
      inner_.append(where, std::move(record), std::move(done));
      if (++overtaken_ == kOvertake) write_held();
      return;
    case Breach::stores_what_it_refused:
      if (!now()) break;
      inner_.append(where, std::move(record), nobody());
      {
        AppendOutcome refused;
        refused.kind = AppendOutcome::Kind::not_committed;
        refused.error = {ErrorCode::unavailable, "not now", ""};
        return done(refused);
      }
    default:
      break;
  }
  inner_.append(where, std::move(record), std::move(done));
}

// Acknowledged at once; written when there are some.
void BrokenLog::hold_back(const TopicPartition& where, Record record, AppendDone done) {
  const auto before = std::count_if(held_.begin(), held_.end(),
                                    [&](const Held& held) { return held.where == where; });
  const Position position{inner_.marks(where)->high.value + before};
  held_.push_back({where, std::move(record), nobody()});
  done(committed_at(position));
  if (held_.size() >= kHeldMax) write_held();
}

void BrokenLog::write_held() {
  for (Held& held : std::exchange(held_, {})) {
    inner_.append(held.where, std::move(held.record), std::move(held.done));
  }
}

Result<std::unique_ptr<LogReader>> BrokenLog::open_reader(const TopicPartition& where,
                                                          Position from) {
  const Position high = inner_.marks(where)->high;
  // What is acknowledged and not written yet was told to be there.
  ST_ASSIGN(auto reader, inner_.open_reader(where, std::min(from, high)));
  if (breach_ == Breach::never_shows_the_newest) {
    return std::unique_ptr<LogReader>(new ShortReader(std::move(reader), inner_, where, from));
  }
  return std::unique_ptr<LogReader>(new BrokenReader(std::move(reader), breach_, readers_++));
}

Result<Marks> BrokenLog::marks(const TopicPartition& where) {
  ST_ASSIGN(Marks marks, inner_.marks(where));
  if (breach_ == Breach::tells_an_old_mark && marks.high.value > marks.low.value && now()) {
    --marks.high.value;
  }
  return marks;
}

}  // namespace sandtrail::history
