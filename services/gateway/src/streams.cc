// SPDX-License-Identifier: Apache-2.0
#include "streams.h"

#include "gateway/read_model.h"
#include "http/sse.h"
#include "rows.h"
#include "trail.h"

namespace sandtrail::gateway {

bool Streams::add(const ExecutionId& execution, const KeyId& key,
                  std::shared_ptr<http::Stream> stream) {
  const auto id = table_.add(execution, key, stream);
  if (!id) return false;
  heartbeat_.start();
  stream->on_closed([this, id = *id] { table_.take(id); });
  return true;
}

void Streams::on_committed(const PartitionView& view, const std::vector<Folded>& batch) {
  if (size() == 0) return;
  for (const Folded& folded : batch) {
    if (!folded.applied()) continue;
    if (const auto* revoked = folded.applied_as<ApiKeyRevoked>()) {
      for (const auto& [id, stream] : table_.of_key(revoked->key)) table_.take(id);
    }
    const auto execution = trail_of(folded.event->body);
    if (!execution) continue;
    const auto followers = table_.of(*execution);
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
      if (!alive || over) table_.take(id);
    }
  }
}

bool Streams::beat() {
  for (const auto& [id, stream] : table_.all()) {
    if (!stream->write(http::sse_comment())) table_.take(id);
  }
  return table_.size() > 0;
}

void Streams::stop() {
  table_.stop();
  for (const auto& [id, stream] : table_.all()) table_.take(id);
}

}  // namespace sandtrail::gateway
