// SPDX-License-Identifier: Apache-2.0
#include "control.h"
#include "executions.h"
#include "gateway/read_model.h"
#include "pages.h"
#include "rows.h"
#include "views.h"

namespace sandtrail::gateway {
namespace {

// Those whose ids stand under `prefix`, newest first.
void respond_deliveries(const Call& call, const PartitionView& view, const Bytes& prefix,
                        bool known) {
  const auto query = page_query(call);
  if (!query) return;
  const Rows& rows = view.rows(ReadModel::kName);
  Page page;
  page.next = walk(rows, prefix, *query, [&](std::int64_t, BytesView id) {
    if (page.data.size() == query->limit) return false;
    const auto doc = delivery_at(rows, DeliveryId::derived(id));
    if (doc && doc->org == call.org) page.data.push_back(to_json(view_of(*doc, false)));
    return true;
  });
  if (page.data.empty() && !known) {
    return respond(call, Problem{"not_found", "no such endpoint", {}, {}});
  }
  respond_page(call, std::move(page));
}

}  // namespace

// Also of an endpoint that is deleted: its deliveries remain.
void list_endpoint_deliveries(Context&, const CallPtr& call, const PartitionView& view) {
  const auto id = EndpointId::parse(call->path.back());
  if (!id) return respond(*call, Problem{"not_found", "no such endpoint", {}, {}});
  const EndpointRow* row = view.state().endpoints.find(*id);
  const bool known = row != nullptr && row->org == call->org;
  respond_deliveries(*call, view, row_key('p', *id), known);
}

void list_execution_deliveries(Context&, const CallPtr& call, const PartitionView& view) {
  const auto doc = own_execution(*call, view);
  if (doc) respond_deliveries(*call, view, row_key('y', doc->id), true);
}

void get_delivery(Context&, const CallPtr& call, const PartitionView& view) {
  const auto id = id_in_path<DeliveryId>(*call);
  if (!id) return;
  const auto doc = delivery_at(view.rows(ReadModel::kName), *id);
  if (!doc || doc->org != call->org) {
    return respond(*call, Problem{"not_found", "no such delivery", {}, {}});
  }
  respond_json(*call, 200, to_json(view_of(*doc, true)));
}

}  // namespace sandtrail::gateway
