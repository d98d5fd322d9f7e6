// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "auditor/auditor_role.h"

namespace sandtrail {

// Brings the entries of one source partition onto `audit`, in order and without a gap. Each names
// the one before it, so whatever is lost, repeated or raced on the way, only the right successor is
// applied; after anything else it begins again behind what is recorded.
class Sequencer final : public RolePartition {
 public:
  Sequencer(RoleContext& context, AuditWatch& watch, ProposeTo propose_to);
  ~Sequencer() override;

  void resume() override;
  void on_committed(const std::vector<Folded>& batch) override;

 private:
  void pump();
  void append(AuditRecorded entry);
  void one_done(bool applied);
  void acknowledge();
  void acknowledge_later();

  RoleContext& context_;
  AuditWatch& watch_;
  ProposeTo propose_to_;
  std::size_t in_flight_ = 0;
  std::int64_t sent_ = -1;  // position of the newest entry that is proposed
  bool disturbed_ = false;  // one of those in flight was not applied
};

}  // namespace sandtrail
