// SPDX-License-Identifier: Apache-2.0
#include "webhooks/webhooks_role.h"

#include <algorithm>

#include "codec/text.h"
#include "crypto/digest.h"
#include "domain/notify.h"
#include "retry.h"
#include "sender.h"

namespace sandtrail {
namespace {

class WebhooksPartition final : public RolePartition {
 public:
  WebhooksPartition(RoleContext& context, Sending& sending)
      : context_(context), sending_(sending) {}

  void resume() override {
    for (const auto& [id, row] : context_.state().executions.rows()) schedule(id, row);
    for (const auto& [id, row] : context_.state().deliveries.rows()) plan(id, row);
  }

  void on_committed(const std::vector<Folded>& batch) override {
    for (const Folded& folded : batch) {
      if (!folded.applied()) continue;
      if (const auto* scheduled = folded.applied_as<WebhookScheduled>()) {
        replan(scheduled->delivery);
      } else if (const auto* attempted = folded.applied_as<WebhookAttempted>()) {
        replan(attempted->delivery);
      } else if (const auto id = ExecutionId::parse(folded.event->subject)) {
        const ExecutionRow* row = context_.state().executions.find(*id);
        if (row != nullptr) schedule(*id, *row);
      }
    }
  }

 private:
  // One delivery for each receiver that the fold named.
  void schedule(const ExecutionId& id, const ExecutionRow& row) {
    for (const std::string& receiver : row.notify) {
      context_.decide("schedule/" + id.text() + "/" + receiver,
                      [this, id, receiver]() -> std::optional<Proposal> {
                        const ExecutionRow* now = context_.state().executions.find(id);
                        if (now == nullptr || !names(*now, receiver)) return std::nullopt;
                        return scheduled_event(id, *now, receiver);
                      });
    }
  }

  static bool names(const ExecutionRow& row, const std::string& receiver) {
    return std::find(row.notify.begin(), row.notify.end(), receiver) != row.notify.end();
  }

  static Proposal scheduled_event(const ExecutionId& id, const ExecutionRow& row,
                                  const std::string& receiver) {
    WebhookScheduled scheduled;
    // Derived: whoever schedules it, and however often, it is the same delivery.
    scheduled.delivery = DeliveryId::derived(sha256("delivery " + row.terminal_event + receiver));
    scheduled.execution = id;
    scheduled.endpoint = EndpointId::parse(receiver);
    scheduled.message_type = message_type_of(row.status);
    Proposal proposal;
    proposal.org = row.org;
    proposal.subject = scheduled.delivery.text();
    proposal.correlation = id.text();
    proposal.causation = row.terminal_event;
    proposal.body = scheduled;
    return proposal;
  }

  void replan(const DeliveryId& id) {
    const DeliveryRow* row = context_.state().deliveries.find(id);
    if (row != nullptr) plan(id, *row);
  }

  void plan(const DeliveryId& id, const DeliveryRow& row) {
    context_.at(row.next, "attempt/" + id.text(), [this, id] { attempt(id); });
  }

  void attempt(const DeliveryId& id) {
    const DeliveryRow* row = context_.state().deliveries.find(id);
    if (row == nullptr) return;
    const std::int64_t number = row->attempts + 1;
    context_.effect("attempt/" + id.text() + "/" + std::to_string(number),
                    [this, id, number](const EffectDone& done) {
                      const DeliveryRow* now = context_.state().deliveries.find(id);
                      if (now == nullptr || now->attempts + 1 != number) return done({});
                      auto made = make_attempt(id, *now, number);
                      auto sent = context_.guard([this, made, done] { sent_one(*made, done); });
                      if (!made->impossible.empty()) return sent();
                      send_attempt(sending_, made, context_.now(), sent);
                    });
  }

