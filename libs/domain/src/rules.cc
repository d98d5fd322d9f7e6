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

TypeRule by_actor(std::string_view type, ActorRule actor, Role role, std::string_view action) {
  return {type, events, std::nullopt, actor, role, action};
}
TypeRule decided(std::string_view type, DeciderRole decider) {
  return {type, events, decider, kNone, Role::viewer, ""};
}
TypeRule reported(std::string_view type) {
  return {type, events, std::nullopt, kNone, Role::viewer, ""};
}

const std::array<TypeRule, std::variant_size_v<EventBody>> kRules{{
    by_actor(OrganizationCreated::kType, kOperator, Role::admin, "organization.create"),
    by_actor(OrganizationLimitsChanged::kType, kOperator, Role::admin, "organization.limits"),
    by_actor(ApiKeyCreated::kType, kKey, Role::admin, "api_key.create"),
    by_actor(ApiKeyRevoked::kType, kKey, Role::admin, "api_key.revoke"),
    by_actor(WebhookEndpointCreated::kType, kKey, Role::admin, "webhook_endpoint.create"),
    by_actor(WebhookEndpointDeleted::kType, kKey, Role::admin, "webhook_endpoint.delete"),
    by_actor(AccessDenied::kType, kAny, Role::viewer, ""),
    by_actor(ExecutionRequested::kType, kKey, Role::member, "execution.create"),
    decided(ExecutionRejected::kType, kLauncher),
    decided(ExecutionAssigned::kType, kLauncher),
    reported(ExecutionRefused::kType),
    reported(ExecutionStarted::kType),
    decided(ExecutionAttemptLost::kType, kLauncher),
    reported(ExecutionFinished::kType),
    by_actor(ExecutionCancelRequested::kType, kKey, Role::member, "execution.cancel"),
    decided(ExecutionCancelled::kType, kLauncher),
    decided(ExecutionLost::kType, kLauncher),
    decided(ExecutionErased::kType, kRetention),
    decided(ExecutionKeyDestroyed::kType, kRetention),
    decided(WebhookScheduled::kType, kWebhooks),
    decided(WebhookAttempted::kType, kWebhooks),
    decided(WebhookDelivered::kType, kWebhooks),
    decided(WebhookExhausted::kType, kWebhooks),
    decided(WebhookEndpointDisabled::kType, kWebhooks),
    by_actor(BillingGranted::kType, kOperator, Role::admin, "billing.grant"),
    decided(BillingSettled::kType, kBilling),
    {RateCardPublished::kType, platform, kBilling, kNone, Role::viewer, ""},
    decided(PlatformAdopted::kType, kBilling),
    // Claims, rules and effects concern a partition of either topic that is folded by roles.
    reported(OwnerClaimed::kType),
    by_actor(RulesActivated::kType, kOperator, Role::admin, "rules.activate"),
    reported(EffectParked::kType),
    by_actor(EffectResolved::kType, kOperator, Role::admin, "effect.resolve"),
    {PlatformAccessDenied::kType, platform, std::nullopt, kAny, Role::viewer, ""},
    {AuditRecorded::kType, audit, std::nullopt, kNone, Role::viewer, ""},
    {AuditCheckpointSigned::kType, audit, kAuditor, kNone, Role::viewer, ""},
    reported(AuditAcknowledged::kType),
}};

}  // namespace

const TypeRule& rule_of(std::string_view type) {
  const auto found = std::find_if(kRules.begin(), kRules.end(),
                                  [type](const TypeRule& rule) { return rule.type == type; });
  ST_ASSERT(found != kRules.end());
  return *found;
}

bool role_allows(Role have, Role need) {
  if (need == Role::auditor) return have == Role::auditor || have == Role::admin;
  if (have == Role::auditor) return need == Role::viewer;
  return have >= need;
}

}  // namespace sandtrail
