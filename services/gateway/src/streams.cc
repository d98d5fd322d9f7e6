// SPDX-License-Identifier: Apache-2.0
#include "streams.h"

#include "base/limits.h"
#include "gateway/read_model.h"
#include "http/sse.h"
#include "rows.h"
#include "trail.h"

namespace sandtrail::gateway {

Streams::Streams(Timers& timers, Millis heartbeat) : timers_(timers), heartbeat_(heartbeat) {}

bool Streams::add(const ExecutionId& execution, const KeyId& key,
                  std::shared_ptr<http::Stream> stream) {
  Id id = 0;
  bool start_beating = false;
  {
    const std::lock_guard lock(mutex_);
    if (stopped_ || streams_.size() >= limits::kWaitersMax) return false;
    id = next_++;
    streams_[id] = {execution, key, stream};
    by_execution_.emplace(execution, id);
    start_beating = !std::exchange(beating_, true);
  }
  if (start_beating) timers_.after(heartbeat_, [this] { beat(); });
  stream->on_closed([this, id] { drop(id); });
  return true;
}

void Streams::on_committed(const PartitionView& view, const std::vector<Folded>& batch) {
  if (size() == 0) return;
  for (const Folded& folded : batch) {
    if (!folded.applied()) continue;
    if (const auto* revoked = folded.applied_as<ApiKeyRevoked>()) cut_off(revoked->key);
    const auto execution = trail_of(folded.event->body);
    if (!execution) continue;
    const auto followers = of(*execution);
    if (followers.empty()) continue;
    TrailDoc event = public_event(folded);
    const std::string text = http::sse_text(
        {std::to_string(folded.position.value), std::move(event.event), std::move(event.data)});
    const auto doc = execution_at(view.rows(ReadModel::kName), *execution);
    // The row is of the end of the batch; a later event of it still has to be written.
    const bool over = doc && doc->over() && doc->position == folded.position.value;
    for (const auto& [id, stream] : followers) {
      const bool alive = stream->write(text);
      if (alive && over) stream->finish();
      if (!alive || over) drop(id);
    }
  }
}

void Streams::beat() {
  std::vector<Follower> all;
  {
    const std::lock_guard lock(mutex_);
    for (const auto& [id, entry] : streams_) all.emplace_back(id, entry.stream);
    beating_ = !all.empty();
  }
  for (const auto& [id, stream] : all) {
    if (!stream->write(http::sse_comment())) drop(id);
  }
  if (!all.empty()) timers_.after(heartbeat_, [this] { beat(); });
}

std::vector<Streams::Follower> Streams::of(const ExecutionId& execution) const {
  const std::lock_guard lock(mutex_);
  std::vector<Follower> out;
  const auto [first, last] = by_execution_.equal_range(execution);
  for (auto at = first; at != last; ++at) {
    out.emplace_back(at->second, streams_.at(at->second).stream);
  }
  return out;
}

void Streams::cut_off(const KeyId& key) {
  std::vector<Id> ids;
  {
    const std::lock_guard lock(mutex_);
    for (const auto& [id, entry] : streams_) {
      if (entry.key == key) ids.push_back(id);
    }
  }
  for (const Id id : ids) drop(id);
}

void Streams::drop(Id id) {
  std::shared_ptr<http::Stream> last;  // released outside the lock
  const std::lock_guard lock(mutex_);
  const auto found = streams_.find(id);
  if (found == streams_.end()) return;
  last = std::move(found->second.stream);
  const auto [first, end] = by_execution_.equal_range(found->second.execution);
  for (auto at = first; at != end; ++at) {
    if (at->second != id) continue;
    by_execution_.erase(at);
    break;
  }
  streams_.erase(found);
}

void Streams::stop() {
  decltype(streams_) all;  // released outside the lock
  {
    const std::lock_guard lock(mutex_);
    stopped_ = true;
    all.swap(streams_);
    by_execution_.clear();
  }
}

std::size_t Streams::size() const {
  const std::lock_guard lock(mutex_);
  return streams_.size();
}

bool Streams::full() const {
  const std::lock_guard lock(mutex_);
  return stopped_ || streams_.size() >= limits::kWaitersMax;
}

}  // namespace sandtrail::gateway
