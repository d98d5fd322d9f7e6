// SPDX-License-Identifier: Apache-2.0
#include "domain/audit.h"

#include "base/bytes.h"
#include "base/limits.h"

namespace sandtrail {
namespace {

using Changes = std::map<std::string, std::string>;

// What changed, in facts that are neither sealed nor secret.
struct ChangesOf {
  Changes operator()(const OrganizationCreated& e) const {
    return {{"name", e.name}, {"grant_microcredits", std::to_string(e.grant.count)}};
  }
  Changes operator()(const OrganizationLimitsChanged& e) const {
    return {{"queued_max", std::to_string(e.limits.queued_max)},
            {"running_max", std::to_string(e.limits.running_max)}};
  }
  Changes operator()(const ApiKeyCreated& e) const {
    Changes changes{{"name", e.name}, {"role", std::string(enum_text(e.role))}};
    if (e.expires) changes["expires_at"] = rfc3339(*e.expires);
    return changes;
  }
  Changes operator()(const BillingGranted& e) const {
    return {{"amount_microcredits", std::to_string(e.amount.count)}, {"reason", e.reason}};
  }
  Changes operator()(const RulesActivated& e) const {
    return {{"number", std::to_string(e.number)}};
  }
  Changes operator()(const EffectResolved& e) const {
    return {{"effect", e.effect}, {"action", std::string(enum_text(e.action))}};
  }
  Changes operator()(const LogLossAccepted& e) const {
    Changes changes{
        {"log", e.old_identity + " -> " + e.new_identity}, {"reason", e.reason}, {"lost", ""}};
    for (const LostRange& lost : e.partitions) {
      std::string& text = changes["lost"];
      text += text.empty() ? "" : ", ";
      text += lost.topic + "/" + std::to_string(lost.partition) + " from " +
              std::to_string(lost.found) + " to " + std::to_string(lost.expected - 1);
    }
    return changes;
  }
  template <typename T>
  Changes operator()(const T&) const {
    return {};
  }
};

// Cut to size, and text in any case: attributes of a void event may be any bytes, and an entry that
// does not fit the audit log would hold up all that follow it.
std::string bounded(std::string_view text) {
  if (!is_utf8(text)) return "(not text)";
  return std::string(utf8_prefix(text, limits::kAuditTextBytesMax));
}

Actor bounded(const Actor& actor) {
  Actor out = actor;
  for (std::string* text : {&out.name, &out.auth_method, &out.address, &out.user_agent}) {
    *text = bounded(*text);
  }
  return out;
}

// Takes over what the gateway counted of refused attempts.
template <typename Denied>
void take_denied(AuditRecorded& entry, const Denied& denied) {
  entry.action = bounded(denied.action);
  entry.reason = bounded(denied.reason);
  entry.count = denied.count;
  entry.outcome = AuditOutcome::denied;
}

}  // namespace

std::optional<AuditRecorded> audit_entry_of(const Event& event, const Judgement& judgement,
                                            const AuditOrigin& origin) {
  if (!event.actor || judgement.stop || judgement.reason == VoidReason::repeated ||
      judgement.reason == VoidReason::idempotent_replay) {
    return std::nullopt;
  }
  AuditRecorded entry;
  if (!event.org.nil()) entry.organization = event.org;
  entry.time = origin.stamp;
  entry.event = event.id.text();
  entry.action = rule_of(type_of(event.body)).action;
  entry.resource = bounded(event.subject);
  entry.actor_copy = bounded(*event.actor);
  entry.request_id = bounded(event.request_id);
  entry.source = {origin.topic, origin.partition, origin.position, -1};
  if (const auto* denied = std::get_if<AccessDenied>(&event.body)) {
    take_denied(entry, *denied);
  } else if (const auto* refused = std::get_if<PlatformAccessDenied>(&event.body)) {
    take_denied(entry, *refused);
  } else {
    entry.changes = std::visit(ChangesOf{}, event.body);
    for (auto& [name, value] : entry.changes) value = bounded(value);
  }
  if (!judgement.applied()) {
    entry.outcome = AuditOutcome::denied;
    entry.reason = enum_text(judgement.reason);
  }
  if (entry.action.empty()) entry.action = type_of(event.body);
  return entry;
}

}  // namespace sandtrail
