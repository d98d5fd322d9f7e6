// SPDX-License-Identifier: Apache-2.0
// The core: what one partition of the log means. Only the legality of events changes it.
#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>
#include <unordered_map>
#include <vector>

#include "crypto/merkle.h"
#include "domain/event.h"
#include "domain/table.h"

namespace sandtrail {

struct OrgRow {
  std::string name;
  UnixMs created;
  std::int64_t version = 1;
  OrgLimits limits;
  DataKeyId key;
  SealedPayload callback_secret;
  MicroCredits granted;      // all grants so far
  MicroCredits settled;      // all charges so far
  MicroCredits held;         // for executions that are not settled
  std::int64_t queued = 0;   // executions requested and not assigned
  std::int64_t running = 0;  // assigned and not terminal
  std::vector<KeyId> keys;   // not revoked
  std::vector<EndpointId> endpoints;

  MicroCredits balance() const { return {granted.count - settled.count}; }
  MicroCredits available() const { return {balance().count - held.count}; }
  template <typename Self, typename V>
  static void fields(Self& s, V& v) {
    v("name", s.name);
    v("created", s.created);
    v("version", s.version);
    v("limits", s.limits);
    v("key", s.key);
    v("callback_secret", s.callback_secret);
    v("granted", s.granted);
    v("settled", s.settled);
    v("held", s.held);
    v("queued", s.queued);
    v("running", s.running);
    v("keys", s.keys);
    v("endpoints", s.endpoints);
  }
};

struct KeyRow {
  OrgId org;
  std::string name;
  KeyRole role = KeyRole::viewer;
  Blob secret_sha256;
  std::string hint;
  UnixMs created;
  std::optional<UnixMs> expires;
  std::optional<UnixMs> revoked;
  template <typename Self, typename V>
  static void fields(Self& s, V& v) {
    v("org", s.org);
    v("name", s.name);
    v("role", s.role);
    v("secret_sha256", s.secret_sha256);
    v("hint", s.hint);
    v("created", s.created);
    v("expires", s.expires);
    v("revoked", s.revoked);
  }
};

struct EndpointRow {
  OrgId org;
  std::string url;
  std::vector<std::string> events;
  SealedPayload secret;
  UnixMs created;
  std::string disabled_reason;  // empty: enabled
  template <typename Self, typename V>
  static void fields(Self& s, V& v) {
    v("org", s.org);
    v("url", s.url);
    v("events", s.events);
    v("secret", s.secret);
    v("created", s.created);
    v.with_default("disabled_reason", s.disabled_reason);
  }
};

struct ExecutionRow {
  OrgId org;
  ExecutionStatus status = ExecutionStatus::requested;
  std::int64_t position = 0;  // of its request: the order of admission
  UnixMs requested;
  ExecutionLimits limits;
  std::int64_t attempts_max = 1;
  std::int64_t attempt = 0;  // number of the newest assignment
  std::int64_t attempts_lost = 0;
  HostId host;  // of the newest assignment
  std::int64_t host_epoch = 0;
  MicroCredits hold;
  std::int64_t rate_card = 0;
  bool cancel_requested = false;
  bool callback = false;
  std::optional<Millis> retention;
  DataKeyId key;
  std::string correlation;  // trace of the request
  std::optional<UnixMs> ended;
  std::int64_t wall_us = 0;  // of the finished attempt
  bool settled = false;
  std::string terminal_event;       // id
  std::vector<std::string> notify;  // receivers to schedule: endpoint ids, "callback"
  std::int64_t deliveries_open = 0;
  bool erased = false;
  bool key_destroyed = false;
  bool stub = false;                 // all but erasure is over
  std::optional<UnixMs> over_since;  // when over() became true

