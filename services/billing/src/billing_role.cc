// SPDX-License-Identifier: Apache-2.0
#include "billing/billing_role.h"

#include "wire/topics.h"

namespace sandtrail {
namespace {

bool to_settle(const ExecutionRow& row) {
  return is_terminal(row.status) && !row.settled;
}

// On `platform`: keeps the newest card at the configured price.
class CardPublisher final : public RolePartition {
 public:
  CardPublisher(RoleContext& context, MicroCredits price) : context_(context), price_(price) {}

  void resume() override {
    context_.decide("publish-card", [this]() -> std::optional<Proposal> {
      const auto& meta = context_.state().meta;
      const RateCard* newest = context_.state().card(meta.rate_card);
      if (newest != nullptr && newest->per_gib_core_second == price_) return std::nullopt;
      Proposal proposal;
      proposal.subject = "rate-card/" + std::to_string(meta.rate_card + 1);
      proposal.body = RateCardPublished{{meta.rate_card + 1, price_}};
      return proposal;
    });
  }
  void on_committed(const std::vector<Folded>&) override {}

 private:
  RoleContext& context_;
  MicroCredits price_;
};

// On a partition of `events`: adopts cards and settles what ended.
class Settler final : public RolePartition {
 public:
  Settler(RoleContext& context, PlatformWatch& watch) : context_(context), watch_(watch) {
    watch_.listen(context_.where(), context_.guard([this] { adopt(); }));
  }
  ~Settler() override { watch_.forget(context_.where()); }

  void resume() override {
    adopt();
    for (const auto& [id, row] : context_.state().executions.rows()) {
      if (to_settle(row)) settle(id);
    }
  }

  void on_committed(const std::vector<Folded>& batch) override {
    for (const Folded& folded : batch) {
      if (const auto* finished = folded.applied_as<ExecutionFinished>()) {
        settle(finished->execution);
      } else if (const auto* lost = folded.applied_as<ExecutionLost>()) {
        settle(lost->execution);
      } else if (const auto* cancelled = folded.applied_as<ExecutionCancelled>()) {
        settle(cancelled->execution);
      } else if (const auto* rejected = folded.applied_as<ExecutionRejected>()) {
        settle(rejected->execution);
      }
    }
  }

 private:
  void adopt() {
    context_.decide("adopt-card", [this]() -> std::optional<Proposal> {
      const auto published = watch_.newest();
      if (!published || published->card.version <= context_.state().meta.rate_card) {
        return std::nullopt;
      }
      Proposal proposal;
      proposal.subject = "rate-card/" + std::to_string(published->card.version);
      proposal.body = PlatformAdopted{published->position, published->card};
      return proposal;
    });
  }

  void settle(const ExecutionId& id) {
    context_.decide("settle/" + id.text(), [this, id]() -> std::optional<Proposal> {
      const ExecutionRow* row = context_.state().executions.find(id);
      if (row == nullptr || !to_settle(*row)) return std::nullopt;
      const RateCard& card = *context_.state().card(row->rate_card);
      BillingSettled settled;
      settled.execution = id;
      settled.rate_card = row->rate_card;
      settled.hold = row->hold;
      if (row->status == ExecutionStatus::finished) {
        const RatedLine line = rate(card, row->limits, row->wall_us);
        settled.amount = line.amount;
        settled.lines = {line};
      }
      Proposal proposal;
      proposal.org = row->org;
      proposal.subject = id.text();
      proposal.correlation = id.text();
      proposal.causation = row->terminal_event;
      proposal.body = settled;
      return proposal;
    });
  }

  RoleContext& context_;
  PlatformWatch& watch_;
};

class BillingRole final : public Role {
 public:
  BillingRole(PlatformWatch& watch, MicroCredits price) : watch_(watch), price_(price) {}
  DeciderRole name() const override { return DeciderRole::billing; }
  bool owns(TopicKind topic) const override { return topic != TopicKind::audit; }
  std::unique_ptr<RolePartition> open(RoleContext& context) override {
    if (context.where().topic == kPlatformTopic) {
      return std::make_unique<CardPublisher>(context, price_);
    }
    return std::make_unique<Settler>(context, watch_);
  }

 private:
  PlatformWatch& watch_;
  MicroCredits price_;
};

}  // namespace

std::unique_ptr<Role> make_billing_role(PlatformWatch& watch, MicroCredits price) {
  return std::make_unique<BillingRole>(watch, price);
}

}  // namespace sandtrail
