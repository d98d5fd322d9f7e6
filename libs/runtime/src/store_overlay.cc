// SPDX-License-Identifier: Apache-2.0
#include "store_overlay.h"

#include <vector>

namespace sandtrail {

std::optional<Bytes> StoreOverlay::get(const Bytes& key) const {
  if (const auto found = pending_.find(key); found != pending_.end()) return found->second;
  auto stored = store_.get(key);
  if (stored.ok()) return std::move(stored).value();
  if (!error_) error_ = stored.error();
  return std::nullopt;
}

void StoreOverlay::scan(const Bytes& begin, const Bytes& end, bool backwards,
                        const Rows::Visit& visit) const {
  if (!end.empty() && begin >= end) return;
  // The batch's rows in the range, in the order of the scan. They are few: one batch's worth.
  std::vector<std::pair<BytesView, const std::optional<Bytes>*>> ours;
  const auto last = end.empty() ? pending_.end() : pending_.lower_bound(end);
  for (auto it = pending_.lower_bound(begin); it != last; ++it) {
    ours.emplace_back(it->first, &it->second);
  }
  if (backwards) ours = {ours.rbegin(), ours.rend()};

  std::size_t next = 0;
  bool go_on = true;
  const auto before = [backwards](BytesView a, BytesView b) { return backwards ? a > b : a < b; };
  const auto emit_ours = [&] {
    const auto& [key, value] = ours[next++];
    if (value->has_value()) go_on = visit(key, **value);
  };
  const auto merge = [&](BytesView key, BytesView value) {
    while (go_on && next < ours.size() && before(ours[next].first, key)) emit_ours();
    if (!go_on) return false;
    if (next < ours.size() && ours[next].first == key) {
      emit_ours();
    } else {
      go_on = visit(key, value);
    }
    return go_on;
  };
  const Status status =
      backwards ? store_.scan_back(begin, end, merge) : store_.scan(begin, end, merge);
  if (!status.ok() && !error_) error_ = status.error();
  while (go_on && next < ours.size()) emit_ours();
}

Result<WriteBatch> StoreOverlay::take() {
  if (error_) return *error_;
  WriteBatch batch;
  for (auto& [key, value] : pending_) {
    if (value) {
      batch.put(key, std::move(*value));
    } else {
      batch.remove(key);
    }
  }
  pending_.clear();
  return batch;
}

PrefixedRows::PrefixedRows(StoreOverlay& overlay, Bytes prefix)
    : overlay_(overlay), prefix_(std::move(prefix)) {}

std::optional<Bytes> PrefixedRows::get(BytesView key) const {
  return overlay_.get(prefix_ + Bytes(key));
}

void PrefixedRows::scan_either(BytesView begin, BytesView end, bool backwards,
                               const Visit& visit) const {
  const Bytes last = end.empty() ? prefix_end(prefix_) : prefix_ + Bytes(end);
  overlay_.scan(prefix_ + Bytes(begin), last, backwards, [&](BytesView key, BytesView value) {
    return visit(key.substr(prefix_.size()), value);
  });
}

void PrefixedRows::scan(BytesView begin, BytesView end, const Visit& visit) const {
  scan_either(begin, end, false, visit);
}

void PrefixedRows::scan_back(BytesView begin, BytesView end, const Visit& visit) const {
  scan_either(begin, end, true, visit);
}

void PrefixedRows::put(BytesView key, Bytes value) {
  overlay_.put(prefix_ + Bytes(key), std::move(value));
}

void PrefixedRows::remove(BytesView key) {
  overlay_.remove(prefix_ + Bytes(key));
}

}  // namespace sandtrail
