// SPDX-License-Identifier: Apache-2.0
#include "clients.h"

#include <algorithm>
#include <chrono>
#include <thread>

#include "base/limits.h"

namespace sandtrail::history {
namespace {

constexpr std::size_t kPollBytesMax = 64 * 1024;
constexpr std::int64_t kGoBackMax = 2000;           // positions
constexpr std::chrono::milliseconds kPollPause(5);  // between two looks at a log without news

Outcome outcome_of(const AppendOutcome& outcome) {
  switch (outcome.kind) {
    case AppendOutcome::Kind::committed:
      return Outcome::ok;
    case AppendOutcome::Kind::not_committed:
      return Outcome::failed;
    case AppendOutcome::Kind::unknown:
      break;
  }
  return Outcome::unknown;
}

}  // namespace

Appender::Appender(ClientParts parts, int number, std::int32_t partitions, int in_flight_max)
    : parts_(parts),
      prefix_(parts.history.process() + "." + std::to_string(parts.history.run()) + "." +
              std::to_string(number) + "."),
      name_(parts.history.process() + "/" + std::to_string(number)),
      partitions_(partitions),
      in_flight_max_(in_flight_max) {}

bool Appender::append_one(Millis patience) {
  {
    std::unique_lock lock(state_->mutex);
    if (!state_->changed.wait_for(lock, std::chrono::milliseconds(patience.count),
                                  [this] { return state_->in_flight < in_flight_max_; })) {
      return false;
    }
    ++state_->in_flight;
  }
  AppendCall call;
  call.client = name_;
  call.partition = static_cast<std::int32_t>(number_ % partitions_);
  call.value = prefix_ + std::to_string(number_++);
  call.called_us = parts_.clock.monotonic_us();
  parts_.history.called(call);
  const TopicPartition where{kTopic, call.partition};
  Record record = record_of(call.value);
  parts_.log.append(where, std::move(record),
                    [parts = parts_, state = state_, call](const AppendOutcome& outcome) mutable {
                      call.ended_us = parts.clock.monotonic_us();
                      call.outcome = outcome_of(outcome);
                      call.position = outcome.position.value;
                      if (!outcome.committed()) call.error = outcome.error.text();
                      parts.history.ended(call);
                      state->refusals = outcome.committed() ? 0 : state->refusals + 1;
                      const std::lock_guard lock(state->mutex);
                      --state->in_flight;
                      state->changed.notify_all();
                    });
  return true;
}

bool Appender::wait_answered(Millis patience) {
  std::unique_lock lock(state_->mutex);
  return state_->changed.wait_for(lock, std::chrono::milliseconds(patience.count),
                                  [this] { return state_->in_flight == 0; });
}

PartitionReader::PartitionReader(ClientParts parts, std::string name, std::int32_t partition,
                                 std::int64_t back)
    : parts_(parts),
      name_(parts.history.process() + "/" + std::move(name)),
      where_{kTopic, partition},
      back_(back) {}

// A history does not tell of errors that pass; of others it does.
void PartitionReader::refuse(const Error& error, std::int64_t called_us) {
  if (error.retryable()) return;
  refused_ = true;
  PollCall poll{
      name_, session_, where_.partition, called_us, parts_.clock.monotonic_us(), Outcome::failed, 0,
      0,     {},       error.text()};
  if (next_) poll.from = poll.next = next_->value;
  parts_.history.polled(poll);
}

bool PartitionReader::open() {
  const std::int64_t called_us = parts_.clock.monotonic_us();
  if (!next_) {
    const auto marks = parts_.log.marks(where_);
    if (!marks.ok()) return refuse(marks.error(), called_us), false;
    const bool all = back_ > marks->high.value - marks->low.value;
    next_ = all ? marks->low : Position{marks->high.value - back_};
  }
  auto reader = parts_.log.open_reader(where_, *next_);
  if (!reader.ok()) return refuse(reader.error(), called_us), false;
  reader_ = std::move(*reader);
  ++session_;
  return true;
}

bool PartitionReader::poll_once() {
  if (refused_ || (!reader_ && !open())) return false;
  PollCall poll;
  poll.client = name_;
  poll.session = session_;
  poll.partition = where_.partition;
  poll.from = next_->value;
  poll.called_us = parts_.clock.monotonic_us();
  auto batch = reader_->poll(kPollBytesMax);
  poll.ended_us = parts_.clock.monotonic_us();
  if (!batch.ok()) return refuse(batch.error(), poll.called_us), false;
  for (const StoredRecord& record : batch->records) {
    poll.got.emplace_back(record.position.value, value_of(record.record));
  }
  poll.next = batch->next.value;
  next_ = batch->next;
  if (poll.got.empty() && poll.next == poll.from) return false;
  parts_.history.polled(poll);
  return true;
}

void PartitionReader::go_back(Random& random) {
  if (!next_ || refused_) return;
  const auto marks = parts_.log.marks(where_);
  if (!marks.ok() || *next_ <= marks->low) return;
  reader_.reset();
  const auto span =
      static_cast<std::uint64_t>(std::min(kGoBackMax, next_->value - marks->low.value));
  next_ = Position{next_->value - 1 - static_cast<std::int64_t>(random.below(span))};
}

bool PartitionReader::read_to_end(Millis patience) {
  const std::int64_t until_us = parts_.clock.monotonic_us() + patience.count * 1000;
  std::optional<Position> end;
  while (!refused_) {
    if (!end) {
      const auto marks = parts_.log.marks(where_);
      if (marks.ok()) end = marks->high;
    }
    if (end && next_ && *next_ >= *end && reader_) return true;
    if (end && poll_once()) continue;
    if (parts_.clock.monotonic_us() > until_us) return false;
    std::this_thread::sleep_for(kPollPause);
  }
  return false;
}

bool ask_marks(const ClientParts& parts, const std::string& name, std::int32_t partition) {
  MarksCall call{
      parts.history.process() + "/" + name, partition, parts.clock.monotonic_us(), 0, 0, 0};
  const auto marks = parts.log.marks({kTopic, partition});
  if (!marks.ok()) return false;
  call.ended_us = parts.clock.monotonic_us();
  call.low = marks->low.value;
  call.high = marks->high.value;
  parts.history.told(call);
  return true;
}

}  // namespace sandtrail::history
