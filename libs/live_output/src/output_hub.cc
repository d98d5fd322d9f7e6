// SPDX-License-Identifier: Apache-2.0
#include "live_output/output_hub.h"

#include <algorithm>
#include <map>
#include <mutex>
#include <optional>
#include <utility>
#include <vector>

namespace sandtrail {
namespace {

struct Follower;

struct Kept {
  Bytes bytes;
  std::optional<OutputCut> cut;
};

// One attempt.
struct Feed {
  Kept streams[2];
  bool over = false;
  std::vector<std::shared_ptr<Follower>> followers;

  Kept& of(OutputStream stream) { return streams[stream == OutputStream::out ? 0 : 1]; }
};

struct Follower {
  OutputSink sink;
  std::shared_ptr<Feed> feed;  // null once it is through
  OutputOffsets next;
  bool told_cut[2] = {false, false};
  bool busy = false;  // a thread is calling its sink, and will look for more news
};

using Call = std::function<void()>;

constexpr OutputStream kStreams[] = {OutputStream::out, OutputStream::err};

}  // namespace

struct OutputHub::State {
  explicit State(OutputHubOptions o) : options(o) {}

  const OutputHubOptions options;
  mutable std::mutex mutex;  // guards everything, followers and feeds included
  std::map<std::pair<ExecutionId, std::int64_t>, std::shared_ptr<Feed>> feeds;
  std::size_t bytes = 0;
  std::size_t followers = 0;

  // Requires the lock. The next thing to tell it; empty: there is no news.
  Call next_call(const std::shared_ptr<Follower>& follower);
  void leave(Follower& follower);  // requires the lock
  void tell(const std::shared_ptr<Follower>& follower);
  void tell(const std::vector<std::shared_ptr<Follower>>& followers_now) {
    for (const auto& follower : followers_now) tell(follower);
  }
};

Call OutputHub::State::next_call(const std::shared_ptr<Follower>& follower) {
  if (!follower->feed) return {};
  for (const OutputStream stream : kStreams) {
    const Kept& kept = follower->feed->of(stream);
    auto& next = follower->next.of(stream);
    if (const auto at = static_cast<std::size_t>(next); at < kept.bytes.size()) {
      Bytes piece = kept.bytes.substr(at, limits::kLiveChunkBytesMax);
      const auto offset = std::exchange(next, next + static_cast<std::int64_t>(piece.size()));
      return [follower, stream, offset, piece = std::move(piece)] {
        follower->sink.on_bytes(stream, offset, piece);
      };
    }
    bool& told = follower->told_cut[stream == OutputStream::out ? 0 : 1];
    if (kept.cut && !std::exchange(told, true)) {
      return [follower, stream, cut = *kept.cut] { follower->sink.on_cut(stream, cut); };
    }
  }
  if (!follower->feed->over) return {};
  leave(*follower);
  return [follower] { follower->sink.on_end(OutputEnd::over); };
}

void OutputHub::State::leave(Follower& follower) {
  if (!follower.feed) return;
  auto& all = follower.feed->followers;
  const auto feed = std::exchange(follower.feed, nullptr);
  std::erase_if(all, [&](const auto& other) { return other.get() == &follower; });
  --followers;
}

// News that come meanwhile are left to the thread that is at it: calls are one at a time, and a
// slow follower gets many small pieces as one.
void OutputHub::State::tell(const std::shared_ptr<Follower>& follower) {
  std::unique_lock lock(mutex);
  if (std::exchange(follower->busy, true)) return;
  while (const Call call = next_call(follower)) {
    lock.unlock();
    call();
    lock.lock();
  }
  follower->busy = false;
}

OutputHub::OutputHub(OutputHubOptions options) : state_(std::make_shared<State>(options)) {}
OutputHub::~OutputHub() = default;

void OutputHub::begin(const ExecutionId& execution, std::int64_t attempt) {
  const std::lock_guard lock(state_->mutex);
  state_->feeds.try_emplace({execution, attempt}, std::make_shared<Feed>());
}

void OutputHub::write(const ExecutionId& execution, std::int64_t attempt, OutputStream stream,
                      std::int64_t offset, BytesView bytes) {
  std::vector<std::shared_ptr<Follower>> followers;
  {
    const std::lock_guard lock(state_->mutex);
    const auto found = state_->feeds.find({execution, attempt});
    if (found == state_->feeds.end()) return;
    Kept& kept = found->second->of(stream);
    if (kept.cut) return;
    ST_ASSERT(offset == static_cast<std::int64_t>(kept.bytes.size()));
    if (bytes.empty()) {
      kept.cut = OutputCut::cap;
    } else if (bytes.size() > state_->options.bytes_max - state_->bytes) {
      kept.cut = OutputCut::memory;
    } else {
      kept.bytes += bytes;
      state_->bytes += bytes.size();
    }
    followers = found->second->followers;
  }
  state_->tell(followers);
}

void OutputHub::end(const ExecutionId& execution, std::int64_t attempt) {
  std::vector<std::shared_ptr<Follower>> followers;
  {
    const std::lock_guard lock(state_->mutex);
    const auto found = state_->feeds.find({execution, attempt});
    if (found == state_->feeds.end()) return;
    Feed& feed = *found->second;
    feed.over = true;
    for (const Kept& kept : feed.streams) state_->bytes -= kept.bytes.size();
    followers = feed.followers;
    state_->feeds.erase(found);  // who follows has it until it is through
  }
  state_->tell(followers);
}

std::unique_ptr<OutputSubscription> OutputHub::follow(const OutputTarget& target,
                                                      const OutputOffsets& from, OutputSink sink) {
  class Subscription final : public OutputSubscription {
   public:
    Subscription(std::shared_ptr<State> state, std::shared_ptr<Follower> follower)
        : state_(std::move(state)), follower_(std::move(follower)) {}
    ~Subscription() override {
      const std::lock_guard lock(state_->mutex);
      state_->leave(*follower_);
    }

   private:
    std::shared_ptr<State> state_;
    std::shared_ptr<Follower> follower_;
  };
  auto follower = std::make_shared<Follower>();
  follower->sink = std::move(sink);
  follower->next = from;
  auto subscription = std::make_unique<Subscription>(state_, follower);
  OutputEnd refused = OutputEnd::unknown;
  bool taken = false;
  {
    const std::lock_guard lock(state_->mutex);
    const auto found = state_->feeds.find({target.execution, target.attempt});
    if (found != state_->feeds.end()) {
      refused = OutputEnd::overloaded;
      taken = state_->followers < state_->options.followers_max;
      if (taken) {
        follower->feed = found->second;
        found->second->followers.push_back(follower);
        ++state_->followers;
      }
    }
  }
  if (taken) {
    state_->tell(follower);
  } else {
    follower->sink.on_end(refused);
  }
  return subscription;
}

std::size_t OutputHub::bytes() const {
  const std::lock_guard lock(state_->mutex);
  return state_->bytes;
}

std::size_t OutputHub::followers() const {
  const std::lock_guard lock(state_->mutex);
  return state_->followers;
}

}  // namespace sandtrail
