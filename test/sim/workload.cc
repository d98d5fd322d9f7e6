// SPDX-License-Identifier: Apache-2.0
#include "workload.h"

#include <algorithm>

#include "domain/payloads.h"

namespace sandtrail::sim {
namespace {

Actor an_operator() {
  Actor actor;
  actor.kind = ActorKind::op;
  actor.name = "root";
  return actor;
}

}  // namespace

const Workload::Tenant& Workload::tenant(const OrgId& org) const {
  return *std::find_if(tenants_.begin(), tenants_.end(),
                       [&org](const Tenant& tenant) { return tenant.org == org; });
}

Actor Workload::member_of(const Tenant& tenant) const {
  Actor actor;
  actor.kind = ActorKind::api_key;
  actor.key = tenant.member;
  actor.name = "member";
  return actor;
}

void Workload::propose(Process& process, Proposal proposal) {
  ++asked_;
  auto times = std::make_shared<int>(0);
  const TopicPartition where = process.runtime().home(proposal.org);
  process.runtime().propose(where, std::move(proposal), [this, times](const ProposalOutcome&) {
    ++*times;
    ++(*times == 1 ? answered_ : answered_twice_);
  });
}

OrgId Workload::create_organization(Process& process, std::int64_t credits) {
  Tenant tenant;
  tenant.org = OrgId::fresh(shared_.clock, shared_.random);
  process.keyring().create(tenant.org, {}, [&tenant](const Result<DataKeyId>& made) {
    if (made.ok()) tenant.key = *made;
  });
  ST_ASSERT(!tenant.key.nil());
  Proposal proposal;
  proposal.org = tenant.org;
  proposal.subject = tenant.org.text();
  proposal.actor = an_operator();
  OrganizationCreated created;
  created.organization = tenant.org;
  created.name = "tenant";
  created.grant = {credits * kMicroCreditsPerCredit / 1000};
  created.limits = {50, 4};
  created.key = tenant.key;
  proposal.body = created;
  propose(process, proposal);
  tenant.member = KeyId::fresh(shared_.clock, shared_.random);
  ApiKeyCreated key;
  key.key = tenant.member;
  key.name = "member";
  key.role = KeyRole::member;
  key.secret_sha256.bytes = Bytes(32, 's');
  proposal.subject = tenant.member.text();
  proposal.body = key;
  propose(process, proposal);
  tenants_.push_back(tenant);
  return tenant.org;
}

void Workload::grant(Process& process, const OrgId& org, std::int64_t credits) {
  Proposal proposal;
  proposal.org = org;
  proposal.subject = org.text();
  proposal.actor = an_operator();
  proposal.body = BillingGranted{org, {credits * kMicroCreditsPerCredit / 1000}, "more"};
  propose(process, std::move(proposal));
}

ExecutionId Workload::request(Process& process, const OrgId& org, const Order& order) {
  const Tenant& by = tenant(org);
  DataKeyId key;
  // The key store may be slow: then the tenant sees an error, and the key belongs to nothing.
  auto made_key = std::make_shared<DataKeyId>();
  process.keyring().create(org, by.key, [made_key](const Result<DataKeyId>& made) {
    if (made.ok()) *made_key = *made;
  });
  key = *made_key;
  if (key.nil()) return {};
  ExecutionInput input;
  input.code = std::string(order.input_bytes, '#');
  auto sealed = process.payloads().seal_json(key, {"input", ""}, input);
  if (!sealed.ok()) return {};
  ExecutionRequested requested;
  requested.execution = ExecutionId::fresh(shared_.clock, shared_.random);
  requested.language = order.language;
  requested.limits.wall_ms = order.wall_ms;
  requested.limits.memory_mib = order.memory_mib;
  requested.attempts_max = order.attempts_max;
  requested.retention = order.retention;
  requested.payload = std::move(sealed).value();
  Proposal proposal;
  proposal.org = org;
  proposal.subject = requested.execution.text();
  proposal.actor = member_of(by);
  if (!order.idempotency_key.empty()) {
    proposal.idempotency =
        Idempotency{{Bytes(org.view()) + order.idempotency_key}, {Bytes(32, 'b')}};
  }
  const ExecutionId id = requested.execution;
  proposal.body = std::move(requested);
  propose(process, std::move(proposal));
  requests_.push_back({org, id});
  return id;
}

void Workload::cancel(Process& process, const ExecutionId& execution) {
  const auto found =
      std::find_if(requests_.begin(), requests_.end(),
                   [&execution](const Request& r) { return r.execution == execution; });
  Proposal proposal;
  proposal.org = found->org;
  proposal.subject = execution.text();
  proposal.actor = member_of(tenant(found->org));
  proposal.body = ExecutionCancelRequested{execution};
  propose(process, std::move(proposal));
}

void Workload::trespass(Process& process, const OrgId& org) {
  Proposal proposal;
  proposal.org = org;
  proposal.subject = org.text();
  proposal.actor = member_of(tenant(org));
  switch (shared_.random.below(3)) {
    case 0:
      proposal.body = BillingGranted{org, {1'000'000}, "for me"};
      break;
    case 1:
      proposal.actor->key = KeyId::fresh(shared_.clock, shared_.random);
      proposal.body = ExecutionCancelRequested{ExecutionId::fresh(shared_.clock, shared_.random)};
      break;
    default:
      proposal.body = AccessDenied{"execution.create", "missing_scope", 3, {}, {}};
  }
  propose(process, std::move(proposal));
}

void Workload::act(Process& process) {
  Random& random = shared_.random;
  const OrgId org = tenants_[random.below(tenants_.size())].org;
  const std::uint64_t what = random.below(20);
  if (what == 0) return grant(process, org, 1 + static_cast<std::int64_t>(random.below(3)));
  if (what == 1) return trespass(process, org);
  if (what <= 4 && !requests_.empty()) {
    return cancel(process, requests_[random.below(requests_.size())].execution);
  }
  Order order;
  order.wall_ms = 200 + static_cast<std::int64_t>(random.below(8000));
  order.memory_mib = 64 << random.below(3);
  if (random.below(2) == 0)
    order.retention = seconds(1 + static_cast<std::int64_t>(random.below(60)));
  order.attempts_max = 1 + static_cast<std::int64_t>(random.below(3));
  if (random.below(6) == 0) order.input_bytes = 40'000;
  if (random.below(3) == 0) order.idempotency_key = std::to_string(random.below(6));
  if (random.below(20) == 0) order.language = "cobol";
  request(process, org, order);
}

}  // namespace sandtrail::sim
