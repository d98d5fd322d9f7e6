// SPDX-License-Identifier: Apache-2.0
#include "answers.h"
#include "control.h"
#include "pages.h"
#include "requests.h"
#include "submit.h"
#include "views.h"

namespace sandtrail::gateway {

std::optional<Problem> prepare_api_key(Context& context, Call& call) {
  reflect::ReadContext out;
  ApiKeyRequest in;
  read_body_as(call.body, in, out);
  if (out.problems.empty()) {
    check_name(in.name, "/name", out);
    if (in.expires && *in.expires <= context.clock.now()) {
      out.add("/expires_at", "must be in the future");
    }
  }
  if (!out.problems.empty()) return invalid_request(std::move(out.problems));
  call.prepared = std::move(in);
  return std::nullopt;
}

void respond_api_key(Context& context, const CallPtr& call, const KeyId& id,
                     const std::string& text) {
  const auto read = [call, id, text](const PartitionView& view) {
    const KeyRow* row = view.state().keys.find(id);
    if (row == nullptr) return respond(*call, Problem{"not_found", "no such key", {}, {}});
    ApiKeyView shown = view_of(id, *row);
    if (!text.empty()) shown.api_key = text;
    respond_json(*call, 201, to_json(shown),
                 {{"Location", "/v1/api-keys/" + id.text()},
                  {"Sandtrail-Position", position_text(view.where(), {view.next().value - 1})}});
  };
  query(context, call, context.runtime.home(call->org), read);
}

void create_api_key(Context& context, const CallPtr& call, const PartitionView& view) {
  const DataKeyId org_key = view.state().orgs.find(call->org)->key;
  context.executor([&context, call, org_key, home = view.where()] {
    const auto& in = std::any_cast<const ApiKeyRequest&>(call->prepared);
    NewKey key = make_api_key(context, call->org, in.name, in.role, in.expires);
    Submission submission;
    submission.applied = [&context, call, id = key.id, text = key.text](Position) {
      respond_api_key(context, call, id, text);
    };
    submission.replayed = [&context, call](const std::string& existing) {
      const auto first = KeyId::parse(existing);
      ST_ASSERT(first.has_value());
      respond_api_key(context, call, *first, "");
    };
    submit_idempotent(context, call, home, org_key,
                      proposal_of(*call, key.id.text(), std::move(key.event)),
                      std::move(submission));
  });
}

void list_api_keys(Context&, const CallPtr& call, const PartitionView& view) {
  const CoreState& state = view.state();
  respond_ids<KeyId>(*call, state.orgs.find(call->org)->keys, [&state](const KeyId& id) {
    return to_json(view_of(id, *state.keys.find(id)));
  });
}

void delete_api_key(Context& context, const CallPtr& call, const PartitionView& view) {
  const auto id = id_in_path<KeyId>(*call);
  if (!id) return;
  const KeyRow* row = view.state().keys.find(*id);
  if (row == nullptr || row->org != call->org) {
    return respond(*call, Problem{"not_found", "no such key", {}, {}});
  }
  // A repeat finds what it asked for.
  if (row->revoked) return respond_deleted(*call, view.where(), {view.next().value - 1});
  Submission submission;
  submission.applied = [call, where = view.where()](Position position) {
    respond_deleted(*call, where, position);
  };
  submit(context, call, view.where(), proposal_of(*call, id->text(), ApiKeyRevoked{*id}),
         std::move(submission));
}

void respond_deleted(const Call& call, const TopicPartition& where, Position position) {
  http::Response response;
  response.status = 204;
  response.fields.set("Sandtrail-Position", position_text(where, position));
  respond(call, std::move(response));
}

}  // namespace sandtrail::gateway
