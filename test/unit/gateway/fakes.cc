// SPDX-License-Identifier: Apache-2.0
#include <chrono>

#include "world.h"

namespace sandtrail {
namespace {

constexpr std::chrono::milliseconds kDeadline{kTestDeadline.count};

}  // namespace

Worker::Worker() {
  thread_ = std::thread([this] {
    std::unique_lock lock(mutex_);
    while (true) {
      changed_.wait(lock, [this] { return stopped_ || !tasks_.empty(); });
      if (tasks_.empty()) return;
      auto task = std::move(tasks_.front());
      tasks_.pop_front();
      lock.unlock();
      task();
      task = nullptr;
      lock.lock();
    }
  });
}

void Worker::finish() {
  {
    const std::lock_guard lock(mutex_);
    stopped_ = true;
    changed_.notify_one();
  }
  if (thread_.joinable()) thread_.join();
}

void Worker::post(std::function<void()> task) {
  const std::lock_guard lock(mutex_);
  tasks_.push_back(std::move(task));
  changed_.notify_one();
}

bool FakeStream::write(Bytes chunk) {
  const std::lock_guard lock(mutex_);
  if (closed_) return false;
  text_ += chunk;
  changed_.notify_all();
  return true;
}

void FakeStream::finish() {
  const std::lock_guard lock(mutex_);
  finished_ = true;
  changed_.notify_all();
}

void FakeStream::on_closed(std::function<void()> closed) {
  const std::lock_guard lock(mutex_);
  on_closed_ = std::move(closed);
}

void FakeStream::close() {
  std::function<void()> closed;
  {
    const std::lock_guard lock(mutex_);
    closed_ = true;
    closed = std::move(on_closed_);
  }
  if (closed) closed();
}

std::string FakeStream::text_with(const std::string& part) {
  std::unique_lock lock(mutex_);
  ST_ASSERT(changed_.wait_for(lock, kDeadline,
                              [&] { return finished_ || text_.find(part) != std::string::npos; }));
  return text_;
}

std::string FakeStream::text_when_finished() {
  std::unique_lock lock(mutex_);
  ST_ASSERT(changed_.wait_for(lock, kDeadline, [this] { return finished_; }));
  return text_;
}

bool FakeStream::finished() {
  const std::lock_guard lock(mutex_);
  return finished_;
}

FakeResponder::~FakeResponder() {
  const std::lock_guard lock(outcome->mutex);
  outcome->dropped = !outcome->response && !outcome->stream;
  outcome->changed.notify_all();
}

void FakeResponder::respond(http::Response response) {
  const std::lock_guard lock(outcome->mutex);
  if (outcome->response || outcome->stream) return;
  outcome->response = std::move(response);
  outcome->changed.notify_all();
}

std::shared_ptr<http::Stream> FakeResponder::start_stream(http::Response head) {
  const std::lock_guard lock(outcome->mutex);
  outcome->stream = std::make_shared<FakeStream>();
  outcome->response = std::move(head);
  outcome->changed.notify_all();
  return outcome->stream;
}

void FakeResponder::on_closed(std::function<void()> closed) {
  const std::lock_guard lock(outcome->mutex);
  outcome->closed = std::move(closed);
}

json::value Reply::json() const {
  auto parsed = json::parse(body);
  ST_ASSERT(parsed.ok());
  return std::move(parsed).value();
}

std::string Reply::text(std::string_view member) const {
  const json::value parsed = json();
  return std::string(json::text_at(parsed.as_object(), member));
}

std::string Reply::field(std::string_view name) const {
  return std::string(fields.get(name).value_or(""));
}

std::vector<std::string> Reply::pointers() const {
  std::vector<std::string> out;
  const json::value parsed = json();
  const auto* errors = parsed.as_object().if_contains("errors");
  if (errors == nullptr) return out;
  for (const auto& error : errors->as_array()) {
    out.emplace_back(json::text_at(error.as_object(), "pointer"));
  }
  return out;
}

bool Pending::answered() const {
  const std::lock_guard lock(outcome_->mutex);
  return outcome_->response.has_value();
}

Reply Pending::get() const {
  std::unique_lock lock(outcome_->mutex);
  const bool in_time = outcome_->changed.wait_for(
      lock, kDeadline, [this] { return outcome_->response.has_value() || outcome_->dropped; });
  ST_ASSERT(in_time && outcome_->response.has_value());
  Reply reply;
  reply.status = outcome_->response->status;
  reply.fields = outcome_->response->fields;
  reply.body = outcome_->response->body;
  reply.stream = outcome_->stream;
  return reply;
}

void Pending::go_away() const {
  std::function<void()> closed;
  {
    const std::lock_guard lock(outcome_->mutex);
    closed = std::move(outcome_->closed);
  }
  if (closed) closed();
}

}  // namespace sandtrail
