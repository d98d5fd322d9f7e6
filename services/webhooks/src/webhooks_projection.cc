// SPDX-License-Identifier: Apache-2.0
#include "codec/text.h"
#include "message.h"
#include "webhooks/webhooks_role.h"

namespace sandtrail {
namespace {

std::optional<MessageRow> row_at(const Rows& rows, const ExecutionId& id) {
  const auto stored = rows.get(id.view());
  if (!stored) return std::nullopt;
  auto row = from_text<MessageRow>(*stored);
  ST_ASSERT(row.ok());  // our own writing
  return std::move(row).value();
}

class WebhooksProjection final : public Projection {
 public:
  std::string_view name() const override { return kWebhooksProjection; }
  bool folds(TopicKind topic) const override { return topic == TopicKind::events; }

  void apply(const Folded& folded, const CoreState& state, Rows& rows) const override {
    if (!folded.applied()) return;
    if (const auto* requested = folded.applied_as<ExecutionRequested>()) {
      MessageRow row;
      row.language = requested->language;
      row.input = requested->payload;
      row.requested = folded.stamp;
      rows.put(requested->execution.view(), to_text(row));
    } else if (const auto* finished = folded.applied_as<ExecutionFinished>()) {
      ended(folded, finished->execution, rows,
            [finished](MessageRow& row) { row.finished = *finished; });
    } else if (const auto* rejected = folded.applied_as<ExecutionRejected>()) {
      ended(folded, rejected->execution, rows, [rejected](MessageRow& row) {
        row.reason = enum_text(rejected->reason);
        row.detail = rejected->detail;
      });
    } else if (const auto* lost = folded.applied_as<ExecutionLost>()) {
      ended(folded, lost->execution, rows, [lost](MessageRow& row) { row.reason = lost->reason; });
    } else if (const auto* cancelled = folded.applied_as<ExecutionCancelled>()) {
      ended(folded, cancelled->execution, rows, [](MessageRow&) {});
    }
    drop_if_over(folded, state, rows);
  }

 private:
  template <typename Change>
  static void ended(const Folded& folded, const ExecutionId& id, Rows& rows, Change&& change) {
    auto row = row_at(rows, id);
    if (!row) return;
    row->ended = folded.stamp;
    change(*row);
    rows.put(id.view(), to_text(*row));
  }

  // Nothing more to tell, or nothing left to tell of.
  static void drop_if_over(const Folded& folded, const CoreState& state, Rows& rows) {
    const auto id = ExecutionId::parse(folded.event->correlation);
    if (!id) return;
    const ExecutionRow* row = state.executions.find(*id);
    if (row == nullptr || !is_terminal(row->status)) return;
    if (row->erased || (row->notify.empty() && row->deliveries_open == 0)) rows.remove(id->view());
  }
};

}  // namespace

std::unique_ptr<Projection> make_webhooks_projection() {
  return std::make_unique<WebhooksProjection>();
}

}  // namespace sandtrail