  bool over() const {
    return is_terminal(status) && settled && notify.empty() && deliveries_open == 0;
  }
  // When the payloads are to be erased; absent: not before it ended, or never.
  std::optional<UnixMs> expires() const {
    if (!ended || !retention) return std::nullopt;
    return *ended + *retention;
  }
  template <typename Self, typename V>
  static void fields(Self& s, V& v) {
    v("org", s.org);
    v("status", s.status);
    v("position", s.position);
    v("requested", s.requested);
    v("limits", s.limits);
    v("attempts_max", s.attempts_max);
    v("attempt", s.attempt);
    v("attempts_lost", s.attempts_lost);
    v("host", s.host);
    v("host_epoch", s.host_epoch);
    v("hold", s.hold);
    v("rate_card", s.rate_card);
    v("cancel_requested", s.cancel_requested);
    v("callback", s.callback);
    v("retention", s.retention);
    v("key", s.key);
    v("correlation", s.correlation);
    v("ended", s.ended);
    v("wall_us", s.wall_us);
    v("settled", s.settled);
    v("terminal_event", s.terminal_event);
    v("notify", s.notify);
    v("deliveries_open", s.deliveries_open);
    v("erased", s.erased);
    v("key_destroyed", s.key_destroyed);
    v("stub", s.stub);
    v("over_since", s.over_since);
  }
};

struct DeliveryRow {
  OrgId org;
  ExecutionId execution;
  std::optional<EndpointId> endpoint;  // absent: the callback URL
  std::string message_type;
  UnixMs scheduled;
  std::int64_t attempts = 0;
  UnixMs next;  // when the next attempt is due
  template <typename Self, typename V>
  static void fields(Self& s, V& v) {
    v("org", s.org);
    v("execution", s.execution);
    v("endpoint", s.endpoint);
    v("message_type", s.message_type);
    v("scheduled", s.scheduled);
    v("attempts", s.attempts);
    v("next", s.next);
  }
};

struct IdempotencyRow {
  Blob body_hmac;
  std::string subject;  // what the first request made
  UnixMs until;
  template <typename Self, typename V>
  static void fields(Self& s, V& v) {
    v("body_hmac", s.body_hmac);
    v("subject", s.subject);
    v("until", s.until);
  }
};

struct OwnerRow {
  std::int64_t epoch = 0;
  std::string instance;
  UnixMs since;
  template <typename Self, typename V>
  static void fields(Self& s, V& v) {
    v("epoch", s.epoch);
    v("instance", s.instance);
    v("since", s.since);
  }
};

struct ParkedRow {
  std::string error;
  UnixMs since;
  bool skipped = false;
  template <typename Self, typename V>
  static void fields(Self& s, V& v) {
    v("error", s.error);
    v("since", s.since);
    v("skipped", s.skipped);
  }
};

// Of the audit log: how far each source partition is recorded.
struct AuditChainRow {
  std::int64_t last = -1;
  template <typename Self, typename V>
  static void fields(Self& s, V& v) {
    v("last", s.last);
  }
};

// On `platform`: the newest base of a partition (events_system.h).
struct BaseRow {
  std::int64_t next = 0;
  Blob digest;
  Blob manifest;
  UnixMs taken;
  template <typename Self, typename V>
  static void fields(Self& s, V& v) {
    v("next", s.next);
    v("digest", s.digest);
    v("manifest", s.manifest);
    v("taken", s.taken);
  }
};

struct CoreMeta {
  UnixMs log_time;  // the greatest append stamp so far
  std::int64_t rules = 1;
  std::int64_t rate_card = 0;            // newest version adopted (events) or published (platform)
  std::int64_t platform_position = -1;   // on `platform`, of that card
  std::int64_t audit_acknowledged = -1;  // events, platform: position known to stand on `audit`
  Blob audit_tree;                       // audit: serialised MerkleFrontier
  std::int64_t checkpoint_size = 0;      // audit: newest signed checkpoint
  std::string checkpoint_note;
  template <typename Self, typename V>
  static void fields(Self& s, V& v) {
    v("log_time", s.log_time);
    v("rules", s.rules);
    v("rate_card", s.rate_card);
    v("platform_position", s.platform_position);
    v("audit_acknowledged", s.audit_acknowledged);
    v("audit_tree", s.audit_tree);
    v("checkpoint_size", s.checkpoint_size);
    v("checkpoint_note", s.checkpoint_note);
  }
};

// Event ids judged lately; an id is judged once (design: principle 3).
class JudgedIds {
 public:
  bool contains(const EventId& id) const { return until_.contains(id); }
  void add(const EventId& id, UnixMs until);
  void forget_before(UnixMs log_time);
  std::size_t size() const { return until_.size(); }

  static constexpr char kLetter = 'j';
  template <typename Put, typename Remove>
  void drain(Put&& put, Remove&& remove) {
    // An id that was forgotten and judged again (then as stale) is in both: the newer one last.
    for (const EventId& id : removed_) remove(kLetter + Bytes(id.view()));
    for (const auto& [id, until] : added_) {
      Bytes value;
      put_be64(value, static_cast<std::uint64_t>(until.count));
      put(kLetter + Bytes(id.view()), std::move(value));
    }
    added_.clear();
    removed_.clear();
  }
  Status load(BytesView key, BytesView value);

 private:
  std::unordered_map<EventId, UnixMs> until_;
  std::set<std::pair<UnixMs, EventId>> order_;
  std::unordered_map<EventId, UnixMs> added_;
  std::vector<EventId> removed_;
};

// Key of rows about a partition: "events/3".
inline std::string partition_key(std::string_view topic, std::int64_t partition) {
  return std::string(topic) + "/" + std::to_string(partition);
}

// Tables of one partition. `events` uses most; `platform` and `audit` few of them.
struct CoreState {
  CoreMeta meta;
  JudgedIds judged;
  Table<OrgId, OrgRow> orgs{'o'};
  Table<KeyId, KeyRow> keys{'k'};
  Table<EndpointId, EndpointRow> endpoints{'p'};
  Table<ExecutionId, ExecutionRow> executions{'x'};
  Table<DeliveryId, DeliveryRow> deliveries{'d'};
  Table<std::string, IdempotencyRow> idempotency{'i'};  // organisation id bytes + key HMAC
  Table<std::string, OwnerRow> owners{'w'};             // role name
  Table<std::string, ParkedRow> parked{'q'};            // role name / effect id
  Table<std::string, RateCard> cards{'c'};              // version as big-endian 64 bits
  Table<std::string, AuditChainRow> audit_chains{'a'};  // topic / partition
  Table<std::string, BaseRow> bases{'b'};               // topic / partition
  MerkleFrontier audit_tree;

  // What the fold has to forget and when: (log time, table letter, key bytes).
  std::set<std::tuple<UnixMs, char, Bytes>> agenda;

  const RateCard* card(std::int64_t version) const;
  std::int64_t epoch_of(DeciderRole role) const;
};

}  // namespace sandtrail
