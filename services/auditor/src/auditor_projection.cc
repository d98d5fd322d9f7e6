// SPDX-License-Identifier: Apache-2.0
#include "auditor/auditor_role.h"
#include "codec/text.h"
#include "domain/audit.h"

namespace sandtrail {
namespace {

class AuditorProjection final : public Projection {
 public:
  std::string_view name() const override { return kAuditorProjection; }
  bool folds(TopicKind topic) const override { return topic != TopicKind::audit; }

  void apply(const Folded& folded, const CoreState&, Rows& rows) const override {
    if (folded.event == nullptr) return;
    if (const auto* acknowledged = folded.applied_as<AuditAcknowledged>()) {
      drop_through(rows, acknowledged->through);
    }
    const AuditOrigin origin{folded.where.topic, folded.where.partition, folded.position.value,
                             folded.stamp};
    if (const auto entry = audit_entry_of(*folded.event, folded.judgement, origin)) {
      rows.put(key_of(folded.position.value), to_text(*entry));
    }
  }

 private:
  static Bytes key_of(std::int64_t position) {
    Bytes key;
    put_be64(key, static_cast<std::uint64_t>(position));
    return key;
  }

  static void drop_through(Rows& rows, std::int64_t through) {
    std::vector<Bytes> old;
    rows.scan("", key_of(through + 1), [&old](BytesView key, BytesView) {
      old.emplace_back(key);
      return true;
    });
    for (const Bytes& key : old) rows.remove(key);
  }
};

}  // namespace

std::unique_ptr<Projection> make_auditor_projection() {
  return std::make_unique<AuditorProjection>();
}

}  // namespace sandtrail
