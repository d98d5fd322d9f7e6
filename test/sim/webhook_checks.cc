// SPDX-License-Identifier: Apache-2.0
// The checkers' part about those who are told, and about telling a person what was seen.
#include "checkers.h"
#include "domain/notify.h"

namespace sandtrail::sim {
namespace {

constexpr std::size_t kValueShownBytes = 200;

}  // namespace

void Checkers::apply_webhook(const Event& event) {
  if (const auto* created = std::get_if<WebhookEndpointCreated>(&event.body)) {
    accounts_[event.org].endpoints.insert(created->endpoint.text());
  } else if (const auto* deleted = std::get_if<WebhookEndpointDeleted>(&event.body)) {
    accounts_[event.org].endpoints.erase(deleted->endpoint.text());
  } else if (const auto* disabled = std::get_if<WebhookEndpointDisabled>(&event.body)) {
    accounts_[event.org].endpoints.erase(disabled->endpoint.text());
  } else if (const auto* scheduled = std::get_if<WebhookScheduled>(&event.body)) {
    History& row = history(scheduled->execution, "told of");
    const std::string receiver =
        scheduled->endpoint ? scheduled->endpoint->text() : std::string(kCallbackReceiver);
    problems_.expect(row.to_tell.erase(receiver) == 1,
                     scheduled->execution.text() + " has a second delivery to " + receiver);
    const bool fresh = deliveries_.emplace(scheduled->delivery, DeliveryHistory()).second;
    problems_.expect(fresh, scheduled->delivery.text() + " is scheduled twice");
    deliveries_[scheduled->delivery].execution = scheduled->execution;
  } else if (const auto* attempt = std::get_if<WebhookAttempted>(&event.body)) {
    attempted(attempt->delivery, attempt->attempt);
  } else if (const auto* delivered = std::get_if<WebhookDelivered>(&event.body)) {
    attempted(delivered->delivery, delivered->attempt);
    delivery_ends(delivered->delivery);
    problems_.expect(deliveries_[delivered->delivery].accepted,
                     delivered->delivery.text() + " is delivered, and nobody has taken it");
  } else if (const auto* exhausted = std::get_if<WebhookExhausted>(&event.body)) {
    if (exhausted->attempt) attempted(exhausted->delivery, *exhausted->attempt);
    delivery_ends(exhausted->delivery);
  }
}

void Checkers::attempted(const DeliveryId& id, const AttemptFacts& attempt) {
  DeliveryHistory& row = deliveries_[id];
  problems_.expect(attempt.number == ++row.attempts,
                   id.text() + ": its attempts are not counted one by one");
  problems_.expect(row.ends == 0, id.text() + " is attempted after its end");
}

void Checkers::delivery_ends(const DeliveryId& id) {
  problems_.expect(++deliveries_[id].ends == 1, id.text() + " ends twice");
}

void Checkers::on_message(const Message& message) {
  catch_up();
  const auto id = DeliveryId::parse(message.id);
  const auto found = id ? deliveries_.find(*id) : deliveries_.end();
  if (found == deliveries_.end()) {
    return problems_.add("a message of " + message.id + " is sent, which is not scheduled");
  }
  DeliveryHistory& row = found->second;
  problems_.expect(message.signature_right, message.id + " is sent with a wrong signature");
  problems_.expect(row.body.empty() || row.body == message.body,
                   message.id + " says something else than before");
  row.body = message.body;
  row.accepted |= message.answered_well;
}

void Checkers::note(const TopicPartition& where, const StoredRecord& stored,
                    const Judgement& judgement) {
  SeenRecord seen;
  seen.where = where;
  seen.position = stored.position.value;
  seen.stamp = stored.stamp;
  seen.type = stored.record.header("ce_type").value_or("");
  seen.subject = stored.record.header("ce_subject").value_or("");
  seen.correlation = stored.record.header("ce_correlationid").value_or("");
  seen.reason = judgement.reason;
  seen.value = stored.record.value.substr(0, kValueShownBytes);
  seen_.push_back(std::move(seen));
}

std::string SeenRecord::text() const {
  const std::string verdict =
      reason == VoidReason::none ? "applied" : "void: " + std::string(enum_text(reason));
  return rfc3339(stamp) + "  " + where.text() + " " + std::to_string(position) + "  " + type + " " +
         subject + "  " + verdict + "  " + value;
}

}  // namespace sandtrail::sim
