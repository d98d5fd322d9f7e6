// SPDX-License-Identifier: Apache-2.0
#include "hosting/protocol.h"

#include "base/limits.h"
#include "codec/text.h"
#include "crypto/aead.h"
#include "wire_words.h"

namespace sandtrail {
namespace {

using namespace hosting_wire;

constexpr std::size_t kHeldMax = limits::kHostKeptResultsMax + limits::kSlotsMax;

Error malformed(std::string what) {
  return {ErrorCode::invalid_argument, std::move(what), ""};
}

bool fine(std::int64_t partition) {
  return partition >= 0 && partition < limits::kEventsPartitionsMax;
}

Bytes joined(std::string_view head, const std::vector<std::string_view>& items,
             std::string_view tail) {
  std::size_t bytes = head.size() + tail.size() + items.size();
  for (const auto item : items) bytes += item.size();
  Bytes out;
  out.reserve(bytes);
  out += head;
  for (std::size_t i = 0; i < items.size(); ++i) {
    if (i > 0) out += ',';
    out += items[i];
  }
  out += tail;
  return out;
}

WireOrder about(OrderKind kind, const OrderAuthority& by) {
  WireOrder out;
  out.kind = kind;
  out.partition = by.partition;
  out.owner_epoch = by.owner_epoch;
  return out;
}

template <typename Order>
WireOrder about_attempt(OrderKind kind, const Order& order) {
  WireOrder out = about(kind, order.by);
  out.execution = order.execution;
  out.attempt = order.attempt;
  return out;
}

WireOrder wire_of(const LaunchOrder& order) {
  WireOrder out = about_attempt(OrderKind::launch, order);
  WireLaunch& launch = out.launch.emplace();
  launch.host_epoch = order.host_epoch;
  launch.language = order.language;
  launch.limits = order.limits;
  launch.input = order.input;
  launch.key.bytes = Bytes(order.key.view());
  return out;
}
WireOrder wire_of(const CancelOrder& order) {
  return about_attempt(OrderKind::cancel, order);
}
WireOrder wire_of(const AcknowledgeOrder& order) {
  return about_attempt(OrderKind::acknowledge, order);
}
WireOrder wire_of(const TakeOverOrder& order) {
  return about(OrderKind::take_over, order.by);
}

Result<HostOrder> order_of(WireOrder& in) {
  if (!fine(in.partition) || in.owner_epoch <= 0) return malformed("an order by nobody");
  const OrderAuthority by{static_cast<std::int32_t>(in.partition), in.owner_epoch};
  if (in.kind == OrderKind::take_over) return HostOrder(TakeOverOrder{by});
  if (!in.execution || in.attempt <= 0) return malformed("an order about no attempt");
  if (in.kind == OrderKind::cancel) return HostOrder(CancelOrder{by, *in.execution, in.attempt});
  if (in.kind == OrderKind::acknowledge) {
    return HostOrder(AcknowledgeOrder{by, *in.execution, in.attempt});
  }
  if (!in.launch) return malformed("a launch of nothing");
  // What opens payloads takes no other key.
  if (in.launch->key.bytes.size() != kSealKeyBytes) return malformed("a launch without its key");
  LaunchOrder order;
  order.by = by;
  order.execution = *in.execution;
  order.attempt = in.attempt;
  order.host_epoch = in.launch->host_epoch;
  order.language = std::move(in.launch->language);
  order.limits = in.launch->limits;
  order.input = std::move(in.launch->input);
  order.key = SecretBytes::take(in.launch->key.bytes);
  return HostOrder(std::move(order));
}

struct WireOfReport {
  const HostReport& report;
  WireWord out = {};

