// SPDX-License-Identifier: Apache-2.0
#include "event_log/log_copy.h"

#include <algorithm>
#include <deque>

#include "base/limits.h"

namespace sandtrail {
namespace {

std::string place_of(const TopicPartition& where, Position position) {
  return where.text() + " at " + std::to_string(position.value);
}

Error silent_source(const TopicPartition& where, Position position) {
  return {ErrorCode::unavailable, "the log gives no record " + place_of(where, position),
          "is it being written to, or a broker away? Run it again: it goes on where it was"};
}

Error no_record(const TopicPartition& where, Position position) {
  return {ErrorCode::conflict, "there is no record " + place_of(where, position),
          "only a log without gaps can be copied position by position"};
}

// The records of one partition one after the other.
class Records {
 public:
  Records(TopicPartition where, std::unique_ptr<LogReader> reader)
      : where_(std::move(where)), reader_(std::move(reader)) {}

  Result<StoredRecord> next(Position expected) {
    if (waiting_.empty()) {
      ST_ASSIGN(ReadBatch batch, reader_->poll(limits::kReadBatchBytesMax));
      for (StoredRecord& record : batch.records) waiting_.push_back(std::move(record));
    }
    if (waiting_.empty()) return silent_source(where_, expected);
    StoredRecord out = std::move(waiting_.front());
    waiting_.pop_front();
    return out;
  }

 private:
  TopicPartition where_;
  std::unique_ptr<LogReader> reader_;
  std::deque<StoredRecord> waiting_;
};

Result<Records> records_from(const OpenReader& open, const TopicPartition& where, Position from) {
  ST_ASSIGN(auto reader, open(where, from));
  return Records(where, std::move(reader));
}

// "" if they are the same.
std::string difference(const StoredRecord& first, const StoredRecord& second) {
  if (first.position != second.position) {
    return "the position: " + std::to_string(first.position.value) + " and " +
           std::to_string(second.position.value);
  }
  if (first.stamp != second.stamp) return "the stamp";
  if (first.record.key != second.record.key) return "the key";
  if (first.record.headers != second.record.headers) return "the headers";
  return first.record.value == second.record.value ? "" : "the value";
}

std::int64_t total_of(const std::vector<CopyReport::Part>& parts) {
  std::int64_t total = 0;
  for (const CopyReport::Part& part : parts) total += part.marks.high.value - part.marks.low.value;
  return total;
}

// Checks what an earlier copy left, and says where to go on.
Result<Position> resume_at(EventLog& from, LogImport& to, const CopyReport::Part& part) {
  ST_CHECK_OK(to.begin(part.where, part.marks.low));
  ST_ASSIGN(const Position next, to.next(part.where));
  if (next > part.marks.high) {
    return Error{ErrorCode::conflict,
                 "the target already has " + part.where.text() + " up to " +
                     std::to_string(next.value) + ", the source only up to " +
                     std::to_string(part.marks.high.value),
                 "copy into an empty log"};
  }
  if (next == part.marks.low) return next;
  const Position last{next.value - 1};
  const auto source = [&](const TopicPartition& where, Position position) {
    return from.open_reader(where, position);
  };
  const auto target = [&](const TopicPartition& where, Position position) {
    return to.open_reader(where, position);
  };
  ST_ASSIGN(const auto different,
            compare_records(source, target, {{part.where, {last, next}}}, nullptr));
  if (!different) return next;
  return Error{ErrorCode::conflict,
               "the target holds another record " + place_of(part.where, last) +
                   " than the source: " + different->what,
               "it is no copy of this log: copy into an empty one"};
}

Status copy_part(EventLog& from, LogImport& to, const CopyReport::Part& part, CopyReport& report,
                 CopyProgress& at, const OnCopyProgress& progress) {
  at.where = part.where;
  ST_ASSIGN(Position next, resume_at(from, to, part));
  report.found += next.value - part.marks.low.value;
  at.records += next.value - part.marks.low.value;
  if (next == part.marks.high) return {};
  ST_ASSIGN(const auto reader, from.open_reader(part.where, next));
  while (next < part.marks.high) {
    ST_ASSIGN(ReadBatch batch, reader->poll(limits::kReadBatchBytesMax));
    // What came after the marks were taken is not part of the copy.
    std::erase_if(batch.records,
                  [&](const StoredRecord& record) { return record.position >= part.marks.high; });
    const bool jumped =
        batch.records.empty() ? batch.next > next : batch.records.front().position != next;
    if (jumped) return no_record(part.where, next);
    if (batch.records.empty()) return silent_source(part.where, next);
    for (const StoredRecord& record : batch.records) {
      if (record.position != next) return no_record(part.where, next);
      next = next.next();
      report.bytes += static_cast<std::int64_t>(record.record.size());
    }
    ST_CHECK_OK(to.append(part.where, batch.records));
    report.records += static_cast<std::int64_t>(batch.records.size());
    at.records += static_cast<std::int64_t>(batch.records.size());
    if (progress) progress(at);
  }
  return {};
}

}  // namespace

Result<std::vector<CopyReport::Part>> parts_of(EventLog& log,
                                               const std::vector<std::string>& topics) {
  std::vector<CopyReport::Part> out;
  for (const std::string& topic : topics) {
    for (std::int32_t i = 0; i < log.partitions(topic); ++i) {
      ST_ASSIGN(const Marks marks, log.marks({topic, i}));
      out.push_back({{topic, i}, marks});
    }
  }
  return out;
}

Result<CopyReport> copy_log(EventLog& from, LogImport& to, const std::vector<std::string>& topics,
                            const OnCopyProgress& progress) {
  CopyReport report;
  for (const std::string& topic : topics) {
    const std::int32_t count = from.partitions(topic);
    if (count > 0) ST_CHECK_OK(to.ensure_topic({topic, count}));
  }
  ST_ASSIGN(report.parts, parts_of(from, topics));
  CopyProgress at;
  at.total = total_of(report.parts);
  for (const CopyReport::Part& part : report.parts) {
    ST_CHECK_OK(copy_part(from, to, part, report, at, progress));
  }
  ST_CHECK_OK(to.flush());
  return report;
}

Result<std::optional<LogDifference>> compare_records(const OpenReader& first,
                                                     const OpenReader& second,
                                                     const std::vector<CopyReport::Part>& parts,
                                                     const OnCopyProgress& progress) {
  constexpr std::int64_t kTellEvery = 1024;
  CopyProgress at;
  at.total = total_of(parts);
  for (const CopyReport::Part& part : parts) {
    at.where = part.where;
    ST_ASSIGN(Records one, records_from(first, part.where, part.marks.low));
    ST_ASSIGN(Records two, records_from(second, part.where, part.marks.low));
    for (Position next = part.marks.low; next < part.marks.high; next = next.next()) {
      ST_ASSIGN(const StoredRecord here, one.next(next));
      ST_ASSIGN(const StoredRecord there, two.next(next));
      const std::string what = difference(here, there);
      if (!what.empty()) return std::optional(LogDifference{part.where, next, what});
      if (++at.records % kTellEvery == 0 && progress) progress(at);
    }
  }
  return std::optional<LogDifference>();
}

}  // namespace sandtrail
