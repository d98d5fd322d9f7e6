// SPDX-License-Identifier: Apache-2.0
#include "auth.h"
#include "gather.h"
#include "new_key.h"
#include "operators.h"
#include "pages.h"
#include "requests.h"
#include "secrets.h"
#include "submit.h"
#include "views.h"

namespace sandtrail::gateway {
namespace {

struct PreparedOrganization {
  std::string name;
  MicroCredits grant;
  OrgLimits limits;
};

// Steps of one creation; each is folded before the next.
struct Creation {
  Context& context;
  CallPtr call;
  PreparedOrganization asked;
  std::string callback_secret;
};
using CreationPtr = std::shared_ptr<Creation>;

void answer(const CreationPtr& creation, const std::string& api_key) {
  const CallPtr& call = creation->call;
  query(creation->context, call, creation->context.runtime.home(call->org),
        [creation, api_key](const PartitionView& view) {
          const Call& c = *creation->call;
          json::object body;
          body["organization"] = to_json(view_of(c.org, *view.state().orgs.find(c.org)));
          body["api_key"] = json::value(std::string_view(api_key));
          body["callback_secret"] = json::value(std::string_view(creation->callback_secret));
          respond_json(
              c, 201, body,
              {{"Location", "/operator/organizations/" + c.org.text()},
               {"Sandtrail-Position", position_text(view.where(), {view.next().value - 1})}});
        });
}

void propose_first_key(const CreationPtr& creation) {
  Context& context = creation->context;
  const CallPtr& call = creation->call;
  NewKey key = make_api_key(context, call->org, "first key", KeyRole::admin, std::nullopt);
  Submission submission;
  submission.applied = [creation, text = key.text](Position) { answer(creation, text); };
  submit(context, call, context.runtime.home(call->org),
         proposal_of(*call, key.id.text(), std::move(key.event)), std::move(submission));
}

void propose_organization(const CreationPtr& creation, const DataKeyId& key) {
  Context& context = creation->context;
  const CallPtr& call = creation->call;
  OrganizationCreated event;
  event.organization = call->org;
  event.name = creation->asked.name;
  event.grant = creation->asked.grant;
  event.limits = creation->asked.limits;
  event.key = key;
  creation->callback_secret = make_webhook_secret(context.random);
  auto sealed = context.payloads().seal(key, {"callback_secret", ""}, creation->callback_secret);
  if (!sealed.ok()) return respond(*call, internal_problem(*call, sealed.error()));
  event.callback_secret = std::move(sealed).value();
  Submission submission;
  submission.applied = [creation](Position) { propose_first_key(creation); };
  submission.discard = [&context, key] { context.keyring().destroy(key, [](const Status&) {}); };
  submit(context, call, context.runtime.home(call->org),
         proposal_of(*call, call->org.text(), std::move(event)), std::move(submission));
}

}  // namespace

std::optional<Problem> prepare_organization(Context& context, Call& call) {
  reflect::ReadContext out;
  OrganizationRequest in;
  PreparedOrganization prepared;
  prepared.grant.count = context.options.signup_credits * kMicroCreditsPerCredit;
  if (const auto grant = take_member(call.body, "grant_credits")) {
    prepared.grant = read_credits(*grant, "/grant_credits", out);
  }
  read_body_as(call.body, in, out);
  if (out.problems.empty()) check_name(in.name, "/name", out);
  check_limits(in.limits, "/limits", out);
  if (!out.problems.empty()) return invalid_request(std::move(out.problems));
  prepared.name = std::move(in.name);
  prepared.limits = with_limits({}, in.limits);
  call.prepared = std::move(prepared);
  return std::nullopt;
}

void create_organization(Context& context, const CallPtr& call) {
  call->org = OrgId::fresh(context.clock, context.random);
  const auto creation = std::make_shared<Creation>(
      Creation{context, call, std::any_cast<PreparedOrganization>(call->prepared), ""});
  // The organisation's key stands right under the root.
  with_new_key(context, call, DataKeyId(),
               [creation](const DataKeyId& id) { propose_organization(creation, id); });
}

void list_organizations(Context& context, const CallPtr& call) {
  const auto limit = page_limit(*call);
  if (!limit) return;
  std::optional<OrgId> before;
  if (const auto cursor = call->parameter("cursor")) {
    before = OrgId::parse(*cursor);
    if (!before) return respond(*call, invalid_parameter("cursor", "is none of this list"));
  }
  using Shown = std::vector<std::pair<OrgId, json::value>>;
  const auto newest = [limit = *limit, before](const PartitionView& view) {
    Shown out;
    const auto& rows = view.state().orgs.rows();
    auto at = before ? rows.lower_bound(*before) : rows.end();
    // One more than a page has, so that it is seen whether another follows.
    while (at != rows.begin() && out.size() <= limit) {
      --at;
      out.emplace_back(at->first, to_json(view_of(at->first, at->second)));
    }
    return out;
  };
  gather<Shown>(context, call, false, newest, [call, limit = *limit](std::vector<Shown> parts) {
    Shown all;
    for (Shown& part : parts) std::move(part.begin(), part.end(), std::back_inserter(all));
    std::sort(all.begin(), all.end(),
              [](const auto& a, const auto& b) { return a.first > b.first; });
    Page page;
    for (std::size_t i = 0; i < all.size() && i < limit; ++i) {
      page.data.push_back(std::move(all[i].second));
    }
    if (all.size() > limit) page.next = all[limit - 1].first.text();
    respond_page(*call, std::move(page));
  });
}

void get_organization(Context&, const CallPtr& call, const PartitionView& view) {
  respond_json(*call, 200, to_json(view_of(call->org, *view.state().orgs.find(call->org))));
}

}  // namespace sandtrail::gateway
