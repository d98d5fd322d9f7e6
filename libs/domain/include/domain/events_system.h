// SPDX-License-Identifier: Apache-2.0
// Events about the log itself: ownership, rules, parked effects, and the audit log. Legality:
// src/legality_system.cc.
#pragma once

#include <map>
#include <vector>

#include "domain/common.h"

namespace sandtrail {

// A process says that it acts for `role` on this partition from here on.
struct OwnerClaimed {
  static constexpr std::string_view kType = "sandtrail.owner.claimed";
  DeciderRole role = DeciderRole::launcher;
  std::int64_t epoch = 0;             // legal only as the current one plus one
  std::string instance;               // of the process, for people
  std::int64_t digest_position = -1;  // the last record the claimer had folded, -1 for none
  Blob digest;                        // its running digest there (runtime/digest.h)
  template <typename Self, typename V>
  static void fields(Self& s, V& v) {
    v("role", s.role);
    v("epoch", s.epoch);
    v("instance", s.instance);
    v("digest_position", s.digest_position);
    v("digest", s.digest);
  }
};

// Selects the rules of legality from here on in this partition.
struct RulesActivated {
  static constexpr std::string_view kType = "sandtrail.rules.activated";
  std::int64_t number = 0;
  template <typename Self, typename V>
  static void fields(Self& s, V& v) {
    v("number", s.number);
  }
};

// An effect that keeps failing stands aside until an operator says what to do.
struct EffectParked {
  static constexpr std::string_view kType = "sandtrail.effect.parked";
  std::string effect;  // its id within the role
  std::string error;   // without payloads or secrets
  template <typename Self, typename V>
  static void fields(Self& s, V& v) {
    v("effect", s.effect);
    v("error", s.error);
  }
};

enum class EffectAction { retry, skip };
template <>
struct EnumNames<EffectAction> {
  static constexpr std::array<std::pair<EffectAction, std::string_view>, 2> names{
      {{EffectAction::retry, "retry"}, {EffectAction::skip, "skip"}}};
};

struct EffectResolved {
  static constexpr std::string_view kType = "sandtrail.effect.resolved";
  DeciderRole role = DeciderRole::launcher;
  std::string effect;
  EffectAction action = EffectAction::retry;
  template <typename Self, typename V>
  static void fields(Self& s, V& v) {
    v("role", s.role);
    v("effect", s.effect);
    v("action", s.action);
  }
};

// On `platform`: attempts that name no organisation, counted for one action, reason and minute.
struct PlatformAccessDenied {
  static constexpr std::string_view kType = "sandtrail.platform.access_denied";
  std::string action;
  std::string reason;
  std::int64_t count = 0;
  UnixMs first;
  UnixMs last;
  template <typename Self, typename V>
  static void fields(Self& s, V& v) {
    v("action", s.action);
    v("reason", s.reason);
    v("count", s.count);
    v("first", s.first);
    v("last", s.last);
  }
};

// A partition that ended at `expected` and was found to end at `found`.
struct LostRange {
  std::string topic;
  std::int64_t partition = 0;
  std::int64_t expected = 0;
  std::int64_t found = 0;
  template <typename Self, typename V>
  static void fields(Self& s, V& v) {
    v("topic", s.topic);
    v("partition", s.partition);
    v("expected", s.expected);
    v("found", s.found);
  }
};

// On `platform`: an operator goes on with a log that has lost acknowledged records. It is another
// log since, under another identity.
struct LogLossAccepted {
  static constexpr std::string_view kType = "sandtrail.log.loss_accepted";
  std::string old_identity;
  std::string new_identity;
  std::vector<LostRange> partitions;  // none: only the head mark was unreadable
  std::string reason;                 // the operator's
  template <typename Self, typename V>
  static void fields(Self& s, V& v) {
    v("old_identity", s.old_identity);
    v("new_identity", s.new_identity);
    v("partitions", s.partitions);
    v("reason", s.reason);
  }
};

// Stands where a record was lost, on any topic, so that its position is never given to another one:
// positions stand in audit entries and in what clients keep. Changes nothing.
struct LogRecordLost {
  static constexpr std::string_view kType = "sandtrail.log.record_lost";
  template <typename Self, typename V>
  static void fields(Self&, V&) {}
};

enum class AuditOutcome { success, failure, denied };
template <>
struct EnumNames<AuditOutcome> {
  static constexpr std::array<std::pair<AuditOutcome, std::string_view>, 3> names{
      {{AuditOutcome::success, "success"},
       {AuditOutcome::failure, "failure"},
       {AuditOutcome::denied, "denied"}}};
};

struct AuditSource {
  std::string topic;
  std::int64_t partition = 0;
  std::int64_t position = 0;
  std::int64_t previous = -1;  // the audited position before it in that partition, -1 for none
  template <typename Self, typename V>
  static void fields(Self& s, V& v) {
    v("topic", s.topic);
    v("partition", s.partition);
    v("position", s.position);
    v("previous", s.previous);
  }
};

// One entry of the audit log; on `audit`. The leaf of the Merkle tree is this record's value.
struct AuditRecorded {
  static constexpr std::string_view kType = "sandtrail.audit.recorded";
  std::optional<OrgId> organization;
  UnixMs time;           // the append stamp of the source
  std::string event;     // id of the source event
  std::string action;    // "execution.create"
  std::string resource;  // the subject's id
  AuditOutcome outcome = AuditOutcome::success;
  std::string reason;      // unless success
  std::int64_t count = 1;  // of attempts, where they were aggregated
  Actor actor_copy;
  std::map<std::string, std::string> changes;
  std::string request_id;
  AuditSource source;
  template <typename Self, typename V>
  static void fields(Self& s, V& v) {
    v("organization", s.organization);
    v("time", s.time);
    v("event", s.event);
    v("action", s.action);
    v.with_default("resource", s.resource);
    v("outcome", s.outcome);
    v.with_default("reason", s.reason);
    v.with_default("count", s.count);
    v("who", s.actor_copy);
    v("changes", s.changes);
    v.with_default("request", s.request_id);
    v("source", s.source);
  }
};

// On `audit`: the auditor's signature under the tree of the first `size` entries. Not a leaf
// itself.
struct AuditCheckpointSigned {
  static constexpr std::string_view kType = "sandtrail.audit.checkpoint_signed";
  std::int64_t size = 0;
  std::string note;  // C2SP signed note of the checkpoint, whole
  template <typename Self, typename V>
  static void fields(Self& s, V& v) {
    v("size", s.size);
    v("note", s.note);
  }
};

// On the source's partition: its entries up to here stand on `audit`, so nobody needs to keep them.
struct AuditAcknowledged {
  static constexpr std::string_view kType = "sandtrail.audit.acknowledged";
  std::int64_t through = 0;  // position
  template <typename Self, typename V>
  static void fields(Self& s, V& v) {
    v("through", s.through);
  }
};

}  // namespace sandtrail
