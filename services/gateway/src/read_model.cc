// SPDX-License-Identifier: Apache-2.0
#include "gateway/read_model.h"

#include "domain/ledger.h"
#include "rows.h"
#include "trail.h"

namespace sandtrail {
namespace gateway {
namespace {

struct Apply {
  const Folded& folded;
  Rows& rows;

  // Changes the row of an execution; those from before a base may be missing.
  template <typename Change>
  void change(const ExecutionId& id, Change&& how) {
    auto doc = execution_at(rows, id);
    if (!doc) return;
    how(*doc);
    doc->position = folded.position.value;
    put_row(rows, row_key('x', id), *doc);
  }
  void end(const ExecutionId& id, ExecutionStatus status, std::string reason, std::string detail) {
    change(id, [&](ExecutionDoc& doc) {
      doc.status = status;
      doc.ended = folded.stamp;
      doc.reason = std::move(reason);
      doc.detail = std::move(detail);
    });
  }
  void back_to_queue(const ExecutionId& id) {
    change(id, [](ExecutionDoc& doc) {
      doc.status = ExecutionStatus::requested;
      doc.started.reset();
      doc.host.reset();
      doc.host_address.clear();
    });
  }

  void operator()(const ExecutionRequested& e);
  void operator()(const ExecutionAssigned& e);
  void operator()(const ExecutionFinished& e);
  void operator()(const ExecutionErased& e);
  void operator()(const ExecutionStarted& e) {
    change(e.execution, [&](ExecutionDoc& doc) {
      doc.status = ExecutionStatus::started;
      doc.started = folded.stamp;
    });
  }
  void operator()(const ExecutionRejected& e) {
    end(e.execution, ExecutionStatus::rejected, std::string(enum_text(e.reason)), e.detail);
  }
  void operator()(const ExecutionRefused& e) { back_to_queue(e.execution); }
  void operator()(const ExecutionAttemptLost& e) { back_to_queue(e.execution); }
  void operator()(const ExecutionCancelRequested& e) {
    change(e.execution, [](ExecutionDoc& doc) { doc.cancel_requested = true; });
  }
  void operator()(const ExecutionCancelled& e) {
    end(e.execution, ExecutionStatus::cancelled, "", "");
  }
  void operator()(const ExecutionLost& e) { end(e.execution, ExecutionStatus::lost, e.reason, ""); }
  void operator()(const ExecutionKeyDestroyed& e) {
    change(e.execution, [](ExecutionDoc&) {});
  }
  void operator()(const BillingSettled& e) {
    change(e.execution, [&](ExecutionDoc& doc) { doc.settled = e.amount; });
  }

  void operator()(const WebhookScheduled& e);
  void operator()(const WebhookAttempted& e) {
    delivery(e.delivery, DeliveryStatus::scheduled, &e.attempt, e.next, "");
  }
  void operator()(const WebhookDelivered& e) {
    delivery(e.delivery, DeliveryStatus::delivered, &e.attempt, std::nullopt, "");
  }
  void operator()(const WebhookExhausted& e) {
    delivery(e.delivery, DeliveryStatus::exhausted, e.attempt ? &*e.attempt : nullptr, std::nullopt,
             e.reason);
  }
  void delivery(const DeliveryId& id, DeliveryStatus status, const AttemptFacts* attempt,
                std::optional<UnixMs> next, const std::string& reason);

