// SPDX-License-Identifier: Apache-2.0
#include "capped_log.h"

#include <algorithm>

namespace sandtrail::cli {
namespace {

Error read_only() {
  return {ErrorCode::denied, "the log is open for reading only", ""};
}

class CappedReader final : public LogReader {
 public:
  CappedReader(std::unique_ptr<LogReader> reader, Position end)
      : reader_(std::move(reader)), end_(end) {}

  Result<ReadBatch> poll(std::size_t bytes_max) override {
    ReadBatch out;
    out.next = end_;
    out.marks.high = end_;
    if (ended_) return out;
    ST_ASSIGN(ReadBatch batch, reader_->poll(bytes_max));
    const auto first = std::find_if(batch.records.begin(), batch.records.end(),
                                    [this](const auto& r) { return r.position >= end_; });
    ended_ = first != batch.records.end();
    batch.records.erase(first, batch.records.end());
    batch.next = std::min(batch.next, end_);
    batch.marks.high = std::min(batch.marks.high, end_);
    return batch;
  }

 private:
  std::unique_ptr<LogReader> reader_;
  const Position end_;
  bool ended_ = false;
};

}  // namespace

Position CappedLog::end_of(const TopicPartition& where) const {
  const auto found = ends_.find(where);
  return found == ends_.end() ? Position{0} : found->second;
}

void CappedLog::append(const TopicPartition&, Record, AppendDone done) {
  AppendOutcome outcome;
  outcome.kind = AppendOutcome::Kind::not_committed;
  outcome.error = read_only();
  done(outcome);
}

Result<std::unique_ptr<LogReader>> CappedLog::open_reader(const TopicPartition& where,
                                                          Position from) {
  ST_ASSIGN(auto reader, log_.open_reader(where, from));
  return std::unique_ptr<LogReader>(
      std::make_unique<CappedReader>(std::move(reader), end_of(where)));
}

Result<Marks> CappedLog::marks(const TopicPartition& where) {
  ST_ASSIGN(Marks marks, log_.marks(where));
  marks.high = std::min(marks.high, end_of(where));
  return marks;
}

Result<std::unique_ptr<Ownership>> CappedLog::own(const std::string&,
                                                  const std::vector<std::string>&,
                                                  OwnershipListener&) {
  return read_only();
}

Status CappedLog::trim(const TopicPartition&, Position) {
  return read_only();
}

}  // namespace sandtrail::cli
