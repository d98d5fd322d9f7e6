// SPDX-License-Identifier: Apache-2.0
// What events of every kind carry.
#pragma once

#include <optional>
#include <string>

#include "base/id.h"
#include "codec/blob.h"
#include "codec/reflect.h"

namespace sandtrail {

// Amounts of credit: integer millionths of a credit, never floating point.
struct MicroCredits {
  std::int64_t count = 0;
  auto operator<=>(const MicroCredits&) const = default;
};
inline constexpr std::int64_t kMicroCreditsPerCredit = 1'000'000;

// What an API key may do; each includes the ones before it, but for auditor and operator.
enum class KeyRole { viewer, member, admin, auditor };
template <>
struct EnumNames<KeyRole> {
  static constexpr std::array<std::pair<KeyRole, std::string_view>, 4> names{
      {{KeyRole::viewer, "viewer"},
       {KeyRole::member, "member"},
       {KeyRole::admin, "admin"},
       {KeyRole::auditor, "auditor"}}};
};

enum class ActorKind { api_key, op, unauthenticated };
template <>
struct EnumNames<ActorKind> {
  static constexpr std::array<std::pair<ActorKind, std::string_view>, 3> names{
      {{ActorKind::api_key, "api_key"},
       {ActorKind::op, "operator"},
       {ActorKind::unauthenticated, "unauthenticated"}}};
};

// The person or program that asked. Names are copied when written: keys get deleted.
struct Actor {
  ActorKind kind = ActorKind::api_key;
  std::optional<KeyId> key;
  std::string name;
  std::string auth_method;  // "bearer", "socket"
  std::string address;      // of the peer, without port
  std::string user_agent;
  template <typename Self, typename V>
  static void fields(Self& s, V& v) {
    v("kind", s.kind);
    v("key", s.key);
    v("name", s.name);
    v("auth_method", s.auth_method);
    v("address", s.address);
    v("user_agent", s.user_agent);
  }
};

// Who decides: a role that owns the partition, at the epoch of its claim. Void under another epoch.
enum class DeciderRole { launcher, billing, retention, webhooks, auditor };
template <>
struct EnumNames<DeciderRole> {
  static constexpr std::array<std::pair<DeciderRole, std::string_view>, 5> names{
      {{DeciderRole::launcher, "launcher"},
       {DeciderRole::billing, "billing"},
       {DeciderRole::retention, "retention"},
       {DeciderRole::webhooks, "webhooks"},
       {DeciderRole::auditor, "auditor"}}};
};

struct Decision {
  DeciderRole role = DeciderRole::launcher;
  std::int64_t epoch = 0;
  template <typename Self, typename V>
  static void fields(Self& s, V& v) {
    v("role", s.role);
    v("epoch", s.epoch);
  }
};

// HMACs under the organisation's key, so that the log does not hold what a client chose.
struct Idempotency {
  Blob key_hmac;   // over route and Idempotency-Key
  Blob body_hmac;  // over the request's body
  template <typename Self, typename V>
  static void fields(Self& s, V& v) {
    v("key_hmac", s.key_hmac);
    v("body_hmac", s.body_hmac);
  }
};

// What a tenant sent or produced, sealed under a data key. Either inline, or an object that is
// durable before the record that names it.
struct SealedPayload {
  DataKeyId key;
  std::int64_t bytes = 0;  // of the plaintext
  Blob sealed;             // empty if in the ObjectStore
  std::string object;      // its name there, else empty
  template <typename Self, typename V>
  static void fields(Self& s, V& v) {
    v("key", s.key);
    v("bytes", s.bytes);
    v.with_default("sealed", s.sealed);
    v.with_default("object", s.object);
  }
};

}  // namespace sandtrail