  template <typename T>
  void operator()(const T&) {}
};

void Apply::operator()(const ExecutionRequested& e) {
  ExecutionDoc doc;
  doc.org = folded.event->org;
  doc.id = e.execution;
  doc.language = e.language;
  doc.limits = e.limits;
  doc.network = e.network;
  doc.attempts_max = e.attempts_max;
  doc.retention = e.retention;
  doc.callback = e.callback;
  doc.request_id = folded.event->request_id;
  doc.position = doc.requested_position = folded.position.value;
  doc.created = folded.stamp;
  doc.input = e.payload;
  doc.tokens = e.metadata_tokens;
  if (e.thread_token) doc.tokens.push_back(*e.thread_token);
  put_row(rows, row_key('x', doc.id), doc);
  rows.put(row_key('l', doc.org, doc.position), Bytes(doc.id.view()));
  for (const Blob& token : doc.tokens) {
    rows.put(row_key('t', doc.org, token.bytes, doc.position), Bytes(doc.id.view()));
  }
}

void Apply::operator()(const ExecutionAssigned& e) {
  change(e.execution, [&](ExecutionDoc& doc) {
    doc.status = ExecutionStatus::assigned;
    doc.attempt = e.attempt;
    doc.assigned = folded.stamp;
    doc.host = e.host;
    doc.host_address = e.host_address;
    doc.hold = e.hold;
  });
}

void Apply::operator()(const ExecutionFinished& e) {
  change(e.execution, [&](ExecutionDoc& doc) {
    doc.status = ExecutionStatus::finished;
    doc.ended = folded.stamp;
    doc.result = ResultDoc{e.verdict,   e.cause,    e.decided_by,      e.evidence, e.exit_code,
                           e.signal,    e.usage,    e.timings,         e.out,      e.err,
                           e.isolation, e.controls, e.controls_missing};
    doc.output = e.payload;
  });
}

void Apply::operator()(const ExecutionErased& e) {
  change(e.execution, [&](ExecutionDoc& doc) {
    for (const Blob& token : doc.tokens) {
      rows.remove(row_key('t', doc.org, token.bytes, doc.requested_position));
    }
    doc.erased = true;
    doc.input.reset();
    doc.output.reset();
    doc.tokens.clear();
  });
}

void Apply::operator()(const WebhookScheduled& e) {
  DeliveryDoc doc;
  doc.org = folded.event->org;
  doc.id = e.delivery;
  doc.execution = e.execution;
  doc.endpoint = e.endpoint;
  doc.message_type = e.message_type;
  doc.created = folded.stamp;
  doc.next = folded.stamp;
  put_row(rows, row_key('d', doc.id), doc);
  const std::int64_t position = folded.position.value;
  rows.put(row_key('y', doc.execution, position), Bytes(doc.id.view()));
  if (doc.endpoint) rows.put(row_key('p', *doc.endpoint, position), Bytes(doc.id.view()));
}

void Apply::delivery(const DeliveryId& id, DeliveryStatus status, const AttemptFacts* attempt,
                     std::optional<UnixMs> next, const std::string& reason) {
  auto doc = delivery_at(rows, id);
  if (!doc) return;
  doc->status = status;
  doc->next = next;
  doc->reason = reason;
  if (attempt != nullptr) doc->attempts.push_back({folded.stamp, *attempt});
  if (status != DeliveryStatus::scheduled) doc->ended = folded.stamp;
  put_row(rows, row_key('d', id), *doc);
}

void apply_events(const Folded& folded, Rows& rows) {
  std::visit(Apply{folded, rows}, folded.event->body);
  if (const auto execution = trail_of(folded.event->body)) {
    put_row(rows, row_key('e', *execution, folded.position.value), public_event(folded));
  }
  if (auto entry = ledger_entry_of(*folded.event)) {
    entry->time = folded.stamp;
    entry->partition = folded.where.partition;
    entry->position = folded.position.value;
    put_row(rows, row_key('b', folded.event->org, folded.position.value), *entry);
  }
}

void apply_audit(const Folded& folded, const CoreState& state, Rows& rows) {
  const auto* entry = folded.applied_as<AuditRecorded>();
  if (entry == nullptr) return;
  const auto index = static_cast<std::int64_t>(state.audit_tree.size()) - 1;
  put_row(rows, row_key('a', index), AuditDoc{index, *entry});
  if (entry->organization) rows.put(row_key('o', *entry->organization, index), "");
}

}  // namespace
}  // namespace gateway

void ReadModel::apply(const Folded& folded, const CoreState& state, Rows& rows) const {
  if (!folded.applied()) return;
  if (folded.where.topic == "audit") {
    gateway::apply_audit(folded, state, rows);
  } else {
    gateway::apply_events(folded, rows);
  }
}

}  // namespace sandtrail
