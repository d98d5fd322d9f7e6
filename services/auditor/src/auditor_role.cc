// SPDX-License-Identifier: Apache-2.0
#include "auditor/auditor_role.h"

#include "sequencer.h"
#include "wire/topics.h"

namespace sandtrail {
namespace {

// On `audit`: signs the tree as it is folded, at most once in an interval.
class CheckpointSigner final : public RolePartition {
 public:
  CheckpointSigner(RoleContext& context, const NoteSigner& signer, const AuditorOptions& options)
      : context_(context), signer_(signer), options_(options) {}

  void resume() override { sign(); }

  void on_committed(const std::vector<Folded>&) override {
    if (!to_sign() || waiting_) return;
    waiting_ = true;
    context_.at(context_.now() + options_.checkpoint_interval, "sign", [this] { sign(); });
  }

 private:
  bool to_sign() const {
    const CoreState& state = context_.state();
    return static_cast<std::int64_t>(state.audit_tree.size()) > state.meta.checkpoint_size;
  }

  void sign() {
    waiting_ = false;
    context_.decide("checkpoint", [this]() -> std::optional<Proposal> {
      if (!to_sign()) return std::nullopt;
      const MerkleFrontier& tree = context_.state().audit_tree;
      const auto text = checkpoint_text({options_.origin, tree.size(), tree.root(), {}});
      ST_ASSERT(text.ok());
      auto note = sign_note(*text, {&signer_});
      ST_ASSERT(note.ok());
      Proposal proposal;
      proposal.subject = options_.origin;
      proposal.body =
          AuditCheckpointSigned{static_cast<std::int64_t>(tree.size()), std::move(note).value()};
      return proposal;
    });
  }

  RoleContext& context_;
  const NoteSigner& signer_;
  const AuditorOptions& options_;
  bool waiting_ = false;
};

class AuditorRole final : public Role {
 public:
  AuditorRole(AuditWatch& watch, const NoteSigner& signer, AuditorOptions options,
              ProposeTo propose_to)
      : watch_(watch),
        signer_(signer),
        options_(std::move(options)),
        propose_to_(std::move(propose_to)) {}
  DeciderRole name() const override { return DeciderRole::auditor; }
  bool owns(TopicKind) const override { return true; }
  std::unique_ptr<RolePartition> open(RoleContext& context) override {
    if (context.where().topic == kAuditTopic) {
      return std::make_unique<CheckpointSigner>(context, signer_, options_);
    }
    return std::make_unique<Sequencer>(context, watch_, propose_to_);
  }

 private:
  AuditWatch& watch_;
  const NoteSigner& signer_;
  AuditorOptions options_;
  ProposeTo propose_to_;
};

}  // namespace

std::unique_ptr<Role> make_auditor_role(AuditWatch& watch, const NoteSigner& signer,
                                        AuditorOptions options, ProposeTo propose_to) {
  return std::make_unique<AuditorRole>(watch, signer, std::move(options), std::move(propose_to));
}

}  // namespace sandtrail
