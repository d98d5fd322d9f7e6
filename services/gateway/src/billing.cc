// SPDX-License-Identifier: Apache-2.0
#include "control.h"
#include "domain/ledger.h"
#include "gateway/read_model.h"
#include "pages.h"
#include "requests.h"
#include "rows.h"
#include "views.h"

namespace sandtrail::gateway {

void get_balance(Context&, const CallPtr& call, const PartitionView& view) {
  const OrgRow& org = *view.state().orgs.find(call->org);
  BalanceView shown;
  shown.balance = org.balance();
  shown.held = org.held;
  shown.available = org.available();
  shown.granted = org.granted;
  shown.settled = org.settled;
  shown.available_credits = credits_text(org.available());
  if (const RateCard* card = view.state().card(view.state().meta.rate_card)) {
    shown.rate_card = *card;
  }
  shown.position = position_text(view.where(), {view.next().value - 1});
  respond_json(*call, 200, to_json(shown));
}

void list_ledger(Context&, const CallPtr& call, const PartitionView& view) {
  const auto query = page_query(*call);
  if (!query) return;
  Page page;
  page.next = walk(view.rows(ReadModel::kName), row_key('b', call->org), *query,
                   [&](std::int64_t, BytesView value) {
                     if (page.data.size() == query->limit) return false;
                     page.data.push_back(to_json(row_from<LedgerEntry>(value)));
                     return true;
                   });
  respond_page(*call, std::move(page));
}

void list_languages(Context& context, const CallPtr& call, const PartitionView&) {
  json::array data;
  for (const LanguageInfo& language : context.options.languages) {
    data.push_back(to_json(LanguageView{language.name, language.defaults}));
  }
  json::object body;
  body["data"] = std::move(data);
  respond_json(*call, 200, body);
}

}  // namespace sandtrail::gateway
