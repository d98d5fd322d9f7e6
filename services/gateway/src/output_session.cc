// SPDX-License-Identifier: Apache-2.0
#include "output_session.h"

#include <algorithm>

#include "base/limits.h"
#include "http/sse.h"
#include "opened.h"

namespace sandtrail::gateway {
namespace {

constexpr OutputStream kStreams[] = {OutputStream::out, OutputStream::err};

std::size_t index_of(OutputStream stream) {
  return stream == OutputStream::out ? 0 : 1;
}

}  // namespace

void OutputSession::update(const ExecutionDoc& doc) {
  std::unique_ptr<OutputSubscription> left;  // ends outside of the lock
  const std::lock_guard lock(mutex_);
  if (ended_ || !stream_) return;
  if (is_terminal(doc.status)) {
    ended_ = true;
    left = leave();
    parts_.executor([self = shared_from_this(), doc] { self->finish(doc); });
    return;
  }
  const bool runs =
      doc.status == ExecutionStatus::assigned || doc.status == ExecutionStatus::started;
  // A reader may have seen more at another gateway than is folded here.
  if (!runs || doc.attempt < cursor_.attempt) {
    left = leave();
    return;
  }
  if (doc.attempt != target_.attempt) left = leave();
  run(doc);
}

void OutputSession::run(const ExecutionDoc& doc) {
  if (doc.attempt != cursor_.attempt) begin(doc.attempt);
  // A host knows an attempt a moment before `started` is folded; before that it may not.
  const bool news = doc.attempt != target_.attempt || doc.status != status_;
  target_ = {doc.id, doc.attempt, doc.host_address};
  bytes_max_ = doc.limits.output_bytes;
  status_ = doc.status;
  const bool free = follow_ == Follow::idle || follow_ == Follow::waiting;
  if (!news || !free) return;
  if (parts_.source == nullptr) return write_gap("unavailable");
  failures_ = 0;
  schedule_follow();
}

void OutputSession::begin(std::int64_t attempt) {
  for (const OutputStream stream : kStreams) {
    write_pieces(stream, pieces(stream).flush());
    pieces(stream) = OutputPieces();
    told_truncated_[index_of(stream)] = false;
  }
  cursor_ = {attempt, {}};
  write(attempt_event(cursor_));
}

std::unique_ptr<OutputSubscription> OutputSession::leave() {
  ++generation_;
  follow_ = Follow::idle;
  target_ = {};
  failures_ = 0;
  told_gap_ = false;
  return std::move(subscription_);
}

void OutputSession::schedule_follow() {
  follow_ = Follow::asked;
  asked_status_ = status_;
  parts_.executor([session = weak_from_this(), generation = ++generation_] {
    if (const auto self = session.lock()) self->follow(generation);
  });
}

void OutputSession::schedule_retry() {
  follow_ = Follow::waiting;
  const auto doublings = std::min(failures_++, 10);
  const Millis delay{
      std::min(limits::kLiveRetryFirst.count << doublings, limits::kLiveRetryMax.count)};
  parts_.timers.after(delay, [session = weak_from_this(), generation = ++generation_] {
    const auto self = session.lock();
    if (!self) return;
    const std::lock_guard lock(self->mutex_);
    if (generation == self->generation_) self->schedule_follow();
  });
}

void OutputSession::follow(Generation generation) {
  OutputTarget target;
  OutputOffsets from;
  {
    const std::lock_guard lock(mutex_);
    if (generation != generation_) return;
    target = target_;
    from = {out_.received(), err_.received()};
  }
  auto subscription = parts_.source->follow(target, from, sink_of(generation));
  const std::lock_guard lock(mutex_);
  // It may have ended already, or have been left: then the subscription ends here.
  if (generation == generation_) subscription_.swap(subscription);
}

// By weak references: a source may call long after the reader is gone.
OutputSink OutputSession::sink_of(Generation generation) {
  OutputSink sink;
  sink.on_bytes = [session = weak_from_this(), generation](OutputStream stream, std::int64_t offset,
                                                           BytesView bytes) {
    if (const auto self = session.lock()) self->on_bytes(generation, stream, offset, bytes);
  };
  sink.on_cut = [session = weak_from_this(), generation](OutputStream stream, OutputCut cut) {
    if (const auto self = session.lock()) self->on_cut(generation, stream, cut);
  };
  sink.on_end = [session = weak_from_this(), generation](OutputEnd end) {
    if (const auto self = session.lock()) self->on_end(generation, end);
  };
  return sink;
}

void OutputSession::on_bytes(Generation generation, OutputStream stream, std::int64_t offset,
                             BytesView bytes) {
  const std::lock_guard lock(mutex_);
  if (generation != generation_ || !stream_) return;
  failures_ = 0;
  told_gap_ = false;
  // Never more than the result will have, whatever a host says.
  if (offset != pieces(stream).received()) return;
  const auto room = std::max<std::int64_t>(0, bytes_max_ - offset);
  bytes = bytes.substr(0, static_cast<std::size_t>(room));
  write_pieces(stream, pieces(stream).add(bytes));
}

void OutputSession::on_cut(Generation generation, OutputStream stream, OutputCut cut) {
  const std::lock_guard lock(mutex_);
  if (generation != generation_ || !stream_) return;
  if (cut == OutputCut::cap) return write_truncated(stream);
  write_gap("memory");
}

void OutputSession::on_end(Generation generation, OutputEnd end) {
  std::unique_ptr<OutputSubscription> left;
  const std::lock_guard lock(mutex_);
  if (generation != generation_ || !stream_) return;
  ++generation_;
  left = std::move(subscription_);
  if (end == OutputEnd::over) {
    follow_ = Follow::through;  // its result is on the way
    return;
  }
  if (end == OutputEnd::broken) write_gap("host_unreachable");
  if (end == OutputEnd::overloaded) write_gap("overloaded");
  if (end == OutputEnd::unknown && asked_status_ != status_) return schedule_follow();
  // It has most likely just ended; if it goes on, something else is wrong.
  const bool lasting = status_ == ExecutionStatus::started && failures_ > 0;
  if (end == OutputEnd::unknown && lasting) write_gap("unavailable");
  schedule_retry();
}

void OutputSession::finish(const ExecutionDoc& doc) {
  const auto opened = open_output(*parts_.payloads, doc);
  std::function<void()> over;
  {
    const std::lock_guard lock(mutex_);
    over = std::exchange(over_, nullptr);
    // Without its payload there is no end to tell: cut, and the reader comes back.
    if (stream_ && opened.ok()) {
      if (doc.attempt > 0 && doc.attempt != cursor_.attempt) begin(doc.attempt);
      for (const OutputStream stream : kStreams) {
        const bool out = stream == OutputStream::out;
        auto& to = pieces(stream);
        if (opened->output) {
          const BytesView kept = out ? opened->output->out.bytes : opened->output->err.bytes;
          const auto received = static_cast<std::size_t>(to.received());
          write_pieces(stream, to.add(kept.substr(std::min(kept.size(), received))));
        }
        write_pieces(stream, to.flush());
        const bool truncated =
            doc.result && (out ? doc.result->out.truncated : doc.result->err.truncated);
        if (truncated) write_truncated(stream);
      }
      write(finished_event(opened->doc, cursor_));
      stream_->finish();
    }
  }
  if (over) over();
}

void OutputSession::write_pieces(OutputStream stream,
                                 const std::vector<OutputPieces::Piece>& pieces) {
  for (const auto& piece : pieces) {
    cursor_.seen.of(stream) = piece.offset + static_cast<std::int64_t>(piece.bytes.size());
    write(piece_event(stream, piece, cursor_));
  }
}

void OutputSession::write_truncated(OutputStream stream) {
  if (std::exchange(told_truncated_[index_of(stream)], true)) return;
  write_pieces(stream, pieces(stream).flush());
  write(truncated_event(stream, cursor_));
}

// Once for each interruption.
void OutputSession::write_gap(std::string_view reason) {
  if (!std::exchange(told_gap_, true)) write(gap_event(reason, cursor_));
}

// Where the peer is gone, its connection tells the table.
void OutputSession::write(std::string text) {
  if (stream_) (void)stream_->write(std::move(text));
}

bool OutputSession::beat() {
  const std::lock_guard lock(mutex_);
  return stream_ && stream_->write(http::sse_comment());
}

void OutputSession::close() {
  std::unique_ptr<OutputSubscription> left;
  std::shared_ptr<http::Stream> last;  // cut outside of the lock
  const std::lock_guard lock(mutex_);
  left = leave();
  last = std::move(stream_);
}

}  // namespace sandtrail::gateway