  void operator()(const ExecutionRefused& refused) {
    out.kind = WordKind::refused;
    out.host_epoch = refused.host_epoch;
    out.reason = refused.reason;
  }
  void operator()(const ExecutionStarted& started) {
    out.kind = WordKind::started;
    out.host_epoch = started.host_epoch;
  }
  void operator()(const ExecutionFinished& finished) {
    out.kind = WordKind::finished;
    out.host_epoch = finished.host_epoch;
    out.result = finished;
  }
};

WireWord wire_of(const HostReport& report) {
  WireOfReport visit{report};
  std::visit(visit, report.what);
  visit.out.partition = report.partition;
  visit.out.execution = report.execution;
  visit.out.attempt = report.attempt;
  return std::move(visit.out);
}

WireWord wire_of(const TakenOver& taken) {
  WireWord out;
  out.kind = WordKind::taken_over;
  out.partition = taken.partition;
  out.order = taken.order;
  for (const HeldAttempt& held : taken.held) {
    out.held.push_back({held.execution, held.attempt, held.host_epoch, held.kept});
  }
  return out;
}

Result<HostWord> report_of(WireWord& in) {
  if (!in.execution || in.attempt <= 0) return malformed("a report about no attempt");
  HostReport report;
  report.partition = static_cast<std::int32_t>(in.partition);
  report.execution = *in.execution;
  report.attempt = in.attempt;
  // What stands within a result about whose it is does not count.
  if (in.kind == WordKind::refused) {
    report.what = ExecutionRefused{*in.execution, in.attempt, in.host_epoch,
                                   std::string(utf8_prefix(in.reason, kReasonBytesMax))};
  } else if (in.kind == WordKind::started) {
    report.what = ExecutionStarted{*in.execution, in.attempt, in.host_epoch};
  } else {
    if (!in.result) return malformed("an end without a result");
    in.result->execution = *in.execution;
    in.result->attempt = in.attempt;
    in.result->host_epoch = in.host_epoch;
    report.what = std::move(*in.result);
  }
  return HostWord(std::move(report));
}

Result<HostWord> word_of(WireWord& in) {
  if (!fine(in.partition)) return malformed("a report about no partition");
  if (in.kind != WordKind::taken_over) return report_of(in);
  if (in.held.size() > kHeldMax) return malformed("it says to hold too many attempts");
  TakenOver taken;
  taken.order = in.order;
  taken.partition = static_cast<std::int32_t>(in.partition);
  for (const WireHeld& held : in.held) {
    taken.held.push_back({held.execution, held.attempt, held.host_epoch, held.kept});
  }
  return HostWord(std::move(taken));
}

}  // namespace

Bytes order_text(std::int64_t number, const HostOrder& order) {
  WireOrder out = std::visit([](const auto& o) { return wire_of(o); }, order);
  out.number = number;
  Bytes text = to_text(out);
  if (out.launch) wipe(out.launch->key.bytes);
  return text;
}

Bytes orders_text(const std::vector<std::string_view>& orders) {
  return joined(R"({"orders":[)", orders, "]}");
}

Result<std::vector<NumberedOrder>> read_orders(BytesView body) {
  ST_ASSIGN(WireOrders in, read_body<WireOrders>(body));
  std::vector<NumberedOrder> out;
  for (WireOrder& order : in.orders) {
    ST_ASSIGN(HostOrder read, order_of(order));
    out.push_back({order.number, std::move(read)});
  }
  return out;
}

Bytes word_text(const HostWord& word) {
  return to_text(std::visit([](const auto& w) { return wire_of(w); }, word));
}

Bytes words_text(const HostLoad& load, const std::vector<std::string_view>& words) {
  return joined(R"({"load":)" + to_text(load) + R"(,"words":[)", words, "]}");
}

Result<HostWords> read_words(BytesView body) {
  ST_ASSIGN(WireWords in, read_body<WireWords>(body));
  HostWords out;
  out.load = in.load;
  for (WireWord& word : in.words) {
    ST_ASSIGN(HostWord read, word_of(word));
    out.words.push_back(std::move(read));
  }
  return out;
}

}  // namespace sandtrail
