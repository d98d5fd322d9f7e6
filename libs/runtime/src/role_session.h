// SPDX-License-Identifier: Apache-2.0
// One role in one partition: assigned, claiming, live, lost. Everything it does while live.
#pragma once

#include <map>
#include <memory>
#include <set>
#include <string>

#include "mailbox.h"
#include "partition_fold.h"
#include "runtime/role.h"

namespace sandtrail {

// What a session needs of its partition.
struct SessionHost {
  const PartitionFold& fold;
  std::shared_ptr<Mailbox> mailbox;  // shared: others post to it when we may be gone
  Clock& clock;
  Random& random;
  std::string instance;
  // Appends a complete proposal of this role, decision included.
  std::function<void(Proposal, std::optional<Decision>, ProposalDone)> propose;
};

// Effects of a role that wait for an operator, whichever process it runs in.
std::size_t parked_of(const CoreState& state, const std::string& role);

// Lives on the partition's thread.
class RoleSession final : public RoleContext {
 public:
  RoleSession(Role& role, SessionHost host);
  ~RoleSession() override;

  // Claims with the next tick(), however lately it did: others may just have left.
  void assign();
  // Stops acting at once; effects in flight run into the void.
  void unassign();
  // The same for now: it claims anew with the next tick().
  void suspend() { stop_acting(); }
  // The same, however lately it claimed; a claim on its way starts nothing any more.
  void restart() {
    stop_acting();
    claim_not_before_us_ = 0;
    ++restarts_;
  }
  // After each step of the partition: claims when caught up, runs due timers.
  void tick(bool caught_up);
  // A committed batch: notices claims, lets the role react.
  void on_committed(const std::vector<Folded>& batch);
  // When tick() has something to do next.
  std::optional<UnixMs> next_due() const;
  RoleStatus status() const;

  const TopicPartition& where() const override { return host_.fold.where(); }
  std::int64_t epoch() const override { return epoch_; }
  const CoreState& state() const override { return host_.fold.state(); }
  const Rows& rows(std::string_view projection) const override {
    return host_.fold.rows(projection);
  }
  UnixMs now() const override { return host_.clock.now(); }
  void propose(Proposal proposal, ProposalDone done) override;
  void effect(const std::string& id, Effect effect) override;
  void decide(const std::string& id, std::function<std::optional<Proposal>()> make) override;
  void at(UnixMs due, const std::string& key, std::function<void()> run) override;
  void cancel(const std::string& key) override;
  std::function<void()> guard(std::function<void()> run) override;

 private:
  struct Running {
    Effect effect;
    int failures = 0;
  };
  bool may_claim() const;

  std::string role_name() const { return std::string(enum_text(role_.name())); }
  bool parked(const std::string& id) const;
  void claim();
  void become_live(std::int64_t epoch);
  void stop_acting();
  void run_effect(const std::string& id);
  void forget_effect(const std::string& id);
  void effect_ended(const std::string& id, const Status& status);
  void park(const std::string& id, const Error& error);
  void run_due_timers();
  Millis back_off(int failures);

  Role& role_;
  SessionHost host_;
  bool assigned_ = false;
  bool claiming_ = false;
  std::int64_t claim_not_before_us_ = 0;  // monotonic; 0: at once
  std::int64_t restarts_ = 0;
  Position live_since_{};                // what stands below was taken up by resume()
  std::int64_t epoch_ = 0;               // of our claim, while live
  std::unique_ptr<RolePartition> part_;  // while live
  std::shared_ptr<bool> alive_;          // false once this life of the role is over
  std::map<std::string, Running> running_;
  bool turned_away_ = false;  // an effect over limits::kEffectsInFlightMax
  std::map<std::string, std::pair<UnixMs, std::function<void()>>> timers_;
  std::set<std::pair<UnixMs, std::string>> due_;
};

}  // namespace sandtrail
