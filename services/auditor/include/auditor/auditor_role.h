// SPDX-License-Identifier: Apache-2.0
// The auditor role: sequences audit entries of every source partition onto `audit`, and signs
// checkpoints of the Merkle tree over them.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>

#include "crypto/note.h"
#include "runtime/role.h"
#include "runtime/runtime.h"

namespace sandtrail {

inline constexpr std::string_view kAuditorProjection = "auditor";

// Rows "position -> entry" of each source partition until `audit.acknowledged`.
std::unique_ptr<Projection> make_auditor_projection();

// What the process has folded of `audit`: how far each source is recorded. Thread-safe.
class AuditWatch final : public Observer {
 public:
  // The last recorded position of a source partition, -1 if none. Nullopt before `audit` is loaded.
  std::optional<std::int64_t> recorded(const TopicPartition& source) const;
  void listen(const TopicPartition& who, std::function<void()> changed);
  void forget(const TopicPartition& who);

  void on_loaded(const PartitionView& view) override;
  void on_committed(const PartitionView& view, const std::vector<Folded>& batch) override;

 private:
  void take(const PartitionView& view);

  mutable std::mutex mutex_;
  bool loaded_ = false;
  std::map<std::string, std::int64_t> recorded_;
  std::map<TopicPartition, std::function<void()>> listeners_;
};

struct AuditorOptions {
  std::string origin;  // name of the log and of its key
  Millis checkpoint_interval = seconds(1);
};

// Appends a proposal to any partition: Runtime::propose.
using ProposeTo = std::function<void(const TopicPartition&, Proposal, ProposalDone)>;

// `signer` signs checkpoints. Everything given must outlive the role; the watch must be an observer
// of the runtime.
std::unique_ptr<Role> make_auditor_role(AuditWatch& watch, const NoteSigner& signer,
                                        AuditorOptions options, ProposeTo propose_to);

}  // namespace sandtrail
