// SPDX-License-Identifier: Apache-2.0
// A role acts on the partitions it owns. All it needs is here: state, proposals, effects, timers.
// It exists for a partition only while it is live there (it has folded its own claim), so a replay
// never acts.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "runtime/projection.h"
#include "runtime/types.h"

namespace sandtrail {

using EffectDone = std::function<void(Status)>;
using Effect = std::function<void(EffectDone)>;

// Given to a role for one partition. Call on the partition's thread only, but for what guard()
// returns.
class RoleContext {
 public:
  virtual ~RoleContext() = default;

  virtual const TopicPartition& where() const = 0;
  virtual std::int64_t epoch() const = 0;  // of the role's claim
  virtual const CoreState& state() const = 0;
  virtual const Rows& rows(std::string_view projection) const = 0;
  virtual UnixMs now() const = 0;  // wall clock

  // Appends for this role, with its epoch. `done` runs on the partition's thread, and not at all
  // if the role is lost before.
  virtual void propose(Proposal proposal, ProposalDone done) = 0;

  // Runs `effect` unless one of that id is running or parked. It must check first whether it is
  // still needed, and may be repeated: a retryable failure is repeated with back-off for ever, any
  // other kEffectTriesMax times and is then parked for an operator. `done` may be called from any
  // thread.
  virtual void effect(const std::string& id, Effect effect) = 0;

  // An effect that only appends: `make` is asked (again, for each try) for the proposal, nullopt
  // if it is not needed any more.
  virtual void decide(const std::string& id, std::function<std::optional<Proposal>()> make) = 0;

  // Runs once when the clock reaches `due`; replaces an earlier timer of that key.
  virtual void at(UnixMs due, const std::string& key, std::function<void()> run) = 0;
  virtual void cancel(const std::string& key) = 0;

  // Wraps `run` for other threads: it is then run on the partition's thread, unless the role has
  // been lost in between.
  virtual std::function<void()> guard(std::function<void()> run) = 0;
};

class RolePartition {
 public:
  virtual ~RolePartition() = default;
  // Starts everything that the state says is pending. Called when the role becomes live, and again
  // when an operator released a parked effect. Repeats do no harm: effects have ids.
  virtual void resume() = 0;
  // Records judged while live, after they are committed.
  virtual void on_committed(const std::vector<Folded>& batch) = 0;
};

class Role {
 public:
  virtual ~Role() = default;
  virtual DeciderRole name() const = 0;
  virtual bool owns(TopicKind topic) const = 0;
  // Called on the partition's thread when the role becomes live there; the context outlives the
  // returned object, which is destroyed when ownership is lost.
  virtual std::unique_ptr<RolePartition> open(RoleContext& context) = 0;
};

}  // namespace sandtrail
