// SPDX-License-Identifier: Apache-2.0
#include "workload.h"

#include <algorithm>

#include "domain/payloads.h"

namespace sandtrail::sim {
namespace {

// A client that hears nothing for so long asks again.
constexpr Millis kPatience = seconds(10);

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

void Workload::propose(Process& process, Proposal proposal, ProposalDone heard) {
  ++asked_;
  auto times = std::make_shared<int>(0);
  const TopicPartition where = process.runtime().home(proposal.org);
  process.runtime().propose(
      where, std::move(proposal),
      [this, times, heard = std::move(heard)](const ProposalOutcome& outcome) {
        ++*times;
        ++(*times == 1 ? answered_ : answered_twice_);
        if (heard) heard(outcome);
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
  const std::string secret = "whsec_" + base64(shared_.random.bytes(32));
  auto sealed = process.payloads().seal(tenant.key, {"callback_secret", ""}, secret);
  ST_ASSERT(sealed.ok());
  created.callback_secret = std::move(sealed).value();
  const std::string name = std::to_string(tenants_.size());
  tenant.callback_url = "http://callback" + name + ".example/done";
  shared_.receivers.listen(tenant.callback_url, secret);
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
  add_endpoint(process, tenant, secret);
  return tenant.org;
}

// It is told of everything.
void Workload::add_endpoint(Process& process, const Tenant& tenant, const std::string& secret) {
  WebhookEndpointCreated created;
  created.endpoint = EndpointId::fresh(shared_.clock, shared_.random);
  created.url = "http://endpoint" + std::to_string(tenants_.size()) + ".example/events";
  auto sealed =
      process.payloads().seal(tenant.key, {"webhook_secret", created.endpoint.text()}, secret);
  ST_ASSERT(sealed.ok());
  created.secret = std::move(sealed).value();
  shared_.receivers.listen(created.url, secret);
  Proposal proposal;
  proposal.org = tenant.org;
  proposal.subject = created.endpoint.text();
  proposal.actor = an_operator();
  proposal.body = std::move(created);
  propose(process, std::move(proposal));
}

void Workload::grant(Process& process, const OrgId& org, std::int64_t credits) {
  Proposal proposal;
  proposal.org = org;
  proposal.subject = org.text();
  proposal.actor = an_operator();
  proposal.body = BillingGranted{org, {credits * kMicroCreditsPerCredit / 1000}, "more"};
  propose(process, std::move(proposal));
}

ExecutionId Workload::request(Process& process, const OrgId& org, const Order& order,
                              ProposalDone heard) {
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
  if (order.callback) input.callback_url = by.callback_url;
  auto sealed = process.payloads().seal_json(key, {"input", ""}, input);
  if (!sealed.ok()) return {};
  ExecutionRequested requested;
  requested.execution = ExecutionId::fresh(shared_.clock, shared_.random);
  requested.language = order.language;
  requested.limits.wall_ms = order.wall_ms;
  requested.limits.memory_mib = order.memory_mib;
  requested.attempts_max = order.attempts_max;
  requested.retention = order.retention;
  requested.callback = order.callback;
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
  propose(process, std::move(proposal), std::move(heard));
  requests_.push_back({org, id});
  return id;
}

void Workload::ask(Process& process, const OrgId& org, Order order) {
  order.idempotency_key = "client " + std::to_string(clients_.size());
  clients_.push_back({org, std::move(order), false, {}, false, ""});
  try_client(process, clients_.back());
}

void Workload::try_client(Process& process, Client& client) {
  client.waiting = true;
  client.asked_at = shared_.clock.now();
  const auto asked = std::make_shared<ExecutionId>();
  const auto heard = [this, &client, asked](const ProposalOutcome& outcome) {
    client.waiting = false;
    const bool replayed = outcome.judgement.reason == VoidReason::idempotent_replay;
    if (outcome.applied() || (outcome.folded && replayed)) {
      const std::string told = replayed ? outcome.judgement.existing : asked->text();
      // An answer may come after that to a repeat: they name the same execution.
      shared_.problems.expect(client.told.empty() || client.told == told,
                              client.order.idempotency_key + " was told of two executions");
      client.told = told;
    } else if (outcome.folded && !outcome.void_for_its_time()) {
      client.refused = true;
    }
  };
  *asked = request(process, client.org, client.order, heard);
  if (asked->nil()) client.waiting = false;
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

bool Workload::repeat_unanswered(Process& process) {
  bool all = true;
  const UnixMs now = shared_.clock.now();
  for (Client& client : clients_) {
    if (client.answered()) continue;
    all = false;
    if (client.waiting && now - client.asked_at < kPatience) continue;
    if (now - client.asked_at >= seconds(1)) try_client(process, client);
  }
  return all;
}

void Workload::check_answered(const Checkers& checkers) {
  for (const Client& client : clients_) {
    const std::string& key = client.order.idempotency_key;
    shared_.problems.expect(client.answered(), key + " was never answered");
    if (client.told.empty()) continue;
    const auto id = ExecutionId::parse(client.told);
    shared_.problems.expect(id && checkers.executions().contains(*id),
                            key + " was told " + client.told + ", which nobody requested");
  }
}

void Workload::act(Process& process) {
  Random& random = random_;
  const OrgId org = tenants_[random.below(tenants_.size())].org;
  const std::uint64_t what = random.below(20);
  const std::uint64_t which = random.below(1'000'000);
  Order order;
  order.wall_ms = 200 + static_cast<std::int64_t>(random.below(8000));
  order.memory_mib = 64 << random.below(3);
  const Millis retention = seconds(1 + static_cast<std::int64_t>(random.below(60)));
  if (random.below(2) == 0) order.retention = retention;
  order.attempts_max = 1 + static_cast<std::int64_t>(random.below(3));
  if (random.below(6) == 0) order.input_bytes = 40'000;
  const std::string key = std::to_string(random.below(6));
  if (random.below(3) == 0) order.idempotency_key = key;
  if (random.below(20) == 0) order.language = "cobol";
  order.callback = random.below(3) == 0;
  const bool insists = random.below(2) == 0;
  repeat_unanswered(process);
  if (what == 0) {
    if (shared_.diary.happens("grant")) {
      grant(process, org, 1 + static_cast<std::int64_t>(which % 3));
    }
  } else if (what == 1) {
    if (shared_.diary.happens("trespass")) trespass(process, org);
  } else if (what <= 4 && !requests_.empty()) {
    const ExecutionId& id = requests_[which % requests_.size()].execution;
    if (shared_.diary.happens("cancel", id.text())) cancel(process, id);
  } else if (insists) {
    if (shared_.diary.happens("client asks")) ask(process, org, order);
  } else if (shared_.diary.happens("request")) {
    request(process, org, order);
  }
}

}  // namespace sandtrail::sim
