// SPDX-License-Identifier: Apache-2.0
#include "base/limits.h"
#include "operators.h"
#include "requests.h"
#include "submit.h"
#include "views.h"

namespace sandtrail::gateway {
namespace {

struct PreparedGrant {
  MicroCredits amount;
  std::string reason;
};

void respond_organization(Context& context, const CallPtr& call, int status, Position position) {
  query(context, call, context.runtime.home(call->org),
        [call, status, position](const PartitionView& view) {
          respond_json(*call, status,
                       to_json(view_of(call->org, *view.state().orgs.find(call->org))),
                       {{"Sandtrail-Position", position_text(view.where(), position)}});
        });
}

}  // namespace

std::optional<Problem> prepare_grant(Context&, Call& call) {
  reflect::ReadContext out;
  GrantRequest in;
  PreparedGrant prepared;
  if (const auto amount = take_member(call.body, "amount_credits")) {
    prepared.amount = read_credits(*amount, "/amount_credits", out);
    if (out.problems.empty() && prepared.amount.count == 0) {
      out.add("/amount_credits", "must be more than nothing");
    }
  } else {
    out.add("/amount_credits", "is required");
  }
  const std::size_t problems = out.problems.size();
  read_body_as(call.body, in, out);
  if (out.problems.size() == problems) check_name(in.reason, "/reason", out);
  if (!out.problems.empty()) return invalid_request(std::move(out.problems));
  prepared.reason = std::move(in.reason);
  call.prepared = std::move(prepared);
  return std::nullopt;
}

void create_grant(Context& context, const CallPtr& call, const PartitionView& view) {
  const DataKeyId org_key = view.state().orgs.find(call->org)->key;
  context.executor([&context, call, org_key, where = view.where()] {
    const auto& in = std::any_cast<const PreparedGrant&>(call->prepared);
    Submission submission;
    submission.applied = [&context, call](Position position) {
      respond_organization(context, call, 201, position);
    };
    submission.replayed = [&context, call, where](const std::string&) {
      query(context, call, where, [&context, call](const PartitionView& later) {
        respond_organization(context, call, 201, {later.next().value - 1});
      });
    };
    submit_idempotent(
        context, call, where, org_key,
        proposal_of(*call, call->org.text(), BillingGranted{call->org, in.amount, in.reason}),
        std::move(submission));
  });
}

std::optional<Problem> prepare_limits(Context&, Call& call) {
  reflect::ReadContext out;
  LimitsRequest in;
  read_body_as(call.body, in, out);
  if (out.problems.empty() && !in.queued_max && !in.running_max) {
    out.add("", "must have queued_max or running_max");
  }
  check_limits(in, "", out);
  if (!out.problems.empty()) return invalid_request(std::move(out.problems));
  call.prepared = in;
  return std::nullopt;
}

void change_limits(Context& context, const CallPtr& call, const PartitionView& view) {
  const OrgRow& org = *view.state().orgs.find(call->org);
  const auto& in = std::any_cast<const LimitsRequest&>(call->prepared);
  Proposal proposal = proposal_of(
      *call, call->org.text(), OrganizationLimitsChanged{call->org, with_limits(org.limits, in)});
  // What is not named stays as it is here; a change in between must not be undone unseen.
  proposal.expected_version = org.version;
  Submission submission;
  submission.applied = [&context, call](Position position) {
    respond_organization(context, call, 200, position);
  };
  submit(context, call, view.where(), std::move(proposal), std::move(submission));
}

}  // namespace sandtrail::gateway
