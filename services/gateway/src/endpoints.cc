// SPDX-License-Identifier: Apache-2.0
#include "answers.h"
#include "base/limits.h"
#include "control.h"
#include "crypto/secret.h"
#include "domain/notify.h"
#include "pages.h"
#include "requests.h"
#include "secrets.h"
#include "submit.h"
#include "views.h"

namespace sandtrail::gateway {
namespace {

void respond_endpoint(Context& context, const CallPtr& call, const EndpointId& id,
                      const std::string& secret) {
  const auto read = [call, id, secret](const PartitionView& view) {
    const EndpointRow* row = view.state().endpoints.find(id);
    if (row == nullptr) return respond(*call, Problem{"not_found", "no such endpoint", {}, {}});
    EndpointView shown = view_of(id, *row);
    if (!secret.empty()) shown.secret = secret;
    respond_json(*call, 201, to_json(shown),
                 {{"Location", "/v1/webhook-endpoints/" + id.text()},
                  {"Sandtrail-Position", position_text(view.where(), {view.next().value - 1})}});
  };
  query(context, call, context.runtime.home(call->org), read);
}

// The endpoint of the call's organisation, or it answers 404.
const EndpointRow* own_endpoint(const Call& call, const PartitionView& view,
                                const std::optional<EndpointId>& id) {
  if (!id) return nullptr;
  const EndpointRow* row = view.state().endpoints.find(*id);
  if (row != nullptr && row->org == call.org) return row;
  respond(call, Problem{"not_found", "no such endpoint", {}, {}});
  return nullptr;
}

}  // namespace

std::optional<Problem> prepare_endpoint(Context& context, Call& call) {
  reflect::ReadContext out;
  EndpointRequest in;
  read_body_as(call.body, in, out);
  if (out.problems.empty()) {
    check_url(context.options.addresses, in.url, "/url", out);
    if (in.events.size() > limits::kWebhookEventFiltersMax) {
      out.add("/events",
              "must be at most " + std::to_string(limits::kWebhookEventFiltersMax) + " filters");
    }
    for (std::size_t i = 0; i < in.events.size(); ++i) {
      if (filter_is_valid(in.events[i])) continue;
      out.add("/events/" + std::to_string(i),
              "must be execution.* or execution.finished, .rejected, .cancelled or .lost");
    }
  }
  if (!out.problems.empty()) return invalid_request(std::move(out.problems));
  call.prepared = std::move(in);
  return std::nullopt;
}

void create_endpoint(Context& context, const CallPtr& call, const PartitionView& view) {
  const DataKeyId org_key = view.state().orgs.find(call->org)->key;
  context.executor([&context, call, org_key, home = view.where()] {
    const auto& in = std::any_cast<const EndpointRequest&>(call->prepared);
    WebhookEndpointCreated event;
    event.endpoint = EndpointId::fresh(context.clock, context.random);
    event.url = in.url;
    event.events = in.events;
    const EndpointId id = event.endpoint;
    const std::string secret = make_webhook_secret(context.random);
    auto sealed = context.payloads().seal(org_key, {"webhook_secret", id.text()}, secret);
    if (!sealed.ok()) return respond(*call, internal_problem(*call, sealed.error()));
    event.secret = std::move(sealed).value();
    Submission submission;
    submission.applied = [&context, call, id, secret](Position) {
      respond_endpoint(context, call, id, secret);
    };
    submission.replayed = [&context, call](const std::string& existing) {
      const auto first = EndpointId::parse(existing);
      ST_ASSERT(first.has_value());
      respond_endpoint(context, call, *first, "");
    };
    submit_idempotent(context, call, home, org_key, proposal_of(*call, id.text(), std::move(event)),
                      std::move(submission));
  });
}

void list_endpoints(Context&, const CallPtr& call, const PartitionView& view) {
  const CoreState& state = view.state();
  respond_ids<EndpointId>(
      *call, state.orgs.find(call->org)->endpoints,
      [&state](const EndpointId& id) { return to_json(view_of(id, *state.endpoints.find(id))); });
}

void get_endpoint(Context&, const CallPtr& call, const PartitionView& view) {
  const auto id = id_in_path<EndpointId>(*call);
  const EndpointRow* row = own_endpoint(*call, view, id);
  if (row != nullptr) respond_json(*call, 200, to_json(view_of(*id, *row)));
}

void delete_endpoint(Context& context, const CallPtr& call, const PartitionView& view) {
  const auto id = id_in_path<EndpointId>(*call);
  if (own_endpoint(*call, view, id) == nullptr) return;
  Submission submission;
  submission.applied = [call, where = view.where()](Position position) {
    respond_deleted(*call, where, position);
  };
  submit(context, call, view.where(), proposal_of(*call, id->text(), WebhookEndpointDeleted{*id}),
         std::move(submission));
}

}  // namespace sandtrail::gateway
