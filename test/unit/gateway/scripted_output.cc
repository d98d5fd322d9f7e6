// SPDX-License-Identifier: Apache-2.0
#include "scripted_output.h"

#include <chrono>

#include "base/assert.h"

namespace sandtrail {
namespace {

constexpr std::chrono::seconds kDeadline{20};

}  // namespace

void ScriptedOutput::Followed::give(OutputStream stream, BytesView bytes) {
  sink.on_bytes(stream, next_.of(stream), bytes);
  next_.of(stream) += static_cast<std::int64_t>(bytes.size());
}

std::unique_ptr<OutputSubscription> ScriptedOutput::follow(const OutputTarget& target,
                                                           const OutputOffsets& from,
                                                           OutputSink sink) {
  class Subscription final : public OutputSubscription {
   public:
    Subscription(ScriptedOutput& source, std::shared_ptr<Followed> followed)
        : source_(source), followed_(std::move(followed)) {}
    ~Subscription() override {
      const std::lock_guard lock(source_.mutex_);
      followed_->dropped = true;
      source_.changed_.notify_all();
    }

   private:
    ScriptedOutput& source_;
    std::shared_ptr<Followed> followed_;
  };
  auto made = std::make_shared<Followed>();
  made->target = target;
  made->from = made->next_ = from;
  made->sink = std::move(sink);
  const std::lock_guard lock(mutex_);
  followed_.push_back(made);
  changed_.notify_all();
  return std::make_unique<Subscription>(*this, made);
}

std::shared_ptr<ScriptedOutput::Followed> ScriptedOutput::followed(std::size_t index) {
  std::unique_lock lock(mutex_);
  ST_ASSERT(changed_.wait_for(lock, kDeadline, [&] { return followed_.size() > index; }));
  return followed_[index];
}

std::size_t ScriptedOutput::count() const {
  const std::lock_guard lock(mutex_);
  return followed_.size();
}

void ScriptedOutput::until_dropped(std::size_t index) {
  std::unique_lock lock(mutex_);
  ST_ASSERT(changed_.wait_for(
      lock, kDeadline, [&] { return followed_.size() > index && followed_[index]->dropped; }));
}

}  // namespace sandtrail
