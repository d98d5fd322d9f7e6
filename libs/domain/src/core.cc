// SPDX-License-Identifier: Apache-2.0
#include "domain/core.h"

#include <algorithm>

#include "base/bytes.h"
#include "base/limits.h"
#include "legality.h"

namespace sandtrail {
namespace {

constexpr char kMetaLetter = 'm';

// Events about a partition itself; legal on every topic.
bool concerns_partition(const EventBody& body) {
  return std::holds_alternative<OwnerClaimed>(body) ||
         std::holds_alternative<RulesActivated>(body) ||
         std::holds_alternative<EffectParked>(body) ||
         std::holds_alternative<EffectResolved>(body) ||
         std::holds_alternative<LogRecordLost>(body) ||
         std::holds_alternative<AuditAcknowledged>(body);
}

VoidReason judge_key(const CoreState& state, const Event& event, const TypeRule& rule, UnixMs now) {
  if (event.actor->kind != ActorKind::api_key || !event.actor->key) return VoidReason::key_unknown;
  const KeyRow* key = state.keys.find(*event.actor->key);
  if (key == nullptr || key->org != event.org) return VoidReason::key_unknown;
  if (key->revoked) return VoidReason::key_revoked;
  if (key->expires && *key->expires <= now) return VoidReason::key_expired;
  return role_allows(key->role, rule.role) ? VoidReason::none : VoidReason::missing_role;
}

VoidReason judge_actor(const CoreState& state, const Event& event, const TypeRule& rule,
                       UnixMs now) {
  if (rule.actor == ActorRule::none) {
    return event.actor ? VoidReason::actor_unexpected : VoidReason::none;
  }
  if (!event.actor) return VoidReason::actor_missing;
  if (rule.actor == ActorRule::any || event.actor->kind == ActorKind::op) return VoidReason::none;
  if (rule.actor == ActorRule::op) return VoidReason::missing_role;
  return judge_key(state, event, rule, now);
}

std::string idempotency_key(const Event& event) {
  return Bytes(event.org.view()) + event.idempotency->key_hmac.bytes;
}

// Headers may hold any bytes, rows and audit entries only text: a row that cannot be read back
// would keep this partition from starting.
bool attributes_are_text(const Event& event) {
  return is_utf8(event.source) && is_utf8(event.subject) && is_utf8(event.correlation) &&
         is_utf8(event.causation) && is_utf8(event.traceparent) && is_utf8(event.request_id);
}

// What holds for every type: topic, organisation, actor, epoch, idempotency.
VoidReason judge_envelope(const CoreState& state, TopicKind kind, const Event& event, UnixMs now,
                          std::string& existing) {
  const TypeRule& rule = rule_of(type_of(event.body));
  if (rule.topic != kind && !concerns_partition(event.body)) return VoidReason::wrong_topic;
  if (!attributes_are_text(event)) return VoidReason::invalid;
  const bool creates_org = std::holds_alternative<OrganizationCreated>(event.body);
  if (!event.org.nil() && !creates_org && kind == TopicKind::events &&
      state.orgs.find(event.org) == nullptr) {
    return VoidReason::unknown_organization;
  }
  if (const auto reason = judge_actor(state, event, rule, now); reason != VoidReason::none) {
    return reason;
  }
  if (rule.decider && !legality::decides(state, event, *rule.decider)) {
    return VoidReason::stale_epoch;
  }
  if (event.idempotency) {
    if (const auto* first = state.idempotency.find(idempotency_key(event))) {
      if (first->body_hmac != event.idempotency->body_hmac) {
        return VoidReason::idempotency_conflict;
      }
      existing = first->subject;
      return VoidReason::idempotent_replay;
    }
  }
  return VoidReason::none;
}

void remember_idempotency(CoreState& state, const Event& event, UnixMs now) {
  const std::string key = idempotency_key(event);
  auto& row = state.idempotency.change(key);
  row.body_hmac = event.idempotency->body_hmac;
  row.subject = event.subject;
  row.until = now + limits::kIdempotencyKept;
  state.agenda.emplace(row.until, state.idempotency.letter(), key);
}

}  // namespace

Judgement Core::fold(const FoldInput& input) {
  const UnixMs now = std::max(state_.meta.log_time, input.stamp);
  state_.meta.log_time = now;
  state_.judged.forget_before(now);
  legality::forget_due(state_, now);

  Judgement judgement;
  if (input.event == nullptr) {
    judgement.reason = input.unreadable;
    return judgement;
  }
  const Event& event = *input.event;
  if (state_.judged.contains(event.id)) {
    judgement.reason = VoidReason::repeated;
    return judgement;
  }
  judge(event, input, now, judgement);
  // Where this binary stops, one that knows the rules judges the same record: not a repeat.
  if (judgement.stop) return judgement;
  // Kept until ce_time is stale whatever happens: a record that came too early, too.
  state_.judged.add(event.id, std::max(now, event.time) + limits::kJudgedIdsKept);
  return judgement;
}

void Core::judge(const Event& event, const FoldInput& input, UnixMs now, Judgement& judgement) {
  // Against log time, not the record's own stamp: stamps may fall back (another broker's clock),
  // and an id that is forgotten by log time has to be stale by it as well.
  if (event.time < now - limits::kEventAgeMax) {
    judgement.reason = VoidReason::stale;
  } else if (event.time > now + limits::kEventAheadMax) {
    judgement.reason = VoidReason::ahead;
  } else {
    judgement.reason = judge_envelope(state_, kind_, event, now, judgement.existing);
  }
  if (judgement.reason != VoidReason::none) return;

  legality::Context context{state_, event, input.position, now, input.value, input.other_fold};
  judgement.reason = std::visit(
      [&context](const auto& body) { return legality::judge(context, body); }, event.body);
  judgement.stop = context.stop;
  if (judgement.applied() && event.idempotency) remember_idempotency(state_, event, now);
}

void Core::drain(const Put& put, const Remove& remove) {
  state_.judged.drain(put, remove);
  state_.orgs.drain(put, remove);
  state_.keys.drain(put, remove);
  state_.endpoints.drain(put, remove);
  state_.executions.drain(put, remove);
  state_.deliveries.drain(put, remove);
  state_.idempotency.drain(put, remove);
  state_.owners.drain(put, remove);
  state_.parked.drain(put, remove);
  state_.cards.drain(put, remove);
  state_.audit_chains.drain(put, remove);
  state_.bases.drain(put, remove);
  if (kind_ == TopicKind::audit) state_.meta.audit_tree.bytes = state_.audit_tree.serialize();
  put(Bytes(1, kMetaLetter), to_text(state_.meta));
}

Status Core::load(BytesView key, BytesView value) {
  ST_ASSERT(!key.empty());
  const BytesView rest = key.substr(1);
  switch (key.front()) {
    case kMetaLetter: {
      ST_ASSIGN(state_.meta, from_text<CoreMeta>(value));
      if (kind_ != TopicKind::audit || state_.meta.audit_tree.bytes.empty()) return {};
      auto tree = MerkleFrontier::parse(state_.meta.audit_tree.bytes);
      if (!tree.ok()) return Error{ErrorCode::corrupt, tree.error().message, ""};
      state_.audit_tree = std::move(tree).value();
      return {};
    }
    case JudgedIds::kLetter:
      return state_.judged.load(rest, value);
    case 'o':
      return state_.orgs.load(rest, value);
    case 'k':
      return state_.keys.load(rest, value);
    case 'p':
      return state_.endpoints.load(rest, value);
    case 'x':
      return state_.executions.load(rest, value);
    case 'd':
      return state_.deliveries.load(rest, value);
    case 'i':
      return state_.idempotency.load(rest, value);
    case 'w':
      return state_.owners.load(rest, value);
    case 'q':
      return state_.parked.load(rest, value);
    case 'c':
      return state_.cards.load(rest, value);
    case 'a':
      return state_.audit_chains.load(rest, value);
    case 'b':
      return state_.bases.load(rest, value);
    default:
      return Error{ErrorCode::corrupt, "the store holds a row of an unknown table",
                   "it was written by a newer version; rebuild it or run that version"};
  }
}

void Core::loaded() {
  legality::rebuild_agenda(state_);
}

}  // namespace sandtrail
