// SPDX-License-Identifier: Apache-2.0
// Orders and reports as they travel: one flat shape each, what does not concern a kind is absent.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "codec/reflect.h"
#include "domain/event.h"
#include "hosting/protocol.h"

namespace sandtrail {
namespace hosting_wire {

inline constexpr std::size_t kReasonBytesMax = 512;

enum class OrderKind { launch, cancel, acknowledge, take_over };

struct WireLaunch {
  std::int64_t host_epoch = 0;
  std::string language;
  ExecutionLimits limits;
  SealedPayload input;
  Blob key;
  template <typename Self, typename V>
  static void fields(Self& s, V& v) {
    v("host_epoch", s.host_epoch);
    v.with_default("language", s.language);
    v("limits", s.limits);
    v("input", s.input);
    v("key", s.key);
  }
};

struct WireOrder {
  std::int64_t number = 0;
  OrderKind kind = OrderKind::take_over;
  std::int64_t partition = 0;
  std::int64_t owner_epoch = 0;
  std::optional<ExecutionId> execution;
  std::int64_t attempt = 0;
  std::optional<WireLaunch> launch;
  template <typename Self, typename V>
  static void fields(Self& s, V& v) {
    v("number", s.number);
    v("kind", s.kind);
    v("partition", s.partition);
    v("owner_epoch", s.owner_epoch);
    v("execution", s.execution);
    v.with_default("attempt", s.attempt);
    v("launch", s.launch);
  }
};

struct WireOrders {
  std::vector<WireOrder> orders;
  template <typename Self, typename V>
  static void fields(Self& s, V& v) {
    v("orders", s.orders);
  }
};

enum class WordKind { refused, started, finished, taken_over };

struct WireHeld {
  ExecutionId execution;
  std::int64_t attempt = 0;
  std::int64_t host_epoch = 0;
  bool kept = false;
  template <typename Self, typename V>
  static void fields(Self& s, V& v) {
    v("execution", s.execution);
    v("attempt", s.attempt);
    v("host_epoch", s.host_epoch);
    v("kept", s.kept);
  }
};

struct WireWord {
  WordKind kind = WordKind::started;
  std::int64_t partition = 0;
  std::optional<ExecutionId> execution;
  std::int64_t attempt = 0;
  std::int64_t host_epoch = 0;
  std::string reason;                       // refused
  std::optional<ExecutionFinished> result;  // finished
  std::int64_t order = 0;                   // taken_over
  std::vector<WireHeld> held;
  template <typename Self, typename V>
  static void fields(Self& s, V& v) {
    v("kind", s.kind);
    v("partition", s.partition);
    v("execution", s.execution);
    v.with_default("attempt", s.attempt);
    v.with_default("host_epoch", s.host_epoch);
    v.with_default("reason", s.reason);
    v("result", s.result);
    v.with_default("order", s.order);
    v("held", s.held);
  }
};

struct WireWords {
  HostLoad load;
  std::vector<WireWord> words;
  template <typename Self, typename V>
  static void fields(Self& s, V& v) {
    v("load", s.load);
    v("words", s.words);
  }
};

}  // namespace hosting_wire

template <>
struct EnumNames<hosting_wire::OrderKind> {
  using K = hosting_wire::OrderKind;
  static constexpr std::array<std::pair<K, std::string_view>, 4> names{
      {{K::launch, "launch"},
       {K::cancel, "cancel"},
       {K::acknowledge, "acknowledge"},
       {K::take_over, "take_over"}}};
};
template <>
struct EnumNames<hosting_wire::WordKind> {
  using K = hosting_wire::WordKind;
  static constexpr std::array<std::pair<K, std::string_view>, 4> names{
      {{K::refused, "refused"},
       {K::started, "started"},
       {K::finished, "finished"},
       {K::taken_over, "taken_over"}}};
};

}  // namespace sandtrail
