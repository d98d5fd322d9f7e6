// SPDX-License-Identifier: Apache-2.0
#include "routes.h"

#include "base/limits.h"
#include "control.h"
#include "executions.h"
#include "openapi.h"
#include "operators.h"

namespace sandtrail::gateway {
namespace {

constexpr auto kViewer = KeyRole::viewer;
constexpr auto kMember = KeyRole::member;
constexpr auto kAdmin = KeyRole::admin;
constexpr auto kAuditor = KeyRole::auditor;
constexpr auto kOperator = Access::op;
constexpr std::size_t kSmallBody = limits::kHttpSmallBodyBytesMax;

const std::vector<Parameter>& page_parameters() {
  static const std::vector<Parameter> parameters{
      {"limit", "integer", "How many items at most, 1 to 100; 20 unless given."},
      {"cursor", "string", "next_cursor of the page before."}};
  return parameters;
}

std::vector<Parameter> page_and(std::vector<Parameter> more) {
  const auto& page = page_parameters();
  more.insert(more.begin(), page.begin(), page.end());
  return more;
}

// One route is a few lines, not a dozen.
// clang-format off

std::vector<Route> execution_routes() {
  return {
      {.method = "POST", .path = "/v1/executions", .name = "createExecution",
       .summary = "Run a program. With Prefer: wait=N it answers with the result, if it is there "
                  "within N seconds.",
       .role = kMember, .action = "execution.create",
       .body_bytes_max = limits::kHttpBodyBytesMax, .request = "ExecutionRequest",
       .response = "Execution", .status = 202, .idempotent = true,
       .prepare = prepare_execution, .run_at_home = create_execution},
      {.method = "GET", .path = "/v1/executions", .name = "listExecutions",
       .summary = "Executions, newest first; without output.",
       .role = kViewer, .action = "execution.list", .response = "ExecutionPage",
       .parameters = page_and({
           {"status", "string", "Only those in this state."},
           {"verdict", "string", "Only finished ones with this verdict."},
           {"thread", "string", "Only those of this thread."},
           {"metadata[]", "string", "metadata[key]=value: only those with this pair."}}),
       .run_at_home = list_executions},
      {.method = "GET", .path = "/v1/executions/{execution}", .name = "getExecution",
       .summary = "One execution. Prefer: wait=N waits for its end.",
       .role = kViewer, .action = "execution.read", .response = "Execution",
       .run_at_home = get_execution},
      {.method = "GET", .path = "/v1/executions/{execution}/events",
       .name = "streamExecutionEvents",
       .summary = "Its events as server-sent events, stored ones first. Resumes after "
                  "Last-Event-ID; ends with the terminal event and its settlement.",
       .role = kViewer, .action = "execution.read", .response = "EventStream",
       .run_at_home = stream_execution},
      {.method = "GET", .path = "/v1/executions/{execution}/output",
       .name = "streamExecutionOutput",
       .summary = "What the program writes, as server-sent events while it runs; what is missing "
                  "comes with the result. Resumes after Last-Event-ID; ends with `finished`.",
       .role = kViewer, .action = "execution.read", .response = "OutputStream",
       .run_at_home = stream_output},
      {.method = "POST", .path = "/v1/executions/{execution}/cancel", .name = "cancelExecution",
       .summary = "Ask for its end; a repeat changes nothing.",
       .role = kMember, .action = "execution.cancel", .response = "Execution", .status = 202,
       .run_at_home = cancel_execution},
      {.method = "GET", .path = "/v1/executions/{execution}/deliveries",
       .name = "listExecutionDeliveries",
       .summary = "Webhook deliveries about it, those to its callback URL included.",
       .role = kViewer, .action = "delivery.list", .response = "DeliveryPage",
       .parameters = page_parameters(), .run_at_home = list_execution_deliveries}};
}

std::vector<Route> webhook_routes() {
  return {
      {.method = "POST", .path = "/v1/webhook-endpoints", .name = "createWebhookEndpoint",
       .summary = "Send messages to a URL. The answer holds the signing secret, once.",
       .role = kAdmin, .action = "webhook_endpoint.create", .body_bytes_max = kSmallBody,
       .request = "WebhookEndpointRequest", .response = "WebhookEndpoint", .status = 201,
       .idempotent = true, .prepare = prepare_endpoint, .run_at_home = create_endpoint},
      {.method = "GET", .path = "/v1/webhook-endpoints", .name = "listWebhookEndpoints",
       .summary = "Webhook endpoints, newest first.",
       .role = kViewer, .action = "webhook_endpoint.list", .response = "WebhookEndpointPage",
       .parameters = page_parameters(), .run_at_home = list_endpoints},
      {.method = "GET", .path = "/v1/webhook-endpoints/{endpoint}", .name = "getWebhookEndpoint",
       .summary = "One webhook endpoint.",
       .role = kViewer, .action = "webhook_endpoint.read", .response = "WebhookEndpoint",
       .run_at_home = get_endpoint},
      {.method = "DELETE", .path = "/v1/webhook-endpoints/{endpoint}",
       .name = "deleteWebhookEndpoint", .summary = "Send no more messages there.",
       .role = kAdmin, .action = "webhook_endpoint.delete", .status = 204,
       .run_at_home = delete_endpoint},
      {.method = "GET", .path = "/v1/webhook-endpoints/{endpoint}/deliveries",
       .name = "listWebhookEndpointDeliveries", .summary = "Its deliveries, newest first.",
       .role = kViewer, .action = "delivery.list", .response = "DeliveryPage",
       .parameters = page_parameters(), .run_at_home = list_endpoint_deliveries},
      {.method = "GET", .path = "/v1/deliveries/{delivery}", .name = "getDelivery",
       .summary = "One delivery with every attempt.",
       .role = kViewer, .action = "delivery.read", .response = "Delivery",
       .run_at_home = get_delivery}};
}

std::vector<Route> account_routes() {
  return {
      {.method = "GET", .path = "/v1/billing/balance", .name = "getBalance",
       .summary = "Credits: balance - held = available.",
       .role = kViewer, .action = "billing.read", .response = "Balance",
       .run_at_home = get_balance},
      {.method = "GET", .path = "/v1/billing/ledger", .name = "listLedger",
       .summary = "Double-entry ledger, newest first; each entry names its event.",
       .role = kViewer, .action = "billing.read", .response = "LedgerPage",
       .parameters = page_parameters(), .run_at_home = list_ledger},
      {.method = "GET", .path = "/v1/audit/entries", .name = "listAuditEntries",
       .summary = "Entries of the audit log about this organisation, newest first.",
       .role = kAuditor, .action = "audit.read", .response = "AuditPage",
       .parameters = page_and({
           {"action", "string", "Only this action."},
           {"outcome", "string", "success, failure or denied."},
           {"resource", "string", "Only about the thing of this id."},
           {"key", "string", "Only by the API key of this id."},
           {"since", "string", "From this time on, RFC 3339 in UTC."},
           {"until", "string", "Before this time."}}),
       .run_at_home = list_audit_entries},
      {.method = "GET", .path = "/v1/audit/checkpoint", .name = "getCheckpoint",
       .summary = "The newest signed checkpoint of the audit log (C2SP signed note).",
       .role = kAuditor, .action = "audit.read", .response = "SignedNote",
       .run_at_home = get_checkpoint},
      {.method = "POST", .path = "/v1/api-keys", .name = "createApiKey",
       .summary = "Make an API key. The answer holds its text, once.",
       .role = kAdmin, .action = "api_key.create", .body_bytes_max = kSmallBody,
       .request = "ApiKeyRequest", .response = "ApiKey", .status = 201, .idempotent = true,
       .prepare = prepare_api_key, .run_at_home = create_api_key},
      {.method = "GET", .path = "/v1/api-keys", .name = "listApiKeys",
       .summary = "API keys that are not revoked, newest first.",
       .role = kAdmin, .action = "api_key.list", .response = "ApiKeyPage",
       .parameters = page_parameters(), .run_at_home = list_api_keys},
      {.method = "DELETE", .path = "/v1/api-keys/{key}", .name = "revokeApiKey",
       .summary = "Revoke an API key, from its place in the log on.",
       .role = kAdmin, .action = "api_key.revoke", .status = 204, .run_at_home = delete_api_key},
      {.method = "GET", .path = "/v1/languages", .name = "listLanguages",
       .summary = "Languages that can be run, with their default limits.",
       .role = kViewer, .action = "language.list", .response = "LanguageList",
       .run_at_home = list_languages},
      {.method = "GET", .path = "/openapi.json", .name = "getOpenApi",
       .summary = "This document.", .access = Access::open, .response = "OpenApi",
       .run_anywhere = get_openapi}};
}

std::vector<Route> organization_routes() {
  return {
      {.method = "POST", .path = "/operator/organizations", .name = "createOrganization",
       .summary = "Make an organisation with its first API key.",
       .access = kOperator, .action = "organization.create", .body_bytes_max = kSmallBody,
       .request = "OrganizationRequest", .response = "NewOrganization", .status = 201,
       .prepare = prepare_organization, .run_anywhere = create_organization},
      {.method = "GET", .path = "/operator/organizations", .name = "listOrganizations",
       .summary = "Organisations, newest first.",
       .access = kOperator, .action = "organization.list", .response = "OrganizationPage",
       .parameters = page_parameters(), .run_anywhere = list_organizations},
      {.method = "GET", .path = "/operator/organizations/{organization}",
       .name = "getOrganization", .summary = "One organisation.",
       .access = kOperator, .action = "organization.read", .response = "Organization",
       .run_at_home = get_organization},
      {.method = "POST", .path = "/operator/organizations/{organization}/grants",
       .name = "createGrant", .summary = "Give credits.",
       .access = kOperator, .action = "billing.grant", .body_bytes_max = kSmallBody,
       .request = "GrantRequest", .response = "Organization", .status = 201, .idempotent = true,
       .prepare = prepare_grant, .run_at_home = create_grant},
      {.method = "POST", .path = "/operator/organizations/{organization}/limits",
       .name = "changeLimits", .summary = "Change limits; what is not named stays.",
       .access = kOperator, .action = "organization.limits", .body_bytes_max = kSmallBody,
       .request = "LimitsRequest", .response = "Organization",
       .prepare = prepare_limits, .run_at_home = change_limits},
      {.method = "POST", .path = "/operator/organizations/{organization}/api-keys",
       .name = "createOrganizationApiKey", .summary = "Make an API key for an organisation.",
       .access = kOperator, .action = "api_key.create", .body_bytes_max = kSmallBody,
       .request = "ApiKeyRequest", .response = "ApiKey", .status = 201, .idempotent = true,
       .prepare = prepare_api_key, .run_at_home = create_api_key}};
}

std::vector<Route> process_routes() {
  return {
      {.method = "GET", .path = "/operator/status", .name = "getStatus",
       .summary = "How far each partition is folded, and who acts on it.",
       .access = kOperator, .action = "process.read", .response = "Status",
       .while_starting = true, .run_anywhere = get_status},
      {.method = "GET", .path = "/operator/digests", .name = "getDigests",
       .summary = "Digests of all rows, to compare with a rebuild or another process.",
       .access = kOperator, .action = "process.read", .response = "DigestList",
       .run_anywhere = get_digests},
      {.method = "GET", .path = "/operator/effects", .name = "listEffects",
       .summary = "Effects that are parked.",
       .access = kOperator, .action = "effect.list", .response = "EffectList",
       .run_anywhere = list_effects},
      {.method = "POST", .path = "/operator/effects/resolve", .name = "resolveEffect",
       .summary = "Retry or skip a parked effect.",
       .access = kOperator, .action = "effect.resolve", .body_bytes_max = kSmallBody,
       .request = "ResolveRequest", .response = "Resolved",
       .prepare = prepare_resolve, .run_anywhere = resolve_effect},
      {.method = "POST", .path = "/operator/log/trim", .name = "trimLog",
       .summary = "Drop the oldest records of a partition.",
       .access = kOperator, .action = "log.trim", .body_bytes_max = kSmallBody,
       .request = "TrimRequest", .response = "Trimmed",
       .prepare = prepare_trim, .run_anywhere = trim_log}};
}

std::vector<Route> listener_routes() {
  return {
      {.method = "GET", .path = "/livez", .name = "getLivez", .summary = "The process runs.",
       .access = Access::open, .while_starting = true, .run_anywhere = get_livez},
      {.method = "GET", .path = "/readyz", .name = "getReadyz",
       .summary = "It can serve requests; else 503 and why.", .access = Access::open,
       .while_starting = true, .parameters = {{"verbose", "string", "Show each check."}},
       .run_anywhere = get_readyz},
      {.method = "GET", .path = "/metrics", .name = "getMetrics", .summary = "For Prometheus.",
       .access = Access::open, .while_starting = true, .run_anywhere = get_metrics}};
}

// clang-format on

std::vector<Route> joined(std::initializer_list<std::vector<Route>> parts) {
  std::vector<Route> all;
  for (const auto& part : parts) all.insert(all.end(), part.begin(), part.end());
  return all;
}

}  // namespace

std::span<const Route> public_routes() {
  static const auto routes = joined({execution_routes(), webhook_routes(), account_routes()});
  return routes;
}

std::span<const Route> operator_routes() {
  static const auto routes = joined({organization_routes(), process_routes()});
  return routes;
}

std::span<const Route> process_operator_routes() {
  static const auto routes = process_routes();
  return routes;
}

std::span<const Route> admin_routes() {
  static const auto routes = listener_routes();
  return routes;
}

}  // namespace sandtrail::gateway