  std::shared_ptr<Attempt> make_attempt(const DeliveryId& id, const DeliveryRow& row,
                                        std::int64_t number) const {
    auto out = std::make_shared<Attempt>();
    out->delivery = id;
    out->row = row;
    out->number = number;
    const auto stored = context_.rows(kWebhooksProjection).get(row.execution.view());
    auto message = from_text<MessageRow>(stored.value_or(""));
    if (!message.ok()) {
      out->impossible = "erased";
      return out;
    }
    out->message = std::move(message).value();
    if (row.endpoint) {
      const EndpointRow* endpoint = context_.state().endpoints.find(*row.endpoint);
      if (endpoint == nullptr || !endpoint->disabled_reason.empty()) {
        out->impossible = "endpoint_gone";
        return out;
      }
      out->url = endpoint->url;
      out->secret = endpoint->secret;
      out->secret_purpose = {"webhook_secret", row.endpoint->text()};
    } else {
      out->secret = context_.state().orgs.find(row.org)->callback_secret;
      out->secret_purpose = {"callback_secret", ""};
    }
    return out;
  }

  void sent_one(const Attempt& made, const EffectDone& done) {
    const DeliveryRow* row = context_.state().deliveries.find(made.delivery);
    if (row == nullptr || row->attempts + 1 != made.number) return done({});
    if (made.prevented) return done(*made.prevented);
    if (made.answer && result_of(*made.answer) == AttemptResult::gone && made.row.endpoint) {
      disable(*made.row.endpoint, made.row.org);
    }
    Proposal proposal;
    proposal.org = made.row.org;
    proposal.subject = made.delivery.text();
    proposal.correlation = made.row.execution.text();
    proposal.body = outcome_of(made);
    context_.propose(std::move(proposal),
                     [done](const ProposalOutcome& outcome) { done(outcome.settled()); });
  }

  EventBody outcome_of(const Attempt& made) const {
    if (!made.impossible.empty()) {
      return WebhookExhausted{made.delivery, made.impossible, std::nullopt};
    }
    AttemptFacts facts;
    facts.number = made.number;
    std::optional<Millis> retry_after;
    const auto& answer = *made.answer;
    if (answer.ok()) {
      facts.status = answer->status;
      facts.resolve_us = answer->timings.resolve_us;
      facts.connect_us = answer->timings.connect_us;
      facts.first_byte_us = answer->timings.first_byte_us;
      facts.total_us = answer->timings.total_us;
      retry_after = retry_after_of(*answer, context_.now());
    } else {
      facts.error = error_word(answer.error());
    }
    switch (result_of(answer)) {
      case AttemptResult::delivered:
        return WebhookDelivered{made.delivery, facts};
      case AttemptResult::gone:
        return WebhookExhausted{made.delivery, "gone", facts};
      case AttemptResult::failed:
        break;
    }
    const auto next = next_attempt(sending_.options.retry_after, made.number, retry_after,
                                   context_.now(), sending_.random);
    if (!next) return WebhookExhausted{made.delivery, "attempts", facts};
    return WebhookAttempted{made.delivery, facts, *next};
  }

  void disable(const EndpointId& id, const OrgId& org) {
    context_.decide("disable/" + id.text(), [this, id, org]() -> std::optional<Proposal> {
      const EndpointRow* endpoint = context_.state().endpoints.find(id);
      if (endpoint == nullptr || !endpoint->disabled_reason.empty()) return std::nullopt;
      Proposal proposal;
      proposal.org = org;
      proposal.subject = id.text();
      proposal.body = WebhookEndpointDisabled{id, "the receiver answered 410 Gone"};
      return proposal;
    });
  }

  RoleContext& context_;
  Sending& sending_;
};

class WebhooksRole final : public Role {
 public:
  WebhooksRole(http::Client& client, Payloads& payloads, Executor executor, Random& random,
               WebhookOptions options)
      : sending_{client, payloads, std::move(executor), random, std::move(options), {}} {}
  DeciderRole name() const override { return DeciderRole::webhooks; }
  bool owns(TopicKind topic) const override { return topic == TopicKind::events; }
  std::unique_ptr<RolePartition> open(RoleContext& context) override {
    return std::make_unique<WebhooksPartition>(context, sending_);
  }

 private:
  Sending sending_;
};

}  // namespace

std::unique_ptr<Role> make_webhooks_role(http::Client& client, Payloads& payloads,
                                         Executor executor, Random& random,
                                         WebhookOptions options) {
  return std::make_unique<WebhooksRole>(client, payloads, std::move(executor), random,
                                        std::move(options));
}

}  // namespace sandtrail
