// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <array>

#include "domain/core.h"

namespace sandtrail {
namespace {

using enum TopicKind;

constexpr auto kNone = ActorRule::none;
constexpr auto kKey = ActorRule::key;
constexpr auto kOperator = ActorRule::op;
constexpr auto kAny = ActorRule::any;

constexpr auto kLauncher = DeciderRole::launcher;
constexpr auto kBilling = DeciderRole::billing;
constexpr auto kRetention = DeciderRole::retention;
constexpr auto kWebhooks = DeciderRole::webhooks;
constexpr auto kAuditor = DeciderRole::auditor;

TypeRule by_actor(std::string_view type, ActorRule actor, KeyRole role, std::string_view action) {
  return {type, events, std::nullopt, actor, role, action};
}
TypeRule decided(std::string_view type, DeciderRole decider) {
  return {type, events, decider, kNone, KeyRole::viewer, ""};
}
TypeRule reported(std::string_view type) {
  return {type, events, std::nullopt, kNone, KeyRole::viewer, ""};
}

const std::array<TypeRule, std::variant_size_v<EventBody>> kRules{{
    by_actor(OrganizationCreated::kType, kOperator, KeyRole::admin, "organization.create"),
    by_actor(OrganizationLimitsChanged::kType, kOperator, KeyRole::admin, "organization.limits"),
    by_actor(ApiKeyCreated::kType, kKey, KeyRole::admin, "api_key.create"),
    by_actor(ApiKeyRevoked::kType, kKey, KeyRole::admin, "api_key.revoke"),
    by_actor(WebhookEndpointCreated::kType, kKey, KeyRole::admin, "webhook_endpoint.create"),
    by_actor(WebhookEndpointDeleted::kType, kKey, KeyRole::admin, "webhook_endpoint.delete"),
    by_actor(AccessDenied::kType, kAny, KeyRole::viewer, ""),
    by_actor(ExecutionRequested::kType, kKey, KeyRole::member, "execution.create"),
    decided(ExecutionRejected::kType, kLauncher),
    decided(ExecutionAssigned::kType, kLauncher),
    reported(ExecutionRefused::kType),
    reported(ExecutionStarted::kType),
    decided(ExecutionAttemptLost::kType, kLauncher),
    reported(ExecutionFinished::kType),
    by_actor(ExecutionCancelRequested::kType, kKey, KeyRole::member, "execution.cancel"),
    decided(ExecutionCancelled::kType, kLauncher),
    decided(ExecutionLost::kType, kLauncher),
    decided(ExecutionErased::kType, kRetention),
    decided(ExecutionKeyDestroyed::kType, kRetention),
    decided(WebhookScheduled::kType, kWebhooks),
    decided(WebhookAttempted::kType, kWebhooks),
    decided(WebhookDelivered::kType, kWebhooks),
    decided(WebhookExhausted::kType, kWebhooks),
    decided(WebhookEndpointDisabled::kType, kWebhooks),
    by_actor(BillingGranted::kType, kOperator, KeyRole::admin, "billing.grant"),
    decided(BillingSettled::kType, kBilling),
    {RateCardPublished::kType, platform, kBilling, kNone, KeyRole::viewer, ""},
    decided(PlatformAdopted::kType, kBilling),
    // Claims, rules and effects concern a partition of either topic that is folded by roles.
    reported(OwnerClaimed::kType),
    by_actor(RulesActivated::kType, kOperator, KeyRole::admin, "rules.activate"),
    reported(EffectParked::kType),
    by_actor(EffectResolved::kType, kOperator, KeyRole::admin, "effect.resolve"),
    {PlatformAccessDenied::kType, platform, std::nullopt, kAny, KeyRole::viewer, ""},
    {LogLossAccepted::kType, platform, std::nullopt, kOperator, KeyRole::admin, "log.accept_loss"},
    reported(LogRecordLost::kType),
    {AuditRecorded::kType, audit, std::nullopt, kNone, KeyRole::viewer, ""},
    {AuditCheckpointSigned::kType, audit, kAuditor, kNone, KeyRole::viewer, ""},
    reported(AuditAcknowledged::kType),
}};

}  // namespace

const TypeRule& rule_of(std::string_view type) {
  const auto found = std::find_if(kRules.begin(), kRules.end(),
                                  [type](const TypeRule& rule) { return rule.type == type; });
  ST_ASSERT(found != kRules.end());
  return *found;
}

bool role_allows(KeyRole have, KeyRole need) {
  if (need == KeyRole::auditor) return have == KeyRole::auditor || have == KeyRole::admin;
  if (have == KeyRole::auditor) return need == KeyRole::viewer;
  return have >= need;
}

}  // namespace sandtrail
