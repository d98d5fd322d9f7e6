// SPDX-License-Identifier: Apache-2.0
#include "host/local_host.h"

namespace sandtrail {
namespace {

constexpr HostEngine::Route kOnlyRoute = 1;

}  // namespace

void LocalHost::attach(HostEvents& events) {
  events_ = &events;
  engine_.set_sink(
      [&events](HostEngine::Route, const HostReport& report) { events.on_report(report); });
}

void LocalHost::launch(LaunchOrder order) {
  engine_.launch(kOnlyRoute, std::move(order));
}

void LocalHost::cancel(const OrderAuthority& by, const ExecutionId& execution,
                       std::int64_t attempt) {
  engine_.cancel(kOnlyRoute, by, execution, attempt);
}

void LocalHost::acknowledge(const OrderAuthority& by, const ExecutionId& execution,
                            std::int64_t attempt) {
  engine_.acknowledge(kOnlyRoute, by, execution, attempt);
}

void LocalHost::take_over(const OrderAuthority& by) {
  if (!engine_.take_over(kOnlyRoute, by)) return;
  if (events_ != nullptr) events_->on_taken_over(engine_.info().id, by.partition);
  engine_.resend(by.partition);
}

Holding LocalHost::holding(std::int32_t, const ExecutionId& execution, std::int64_t attempt) const {
  return engine_.holds(execution, attempt) ? Holding::yes : Holding::no;
}

}  // namespace sandtrail
