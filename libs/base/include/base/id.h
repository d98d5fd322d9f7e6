// SPDX-License-Identifier: Apache-2.0
// Strong identifiers: a prefix and 26 characters of Crockford base32 for 128 bits.
//
// Fresh ids start with 48 bits of milliseconds, so they sort by time of creation; the other 80 bits
// are random. Derived ids are the first 16 bytes of a digest that their maker computes.
#pragma once

#include <array>
#include <compare>
#include <cstdint>
#include <cstring>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "base/assert.h"
#include "base/bytes.h"
#include "base/clock.h"
#include "base/random.h"

namespace sandtrail {

using IdBytes = std::array<char, 16>;

IdBytes fresh_id_bytes(UnixMs now, Random& random);

template <typename Tag>
class Id {
 public:
  Id() = default;  // the nil id: all zero, never issued
  explicit Id(const IdBytes& bytes) : bytes_(bytes) {}

  static Id fresh(const Clock& clock, Random& random) {
    return Id(fresh_id_bytes(clock.now(), random));
  }
  // From a digest of at least 16 bytes.
  static Id derived(BytesView digest) {
    ST_ASSERT(digest.size() >= 16);
    IdBytes bytes;
    std::memcpy(bytes.data(), digest.data(), bytes.size());
    return Id(bytes);
  }
  // Exact text form only; anything else is nullopt.
  static std::optional<Id> parse(std::string_view text) {
    if (!text.starts_with(Tag::prefix)) return std::nullopt;
    const auto raw = uncrockford16(text.substr(Tag::prefix.size()));
    if (!raw) return std::nullopt;
    return Id(*raw);
  }

  std::string text() const {
    std::string out;
    append_to(out);
    return out;
  }
  // The text form.
  void append_to(std::string& out) const {
    out += Tag::prefix;
    append_crockford(out, view());
  }
  BytesView view() const { return {bytes_.data(), bytes_.size()}; }
  const IdBytes& bytes() const { return bytes_; }
  bool nil() const { return bytes_ == IdBytes{}; }
  // The time of a fresh id.
  UnixMs time() const { return {static_cast<std::int64_t>(get_be64(view()) >> 16)}; }

  bool operator==(const Id&) const = default;
  // As bytes, hence as text and as stored keys; char itself is signed here.
  std::strong_ordering operator<=>(const Id& other) const { return view() <=> other.view(); }

 private:
  IdBytes bytes_{};
};

struct OrgTag {
  static constexpr std::string_view prefix = "org_";
};
struct KeyTag {
  static constexpr std::string_view prefix = "key_";
};
struct ExecutionTag {
  static constexpr std::string_view prefix = "exe_";
};
struct EndpointTag {
  static constexpr std::string_view prefix = "whe_";
};
struct DeliveryTag {
  static constexpr std::string_view prefix = "whd_";
};
struct EventTag {
  static constexpr std::string_view prefix = "evt_";
};
struct DataKeyTag {
  static constexpr std::string_view prefix = "dek_";
};
struct HostTag {
  static constexpr std::string_view prefix = "hst_";
};

using OrgId = Id<OrgTag>;  // organisation
using KeyId = Id<KeyTag>;  // API key
using ExecutionId = Id<ExecutionTag>;
using EndpointId = Id<EndpointTag>;  // webhook endpoint
using DeliveryId = Id<DeliveryTag>;  // webhook delivery
using EventId = Id<EventTag>;
using DataKeyId = Id<DataKeyTag>;
using HostId = Id<HostTag>;

}  // namespace sandtrail

template <typename Tag>
struct std::hash<sandtrail::Id<Tag>> {
  std::size_t operator()(const sandtrail::Id<Tag>& id) const noexcept {
    // The last eight bytes are random (fresh) or digest (derived): as good as any hash.
    std::uint64_t value;
    std::memcpy(&value, id.bytes().data() + 8, sizeof value);
    return static_cast<std::size_t>(value);
  }
};
