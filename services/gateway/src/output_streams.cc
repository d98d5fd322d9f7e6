// SPDX-License-Identifier: Apache-2.0
#include "output_streams.h"

#include <atomic>
#include <set>

#include "gateway/read_model.h"
#include "rows.h"
#include "trail.h"

namespace sandtrail::gateway {

void OutputStreams::add(const ExecutionDoc& doc, const KeyId& key,
                        std::shared_ptr<http::Stream> stream, const OutputCursor& from) {
  // Its id is known before anything can be over: update() comes after.
  const auto place = std::make_shared<std::atomic<Table::Id>>(0);
  const auto session =
      std::make_shared<OutputSession>(parts_, stream, from, [this, place] { drop(place->load()); });
  const auto id = table_.add(doc.id, key, session);
  if (!id) return;
  *place = *id;
  heartbeat_.start();
  stream->on_closed([this, id = *id] { drop(id); });
  session->update(doc);
}

void OutputStreams::on_committed(const PartitionView& view, const std::vector<Folded>& batch) {
  if (size() == 0) return;
  std::set<ExecutionId> touched;
  for (const Folded& folded : batch) {
    if (!folded.applied()) continue;
    if (const auto* revoked = folded.applied_as<ApiKeyRevoked>()) {
      for (const auto& [id, session] : table_.of_key(revoked->key)) drop(id);
    }
    if (const auto execution = trail_of(folded.event->body)) touched.insert(*execution);
  }
  for (const ExecutionId& execution : touched) {
    const auto sessions = table_.of(execution);
    if (sessions.empty()) continue;
    const auto doc = execution_at(view.rows(ReadModel::kName), execution);
    if (!doc) continue;
    for (const auto& [id, session] : sessions) session->update(*doc);
  }
}

bool OutputStreams::beat() {
  for (const auto& [id, session] : table_.all()) {
    if (!session->beat()) drop(id);
  }
  return table_.size() > 0;
}

void OutputStreams::drop(Table::Id id) {
  if (const auto session = table_.take(id)) session->close();
}

void OutputStreams::stop() {
  table_.stop();
  for (const auto& [id, session] : table_.all()) drop(id);
}

}  // namespace sandtrail::gateway
