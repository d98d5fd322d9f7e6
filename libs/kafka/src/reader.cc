// SPDX-License-Identifier: Apache-2.0
#include "reader.h"

#include <algorithm>

#include "event_log/checks.h"

namespace sandtrail::kafka {
namespace {

constexpr int kTailDoubtsMax = 60;  // each Admin::pause() apart

Bytes bytes_of(const void* data, std::size_t size) {
  return data == nullptr ? Bytes() : Bytes(static_cast<const char*>(data), size);
}

StoredRecord record_of(const rd_kafka_message_t& message) {
  StoredRecord stored;
  stored.position = {message.offset};
  rd_kafka_timestamp_type_t type{};
  stored.stamp = {rd_kafka_message_timestamp(&message, &type)};
  stored.record.key = bytes_of(message.key, message.key_len);
  stored.record.value = bytes_of(message.payload, message.len);
  rd_kafka_headers_t* headers = nullptr;
  if (rd_kafka_message_headers(&message, &headers) != RD_KAFKA_RESP_ERR_NO_ERROR) return stored;
  stored.record.headers.reserve(rd_kafka_header_cnt(headers));
  const char* name = nullptr;
  const void* value = nullptr;
  std::size_t size = 0;
  for (std::size_t i = 0;
       rd_kafka_header_get_all(headers, i, &name, &value, &size) == RD_KAFKA_RESP_ERR_NO_ERROR;
       ++i) {
    stored.record.headers.emplace_back(name, bytes_of(value, size));
  }
  return stored;
}

}  // namespace

Result<ReadBatch> Reader::poll(std::size_t bytes_max) {
  if (state_->closed) return closed_error();
  if (broken_) return *broken_;
  ReadBatch batch;
  std::size_t bytes = 0;
  const Position due{partition_->high.load()};
  while (batch.records.size() < limits::kFoldBatchRecordsMax &&
         (batch.records.empty() || bytes < bytes_max)) {
    Message message = next_message(batch.records.empty());
    if (!message) break;
    if (!take(std::move(message), batch, bytes)) break;
  }
  // What stands before an error counts; the next poll tells it.
  if (broken_ && batch.records.empty()) return *broken_;
  partition_->raise_high(assignment_->high_mark());
  batch.next = next_;
  batch.marks = partition_->marks();
  if (batch.records.empty() && next_ < due) {
    if (state_->closed) return closed_error();
    return Error{ErrorCode::unavailable, "no broker sends " + partition_->where.text(), ""};
  }
  return batch;
}

Message Reader::next_message(bool may_wait) {
  const bool is_there = next_.value < partition_->high.load();
  if (!may_wait || !is_there) return assignment_->next({0});
  // In steps, so that a log that closes or loses its brokers does not keep the caller.
  constexpr Millis kStep{100};
  Millis waited{0};
  while (waited < limits::kKafkaFetchTimeout && !state_->closed) {
    if (Message message = assignment_->next(state_->away ? Millis{0} : kStep)) return message;
    if (state_->away) break;
    waited.count += kStep.count;
  }
  return nullptr;
}

bool Reader::take(Message message, ReadBatch& batch, std::size_t& bytes) {
  const bool is_tail = message->err == RD_KAFKA_RESP_ERR__PARTITION_EOF;
  if ((is_tail || message->err == RD_KAFKA_RESP_ERR_NO_ERROR) && !state_->refusals.none()) {
    state_->refusals.allow(act());
  }
  if (is_tail || message->err == RD_KAFKA_RESP_ERR_NO_ERROR) doubts_ = 0;
  if (message->err == RD_KAFKA_RESP_ERR_NO_ERROR) {
    // Not before where we stand: a fetch that was under way when the assignment changed.
    if (message->offset < next_.value) return true;
    batch.records.push_back(record_of(*message));
    bytes += batch.records.back().record.size();
    next_ = {message->offset + 1};
    partition_->raise_high(next_.value);
    return true;
  }
  if (is_tail) {
    // The tail, beyond positions that hold no record.
    next_ = {std::max(next_.value, message->offset)};
    partition_->raise_high(next_.value);
    return true;
  }
  on_error(*message);
  return !broken_;
}

std::string Reader::act() const {
  return "read " + partition_->topic + "/" + std::to_string(partition_->where.partition);
}

// Also said by a leader that stood still, was replaced, and does not know it yet: librdkafka before
// 2.1 goes back to it if it is asked who leads. So a log is found shorter only if it stays so.
void Reader::on_out_of_range() {
  const TopicPartition& where = partition_->where;
  const auto marks = admin_->marks(partition_->topic, where.partition);
  if (marks.ok() && next_ < marks->low) {
    broken_ = trimmed_error(where, next_, marks->low);
  } else if (++doubts_ < kTailDoubtsMax) {
    admin_->pause();
    if (assignment_->again(next_.value)) return;
    broken_ = Error{ErrorCode::internal, where.text() + " cannot be read on", ""};
  } else {
    broken_ = beyond_tail_error(where, next_, marks.ok() ? marks->high : Position{});
  }
}

void Reader::on_error(const rd_kafka_message_t& message) {
  if (message.err == RD_KAFKA_RESP_ERR__AUTO_OFFSET_RESET ||
      message.err == RD_KAFKA_RESP_ERR_OFFSET_OUT_OF_RANGE) {
    return on_out_of_range();
  }
  const Error error = error_of(message.err, act(), {"Read", "topic", partition_->topic});
  if (error.code == ErrorCode::not_found) {
    // Also said while brokers hand a topic over: only gone if they say so when asked.
    const auto there = admin_->partitions(partition_->topic);
    if (!there.ok() || *there > partition_->where.partition) return;
  }
  // Whatever may pass by itself, librdkafka tries again; also what an administrator may allow.
  if (error.code == ErrorCode::denied) {
    state_->refusals.note(act(), error, false);
  } else if (!error.retryable()) {
    broken_ = error;
  }
}

}  // namespace sandtrail::kafka
