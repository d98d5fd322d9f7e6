// SPDX-License-Identifier: Apache-2.0
#include "views.h"

namespace sandtrail::gateway {
namespace {

std::optional<std::string> if_any(const std::string& text) {
  if (text.empty()) return std::nullopt;
  return text;
}

}  // namespace

DeliveryView view_of(const DeliveryDoc& doc, bool with_attempts) {
  DeliveryView view;
  view.id = doc.id;
  view.execution = doc.execution;
  view.endpoint = doc.endpoint;
  view.callback = !doc.endpoint.has_value();
  view.type = doc.message_type;
  view.status = doc.status;
  view.created = doc.created;
  view.attempt_count = static_cast<std::int64_t>(doc.attempts.size());
  view.next = doc.next;
  view.ended = doc.ended;
  view.reason = if_any(doc.reason);
  if (with_attempts) {
    for (const AttemptDoc& attempt : doc.attempts) {
      view.attempts.push_back({attempt.time, attempt.facts});
    }
  }
  return view;
}

EndpointView view_of(const EndpointId& id, const EndpointRow& row) {
  EndpointView view;
  view.id = id;
  view.url = row.url;
  view.events = row.events;
  view.enabled = row.disabled_reason.empty();
  view.disabled_reason = if_any(row.disabled_reason);
  view.created = row.created;
  return view;
}

ApiKeyView view_of(const KeyId& id, const KeyRow& row) {
  ApiKeyView view;
  view.id = id;
  view.name = row.name;
  view.role = row.role;
  view.hint = row.hint;
  view.created = row.created;
  view.expires = row.expires;
  return view;
}

AuditView view_of(const AuditDoc& doc) {
  const AuditRecorded& entry = doc.entry;
  AuditView view;
  view.index = doc.index;
  view.organization = entry.organization;
  view.time = entry.time;
  view.event = entry.event;
  view.action = entry.action;
  view.resource = entry.resource;
  view.outcome = entry.outcome;
  view.reason = if_any(entry.reason);
  view.count = entry.count;
  view.actor = entry.actor_copy;
  view.changes = entry.changes;
  view.request_id = if_any(entry.request_id);
  view.source = entry.source.topic + "/" + std::to_string(entry.source.partition) + "/" +
                std::to_string(entry.source.position);
  return view;
}

OrganizationView view_of(const OrgId& id, const OrgRow& row) {
  OrganizationView view;
  view.id = id;
  view.name = row.name;
  view.created = row.created;
  view.limits = row.limits;
  view.available = row.available();
  view.held = row.held;
  view.granted = row.granted;
  view.settled = row.settled;
  view.queued = row.queued;
  view.running = row.running;
  view.api_keys = static_cast<std::int64_t>(row.keys.size());
  view.webhook_endpoints = static_cast<std::int64_t>(row.endpoints.size());
  view.version = row.version;
  return view;
}

}  // namespace sandtrail::gateway
