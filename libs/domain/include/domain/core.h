// SPDX-License-Identifier: Apache-2.0
// The core fold: the judge of every event. Pure and total: no clock, no I/O, no randomness, never
// fails, treats payloads as opaque. The same records give the same state everywhere.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "domain/event.h"
#include "domain/state.h"

namespace sandtrail {

// Which topic a partition belongs to decides which events are legal there.
enum class TopicKind { events, platform, audit };

// Why an event is void. The names are stable: they stand in audit entries and error documents.
enum class VoidReason {
  none,          // it was applied
  malformed,     // no event can be read from the record
  unknown_type,  // under the rules in force
  wrong_topic,
  stale,     // ce_time too long before log time
  ahead,     // ce_time too far after log time
  repeated,  // this event id was judged already
  unknown_organization,
  actor_missing,
  actor_unexpected,
  key_unknown,
  key_revoked,
  key_expired,
  missing_role,
  stale_epoch,           // the decider does not own the partition (any more)
  idempotent_replay,     // the same request was applied before
  idempotency_conflict,  // the same key with another body
  version_mismatch,
  already_exists,
  not_found,
  wrong_state,
  wrong_attempt,
  limit_reached,
  insufficient_credits,
  wrong_amount,
  not_due,
  out_of_order,  // audit: not the successor in its source partition
  invalid,       // a value outside what the type allows
};
template <>
struct EnumNames<VoidReason> {
  static constexpr std::array<std::pair<VoidReason, std::string_view>, 28> names{{
      {VoidReason::none, "none"},
      {VoidReason::malformed, "malformed"},
      {VoidReason::unknown_type, "unknown_type"},
      {VoidReason::wrong_topic, "wrong_topic"},
      {VoidReason::stale, "stale"},
      {VoidReason::ahead, "ahead"},
      {VoidReason::repeated, "repeated"},
      {VoidReason::unknown_organization, "unknown_organization"},
      {VoidReason::actor_missing, "actor_missing"},
      {VoidReason::actor_unexpected, "actor_unexpected"},
      {VoidReason::key_unknown, "key_unknown"},
      {VoidReason::key_revoked, "key_revoked"},
      {VoidReason::key_expired, "key_expired"},
      {VoidReason::missing_role, "missing_role"},
      {VoidReason::stale_epoch, "stale_epoch"},
      {VoidReason::idempotent_replay, "idempotent_replay"},
      {VoidReason::idempotency_conflict, "idempotency_conflict"},
      {VoidReason::version_mismatch, "version_mismatch"},
      {VoidReason::already_exists, "already_exists"},
      {VoidReason::not_found, "not_found"},
      {VoidReason::wrong_state, "wrong_state"},
      {VoidReason::wrong_attempt, "wrong_attempt"},
      {VoidReason::limit_reached, "limit_reached"},
      {VoidReason::insufficient_credits, "insufficient_credits"},
      {VoidReason::wrong_amount, "wrong_amount"},
      {VoidReason::not_due, "not_due"},
      {VoidReason::out_of_order, "out_of_order"},
      {VoidReason::invalid, "invalid"},
  }};
};

// One record as the fold takes it.
struct FoldInput {
  std::int64_t position = 0;
  UnixMs stamp;                                   // given at append
  const Event* event = nullptr;                   // null if none can be read from the record
  VoidReason unreadable = VoidReason::malformed;  // then, why
  BytesView value;                                // exact bytes of the record's value
  bool other_fold = false;  // of an owner.claimed: it names another digest than this fold had there
};

struct Judgement {
  VoidReason reason = VoidReason::none;
  // Stop this partition before this record: it activates rules that this binary does not know, or
  // is the legal claim of one whose fold is another.
  bool stop = false;
  std::string existing;  // of an idempotent replay: what the first request made

  bool applied() const { return reason == VoidReason::none && !stop; }
};

inline constexpr std::int64_t kRulesKnown = 1;

// What an event type needs, whatever the state. One row for each type; src/rules.cc.
enum class ActorRule {
  none,  // a decision or a report: must carry no actor
  key,   // an API key with the row's role, or an operator
  op,    // an operator only
  any,   // a refused attempt: whoever it was
};
struct TypeRule {
  std::string_view type;
  TopicKind topic = TopicKind::events;
  std::optional<DeciderRole> decider;  // must carry this role's current epoch
  ActorRule actor = ActorRule::none;
  KeyRole role = KeyRole::viewer;
  std::string_view action;  // in the audit log, where an actor acts; else empty
};
const TypeRule& rule_of(std::string_view type);

// True if a key of role `have` may do what needs `need`.
bool role_allows(KeyRole have, KeyRole need);

// Not thread-safe: one fold, one thread.
class Core {
 public:
  explicit Core(TopicKind kind) : kind_(kind) {}

  Judgement fold(const FoldInput& input);

  const CoreState& state() const { return state_; }
  TopicKind kind() const { return kind_; }

  // Rows changed since the last call, for the store.
  using Put = std::function<void(Bytes key, Bytes value)>;
  using Remove = std::function<void(Bytes key)>;
  void drain(const Put& put, const Remove& remove);
  // Rows back from the store into an empty core; finish with loaded(). Fails with corrupt or
  // invalid_argument where a row is not one that drain() wrote; the core is of no use then.
  Status load(BytesView key, BytesView value);
  void loaded();

 private:
  void judge(const Event& event, const FoldInput& input, UnixMs now, Judgement& judgement);

  TopicKind kind_;
  CoreState state_;
};

}  // namespace sandtrail
