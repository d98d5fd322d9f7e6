// SPDX-License-Identifier: Apache-2.0
#include "exchange.h"

#include "base/limits.h"

namespace sandtrail::http {
namespace {

class StreamOf final : public Stream {
 public:
  explicit StreamOf(std::shared_ptr<Exchange> exchange) : exchange_(std::move(exchange)) {}
  ~StreamOf() override { exchange_->drop_stream(); }
  bool write(Bytes chunk) override { return exchange_->write(std::move(chunk)); }
  void finish() override { exchange_->finish(); }
  void on_closed(std::function<void()> closed) override {
    exchange_->on_stream_end(std::move(closed));
  }

 private:
  std::shared_ptr<Exchange> exchange_;
};

// For a second answer to one request: nothing gets through.
class ClosedStream final : public Stream {
 public:
  bool write(Bytes) override { return false; }
  void finish() override {}
  void on_closed(std::function<void()> closed) override { closed(); }
};

class ResponderOf final : public Responder {
 public:
  explicit ResponderOf(std::shared_ptr<Exchange> exchange) : exchange_(std::move(exchange)) {}
  ~ResponderOf() override { exchange_->abandon(); }
  void respond(Response response) override { exchange_->respond(std::move(response)); }
  std::shared_ptr<Stream> start_stream(Response head) override {
    if (!exchange_->start_stream(std::move(head))) return std::make_shared<ClosedStream>();
    return std::make_shared<StreamOf>(exchange_);
  }
  void on_closed(std::function<void()> closed) override { exchange_->on_lost(std::move(closed)); }

 private:
  std::shared_ptr<Exchange> exchange_;
};

}  // namespace

std::shared_ptr<Responder> make_responder(std::shared_ptr<Exchange> exchange) {
  return std::make_shared<ResponderOf>(std::move(exchange));
}

bool Exchange::begin_answer() {
  if (std::exchange(answered_, true)) return false;
  body_.resize(0);
  return true;
}

void Exchange::respond(Response response) {
  Callbacks dropped;  // destroyed outside the lock: they may own what calls back here
  const std::lock_guard lock(mutex_);
  if (!begin_answer()) return;
  dropped.swap(on_lost_);
  if (port_ != nullptr) port_->post_answer(std::move(response));
}

bool Exchange::start_stream(Response head) {
  Callbacks dropped;
  const std::lock_guard lock(mutex_);
  if (!begin_answer()) return false;
  dropped.swap(on_lost_);
  if (port_ != nullptr) port_->post_stream(std::move(head));
  return true;
}

void Exchange::abandon() {
  Callbacks dropped;
  const std::lock_guard lock(mutex_);
  if (!begin_answer()) return;
  dropped.swap(on_lost_);
  if (port_ != nullptr) port_->post_abandoned();
}

void Exchange::on_lost(std::function<void()> closed) {
  {
    const std::lock_guard lock(mutex_);
    if (answered_) return;
    if (port_ != nullptr) {
      on_lost_.push_back(std::move(closed));
      return;
    }
  }
  closed();
}

bool Exchange::write(Bytes chunk) {
  const std::lock_guard lock(mutex_);
  if (port_ == nullptr || finished_ || overrun_) return false;
  if (chunk.size() > limits::kHttpStreamBufferBytesMax - buffered_bytes_) {
    overrun_ = true;
    port_->post_cut();
    return false;
  }
  buffered_bytes_ += chunk.size();
  // One string rather than a list of chunks: a million one-byte chunks must not cost 32 MB.
  if (waiting_.empty()) {
    waiting_ = std::move(chunk);
  } else {
    waiting_ += chunk;
  }
  if (!waiting_.empty() && !std::exchange(flush_posted_, true)) port_->post_flush();
  return true;
}

void Exchange::finish() {
  const std::lock_guard lock(mutex_);
  if (port_ == nullptr || overrun_ || std::exchange(finished_, true)) return;
  if (!std::exchange(flush_posted_, true)) port_->post_flush();
}

void Exchange::drop_stream() {
  const std::lock_guard lock(mutex_);
  if (port_ != nullptr && !finished_ && !std::exchange(overrun_, true)) port_->post_cut();
}

void Exchange::on_stream_end(std::function<void()> closed) {
  {
    const std::lock_guard lock(mutex_);
    if (port_ != nullptr) {
      on_stream_end_.push_back(std::move(closed));
      return;
    }
  }
  closed();
}

bool Exchange::answered() {
  const std::lock_guard lock(mutex_);
  return answered_;
}

Exchange::Output Exchange::take() {
  const std::lock_guard lock(mutex_);
  flush_posted_ = false;
  return {std::exchange(waiting_, {}), finished_};
}

void Exchange::sent(std::size_t bytes) {
  const std::lock_guard lock(mutex_);
  buffered_bytes_ -= bytes;
}

void Exchange::end() {
  Callbacks lost;
  Callbacks ended;
  {
    const std::lock_guard lock(mutex_);
    if (port_ == nullptr) return;
    port_ = nullptr;
    waiting_.clear();
    if (!answered_) lost.swap(on_lost_);
    ended.swap(on_stream_end_);
  }
  for (const auto& callback : lost) callback();
  for (const auto& callback : ended) callback();
}

}  // namespace sandtrail::http
