// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include "base/limits.h"
#include "legality.h"

namespace sandtrail::legality {
namespace {

bool name_is_fine(const std::string& name) {
  return !name.empty() && name.size() <= limits::kNameBytesMax;
}

bool limits_are_fine(const OrgLimits& limits) {
  return limits.queued_max >= 0 && limits.running_max >= 0;
}

// Changes the organisation and its version.
OrgRow& touch(Context& c) {
  OrgRow& org = c.state.orgs.change(c.event.org);
  ++org.version;
  return org;
}

bool version_fits(const Context& c, std::int64_t version) {
  return !c.event.expected_version || *c.event.expected_version == version;
}

}  // namespace

VoidReason judge(Context& c, const OrganizationCreated& e) {
  if (e.organization.nil() || e.organization != c.event.org) return VoidReason::invalid;
  if (c.state.orgs.find(e.organization) != nullptr) return VoidReason::already_exists;
  if (!name_is_fine(e.name) || e.grant.count < 0 || e.grant.count > limits::kGrantMicroCreditsMax ||
      !limits_are_fine(e.limits)) {
    return VoidReason::invalid;
  }
  OrgRow& org = c.state.orgs.change(e.organization);
  org.name = e.name;
  org.created = c.now;
  org.limits = e.limits;
  org.key = e.key;
  org.callback_secret = e.callback_secret;
  org.granted = e.grant;
  return VoidReason::none;
}

VoidReason judge(Context& c, const OrganizationLimitsChanged& e) {
  const OrgRow* org = c.state.orgs.find(c.event.org);
  if (org == nullptr || e.organization != c.event.org) return VoidReason::not_found;
  if (!version_fits(c, org->version)) return VoidReason::version_mismatch;
  if (!limits_are_fine(e.limits)) return VoidReason::invalid;
  touch(c).limits = e.limits;
  return VoidReason::none;
}

VoidReason judge(Context& c, const ApiKeyCreated& e) {
  const OrgRow* org = c.state.orgs.find(c.event.org);
  if (org == nullptr) return VoidReason::unknown_organization;
  if (e.key.nil() || !name_is_fine(e.name) || e.secret_sha256.bytes.size() != 32) {
    return VoidReason::invalid;
  }
  if (e.expires && *e.expires <= c.now) return VoidReason::invalid;
  if (c.state.keys.find(e.key) != nullptr) return VoidReason::already_exists;
  if (!version_fits(c, org->version)) return VoidReason::version_mismatch;
  if (org->keys.size() >= limits::kKeysPerOrgMax) return VoidReason::limit_reached;
  KeyRow& key = c.state.keys.change(e.key);
  key.org = c.event.org;
  key.name = e.name;
  key.role = e.role;
  key.secret_sha256 = e.secret_sha256;
  key.hint = e.hint;
  key.created = c.now;
  key.expires = e.expires;
  touch(c).keys.push_back(e.key);
  return VoidReason::none;
}

VoidReason judge(Context& c, const ApiKeyRevoked& e) {
  const KeyRow* key = c.state.keys.find(e.key);
  if (key == nullptr || key->org != c.event.org) return VoidReason::not_found;
  if (key->revoked) return VoidReason::wrong_state;
  const OrgRow* org = c.state.orgs.find(c.event.org);
  if (!version_fits(c, org->version)) return VoidReason::version_mismatch;
  c.state.keys.change(e.key).revoked = c.now;
  std::erase(touch(c).keys, e.key);
  return VoidReason::none;
}

VoidReason judge(Context& c, const WebhookEndpointCreated& e) {
  const OrgRow* org = c.state.orgs.find(c.event.org);
  if (org == nullptr) return VoidReason::unknown_organization;
  if (e.endpoint.nil() || e.url.empty() || e.url.size() > limits::kWebhookUrlBytesMax ||
      e.events.size() > limits::kWebhookEventFiltersMax) {
    return VoidReason::invalid;
  }
  if (c.state.endpoints.find(e.endpoint) != nullptr) return VoidReason::already_exists;
  if (!version_fits(c, org->version)) return VoidReason::version_mismatch;
  if (org->endpoints.size() >= limits::kEndpointsPerOrgMax) return VoidReason::limit_reached;
  EndpointRow& endpoint = c.state.endpoints.change(e.endpoint);
  endpoint.org = c.event.org;
  endpoint.url = e.url;
  endpoint.events = e.events;
  endpoint.secret = e.secret;
  endpoint.created = c.now;
  touch(c).endpoints.push_back(e.endpoint);
  return VoidReason::none;
}

VoidReason judge(Context& c, const WebhookEndpointDeleted& e) {
  const EndpointRow* endpoint = c.state.endpoints.find(e.endpoint);
  if (endpoint == nullptr || endpoint->org != c.event.org) return VoidReason::not_found;
  const OrgRow* org = c.state.orgs.find(c.event.org);
  if (!version_fits(c, org->version)) return VoidReason::version_mismatch;
  c.state.endpoints.erase(e.endpoint);
  std::erase(touch(c).endpoints, e.endpoint);
  return VoidReason::none;
}

VoidReason judge(Context& c, const AccessDenied& e) {
  return !c.event.org.nil() && e.count > 0 && !e.action.empty() ? VoidReason::none
                                                                : VoidReason::invalid;
}

}  // namespace sandtrail::legality
