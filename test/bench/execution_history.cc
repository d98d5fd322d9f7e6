// SPDX-License-Identifier: Apache-2.0
#include "execution_history.h"

#include <cstdlib>

#include "base/assert.h"
#include "domain/notify.h"

namespace sandtrail::bench {
namespace {

constexpr std::size_t kAtOnce = 8;
constexpr std::int64_t kAuditedBehind = 100;  // records
constexpr std::int64_t kGrant = 1'000'000'000 * kMicroCreditsPerCredit;
constexpr std::size_t kInputBytes = 600;
constexpr std::size_t kOutputBytes = 300;

}  // namespace

ExecutionHistory::ExecutionHistory(std::uint64_t seed, Millis between)
    : random_(seed), between_(between) {
  begin();
}

void ExecutionHistory::begin() {
  org_ = fresh<OrgId>();
  key_ = fresh<KeyId>();
  endpoint_ = fresh<EndpointId>();
  for (const auto role : {DeciderRole::launcher, DeciderRole::billing, DeciderRole::retention,
                          DeciderRole::webhooks, DeciderRole::auditor}) {
    OwnerClaimed claim;
    claim.role = role;
    claim.epoch = 1;
    claim.instance = "bench";
    beginning_.push_back(made(claim, ""));
    beginning_.back().org = {};
  }
  PlatformAdopted adopted;
  adopted.card.version = 1;
  adopted.card.per_gib_core_second = {1000};
  beginning_.push_back(made(adopted, ""));
  beginning_.back().org = {};
  beginning_.back().decision = Decision{DeciderRole::billing, 1};
  OrganizationCreated organization;
  organization.organization = org_;
  organization.name = "bench";
  organization.grant = {kGrant};
  organization.limits = {kAtOnce, kAtOnce};
  organization.key = fresh<DataKeyId>();
  ApiKeyCreated key;
  key.key = key_;
  key.name = "bench";
  key.role = KeyRole::admin;
  key.secret_sha256.bytes = random_.bytes(32);
  WebhookEndpointCreated endpoint;
  endpoint.endpoint = endpoint_;
  endpoint.url = "https://bench.example/hook";
  for (EventBody& body : std::array<EventBody, 3>{organization, key, endpoint}) {
    beginning_.push_back(made(std::move(body), org_.text()));
    beginning_.back().actor.emplace().kind = ActorKind::op;
  }
}

Event ExecutionHistory::made(EventBody body, const std::string& subject) {
  Event out;
  out.id = fresh<EventId>();
  out.time = now_;
  out.org = org_;
  out.source = "/sandtrail";
  out.subject = subject;
  out.correlation = subject;
  out.body = std::move(body);
  return out;
}

Event ExecutionHistory::decided(DeciderRole role, EventBody body, const std::string& subject) {
  Event out = made(std::move(body), subject);
  out.decision = Decision{role, 1};
  return out;
}

SealedPayload ExecutionHistory::payload(const DataKeyId& key, std::size_t bytes) {
  SealedPayload out;
  out.key = key;
  out.bytes = static_cast<std::int64_t>(bytes);
  out.sealed.bytes = random_.bytes(bytes + 28);  // nonce and tag
  return out;
}

ExecutionRequested ExecutionHistory::request() {
  ExecutionRequested out;
  out.execution = fresh<ExecutionId>();
  out.language = "python";
  out.retention = hours(1);
  out.payload = payload(fresh<DataKeyId>(), kInputBytes);
  return out;
}

ExecutionFinished ExecutionHistory::finish(const ExecutionId& id, const ExecutionRow& row) {
  ExecutionFinished out;
  out.execution = id;
  out.attempt = row.attempt;
  out.host_epoch = row.host_epoch;
  out.verdict = Verdict::ok;
  out.cause = "exit";
  out.decided_by = "program";
  out.exit_code = 0;
  out.usage.wall_us = 40'000 + static_cast<std::int64_t>(random_.below(1000));
  out.isolation = "process";
  out.controls = {"namespaces", "seccomp", "cgroup", "landlock"};
  out.payload = payload(row.key, kOutputBytes);
  return out;
}

BillingSettled ExecutionHistory::settle(const ExecutionId& id, const ExecutionRow& row) const {
  BillingSettled out;
  out.execution = id;
  out.rate_card = row.rate_card;
  out.hold = row.hold;
  out.lines = {rate(*core_.state().card(row.rate_card), row.limits, row.wall_us)};
  out.amount = out.lines[0].amount;
  return out;
}

// What comes next for the execution whose turn it is.
Event ExecutionHistory::next_of_life() {
  const ExecutionId id = alive_.front();
  alive_.pop_front();
  alive_.push_back(id);
  const ExecutionRow& row = *core_.state().executions.find(id);
  const std::string subject = id.text();
  if (row.status == ExecutionStatus::requested) {
    ExecutionAssigned out;
    out.execution = id;
    out.attempt = 1;
    out.host = HostId::derived("host of the bench");
    out.host_epoch = 1;
    out.rate_card = 1;
    out.hold = worst_case(*core_.state().card(1), row.limits);
    return decided(DeciderRole::launcher, out, subject);
  }
  if (row.status == ExecutionStatus::assigned) {
    ExecutionStarted out;
    out.execution = id;
    out.attempt = row.attempt;
    out.host_epoch = row.host_epoch;
    return made(out, subject);
  }
  if (!is_terminal(row.status)) return made(finish(id, row), subject);
  if (!row.settled) return decided(DeciderRole::billing, settle(id, row), subject);
  if (!row.notify.empty()) {
    WebhookScheduled out;
    out.delivery = deliveries_[id] = fresh<DeliveryId>();
    out.execution = id;
    out.endpoint = endpoint_;
    out.message_type = message_type_of(row.status);
    return decided(DeciderRole::webhooks, out, subject);
  }
  WebhookDelivered out;
  out.delivery = deliveries_.extract(id).mapped();
  out.attempt = {1, 200, "", 100, 200, 300, 400};
  alive_.pop_back();
  to_erase_.push_back({*row.expires(), id});
  return decided(DeciderRole::webhooks, out, subject);
}

Event ExecutionHistory::next() {
  now_ = now_ + between_;
  const auto next = [&]() -> Event {
    if (!beginning_.empty()) {
      Event out = std::move(beginning_.front());
      beginning_.pop_front();
      out.time = now_;
      return out;
    }
    if (position_ - audited_ > kAuditedBehind) {
      audited_ = position_;
      return decided(DeciderRole::auditor, AuditAcknowledged{position_ - 1}, "");
    }
    if (!erased_.empty()) {
      const ExecutionId id = erased_.front();
      erased_.pop_front();
      const ExecutionKeyDestroyed out{id, core_.state().executions.find(id)->key};
      return decided(DeciderRole::retention, out, id.text());
    }
    if (!to_erase_.empty() && to_erase_.front().due <= now_) {
      const ExecutionId id = to_erase_.front().execution;
      to_erase_.pop_front();
      erased_.push_back(id);
      return decided(DeciderRole::retention, ExecutionErased{id}, id.text());
    }
    if (alive_.size() >= kAtOnce || (!alive_.empty() && random_.below(4) != 0)) {
      return next_of_life();
    }
    ExecutionRequested body = request();
    alive_.push_back(body.execution);
    Event out = made(body, body.execution.text());
    out.actor.emplace().key = key_;
    out.actor->name = "bench";
    out.actor->auth_method = "bearer";
    out.actor->address = "127.0.0.1";
    out.idempotency = Idempotency{{random_.bytes(32)}, {random_.bytes(32)}};
    return out;
  };
  Event out = next();
  FoldInput input;
  input.position = position_++;
  input.stamp = now_;
  input.event = &out;
  const Judgement judgement = core_.fold(input);
  ST_ASSERT(judgement.applied());
  core_.drain([](const Bytes&, const Bytes&) {}, [](const Bytes&) {});
  return out;
}

}  // namespace sandtrail::bench
