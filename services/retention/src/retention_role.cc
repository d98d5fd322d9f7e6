// SPDX-License-Identifier: Apache-2.0
#include "retention/retention_role.h"

#include <set>

#include "base/limits.h"
#include "sealing/root_check.h"

namespace sandtrail {
namespace {

constexpr Millis kUnboundSweepEvery = minutes(5);

class RetentionPartition final : public RolePartition {
 public:
  RetentionPartition(RoleContext& context, Payloads& payloads, Executor executor,
                     std::function<TopicPartition(const OrgId&)> home)
      : context_(context),
        payloads_(payloads),
        executor_(std::move(executor)),
        home_(std::move(home)) {}

  void resume() override {
    for (const auto& [id, row] : context_.state().executions.rows()) take_up(id, row);
    sweep_unbound();
  }

  void on_committed(const std::vector<Folded>& batch) override {
    for (const Folded& folded : batch) {
      if (!folded.applied()) continue;
      const auto id = ExecutionId::parse(folded.event->subject);
      if (!id) continue;
      const ExecutionRow* row = context_.state().executions.find(*id);
      if (row != nullptr) take_up(*id, *row);
    }
  }

 private:
  void take_up(const ExecutionId& id, const ExecutionRow& row) {
    if (row.erased) {
      if (!row.key_destroyed) destroy(id);
    } else if (const auto expires = row.expires()) {
      context_.at(*expires, "erase/" + id.text(), [this, id] { erase(id); });
    }
  }

  void erase(const ExecutionId& id) {
    context_.decide("erase/" + id.text(), [this, id]() -> std::optional<Proposal> {
      const ExecutionRow* row = context_.state().executions.find(id);
      if (row == nullptr || row->erased) return std::nullopt;
      return about(id, *row, ExecutionErased{id});
    });
  }

  // Objects first: their names follow from the key's id, and without the key they say nothing.
  void destroy(const ExecutionId& id) {
    context_.effect("destroy/" + id.text(), [this, id](const EffectDone& done) {
      const ExecutionRow* row = context_.state().executions.find(id);
      if (row == nullptr || row->key_destroyed) return done({});
      std::vector<PayloadPurpose> purposes{{"input", ""}};
      for (std::int64_t attempt = 1; attempt <= row->attempt; ++attempt) {
        purposes.push_back({"output", std::to_string(attempt)});
      }
      const auto confirm = context_.guard([this, id, done] { confirm_destroyed(id, done); });
      executor_([key = row->key, purposes, confirm, done, &payloads = payloads_] {
        const Status removed = payloads.remove_objects(key, purposes);
        if (!removed.ok()) return done(removed.error());
        payloads.keyring().destroy(key, [confirm, done](const Status& destroyed) {
          if (destroyed.ok()) return confirm();
          // Whatever failed there may work later; the key must go.
          Error error = destroyed.error();
          error.code = ErrorCode::unavailable;
          done(error);
        });
      });
    });
  }

  void confirm_destroyed(const ExecutionId& id, const EffectDone& done) {
    const ExecutionRow* row = context_.state().executions.find(id);
    if (row == nullptr || row->key_destroyed) return done({});
    context_.propose(about(id, *row, ExecutionKeyDestroyed{id, row->key}),
                     [done](const ProposalOutcome& outcome) { done(outcome.settled()); });
  }

  // Keys that were made for a request which never came to be applied.
  void sweep_unbound() {
    context_.at(context_.now() + kUnboundSweepEvery, "sweep", [this] { sweep_unbound(); });
    auto bound = std::make_shared<std::set<DataKeyId>>();
    for (const auto& [id, row] : context_.state().executions.rows()) bound->insert(row.key);
    for (const auto& [id, row] : context_.state().orgs.rows()) bound->insert(row.key);
    const UnixMs oldest = context_.now() - limits::kUnboundKeyKept;
    executor_([bound, oldest, where = context_.where(), home = home_, &payloads = payloads_] {
      std::vector<DataKeyId> unbound;
      const Status listed = payloads.keyring().store().list([&](const WrappedKey& key) {
        if (key.id == root_check_id()) return true;
        const bool ours = home(key.org) == where;
        if (ours && key.created < oldest && !bound->contains(key.id)) unbound.push_back(key.id);
        return true;
      });
      if (!listed.ok()) return;
      for (const DataKeyId& id : unbound) payloads.keyring().destroy(id, [](const Status&) {});
    });
  }

  static Proposal about(const ExecutionId& id, const ExecutionRow& row, EventBody body) {
    Proposal proposal;
    proposal.org = row.org;
    proposal.subject = id.text();
    proposal.correlation = id.text();
    proposal.body = std::move(body);
    return proposal;
  }

  RoleContext& context_;
  Payloads& payloads_;
  Executor executor_;
  std::function<TopicPartition(const OrgId&)> home_;
};

class RetentionRole final : public Role {
 public:
  RetentionRole(Payloads& payloads, Executor executor,
                std::function<TopicPartition(const OrgId&)> home)
      : payloads_(payloads), executor_(std::move(executor)), home_(std::move(home)) {}
  DeciderRole name() const override { return DeciderRole::retention; }
  bool owns(TopicKind topic) const override { return topic == TopicKind::events; }
  std::unique_ptr<RolePartition> open(RoleContext& context) override {
    return std::make_unique<RetentionPartition>(context, payloads_, executor_, home_);
  }

 private:
  Payloads& payloads_;
  Executor executor_;
  std::function<TopicPartition(const OrgId&)> home_;
};

}  // namespace

std::unique_ptr<Role> make_retention_role(Payloads& payloads, Executor executor,
                                          std::function<TopicPartition(const OrgId&)> home) {
  return std::make_unique<RetentionRole>(payloads, std::move(executor), std::move(home));
}

}  // namespace sandtrail
