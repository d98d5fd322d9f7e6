// SPDX-License-Identifier: Apache-2.0
// JSON read in place, for what a fold reads by the thousand: records and stored rows. Over
// simdjson, whose names stay out of this header.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string_view>
#include <utility>

#include "base/result.h"

namespace sandtrail::json {

class Members;
class Items;

// One value of a text that scan() reads. Cheap to copy; it and every view it gives are valid until
// scan() returns.
class Node {
 public:
  bool is_null() const;
  bool is_number() const;
  std::optional<bool> boolean() const;
  std::optional<std::int64_t> integer() const;  // no fraction, no exponent, in range
  std::optional<std::string_view> text() const;
  std::optional<Members> members() const;  // of an object
  std::optional<Items> items() const;      // of an array

 private:
  friend class NodeAccess;
  alignas(8) std::array<std::byte, 16> element_{};
};

// The members of an object, in their order.
class Members {
 public:
  // Quickest where members are asked for in the order in which they stand.
  std::optional<Node> find(std::string_view name);
  std::optional<std::pair<std::string_view, Node>> next();

 private:
  friend class NodeAccess;
  using Place = std::array<std::byte, 16>;
  alignas(8) Place begin_{};
  alignas(8) Place at_{};
  alignas(8) Place end_{};
};

class Items {
 public:
  std::optional<Node> next();

 private:
  friend class NodeAccess;
  alignas(8) std::array<std::byte, 16> at_{};
  alignas(8) std::array<std::byte, 16> end_{};
};

// Parses `text` and calls `read` with its value. Strict: one value, UTF-8, at most
// limits::kJsonDepthMax deep, no trailing bytes, every number in the range of 64 bits or of a
// double. invalid_argument otherwise, without a call, and if an object gives a name twice (RFC 7493
// section 2.3). Not to be called from within `read`. The text stays in the thread's memory for a
// while: for what is no secret.
Status scan(std::string_view text, const std::function<void(const Node&)>& read);

}  // namespace sandtrail::json
