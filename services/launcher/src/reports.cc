// SPDX-License-Identifier: Apache-2.0
// What hosts say of attempts.
#include "launcher_partition.h"
#include "obs/log.h"
#include "report_check.h"

namespace sandtrail {
namespace {

std::int64_t epoch_of(const HostReport& report) {
  return std::visit([](const auto& what) { return what.host_epoch; }, report.what);
}

}  // namespace

void LauncherPartition::on_report(HostReport& report) {
  const ExecutionRow* row = find(report.execution);
  const bool current = row != nullptr && held_by_host(*row) && row->attempt == report.attempt &&
                       row->host == report.host && row->host_epoch == epoch_of(report);
  if (!current) return dismiss(report, row);
  Held& held = hold_slot(report.execution, row->host);
  if (auto* finished = std::get_if<ExecutionFinished>(&report.what)) {
    if (const Status fine = check_result(*finished, *row); !fine.ok()) {
      return refuse_result(report.execution, report.host, fine.error().message);
    }
    held.reported = true;
  } else if (row->status != ExecutionStatus::assigned) {
    return;  // applied already
  } else if (const auto* refused = std::get_if<ExecutionRefused>(&report.what)) {
    held.refusal = refused->reason.empty() ? "refused" : refused->reason;
  }
  append_report(report);
}

// Already applied, or of an attempt that counts for nothing any more.
void LauncherPartition::dismiss(const HostReport& report, const ExecutionRow* row) {
  const auto host = hosts_.find(report.host);
  if (host == nullptr) return;
  if (std::holds_alternative<ExecutionFinished>(report.what)) {
    host->acknowledge(authority(), report.execution, report.attempt);
  } else if (row == nullptr || row->attempt != report.attempt || !held_by_host(*row)) {
    host->cancel(authority(), report.execution, report.attempt);
  }
}

void LauncherPartition::append_report(const HostReport& report) {
  const std::string kind = std::to_string(report.what.index());
  const std::string effect_id =
      "report/" + report.execution.text() + "/" + std::to_string(report.attempt) + "/" + kind;
  auto body = std::make_shared<EventBody>(
      std::visit([](const auto& what) { return EventBody(what); }, report.what));
  // The memory counts for as long as the effect may be repeated.
  context_.effect(effect_id, [this, id = report.execution, attempt = report.attempt, body,
                              memory = report.memory, host = report.host,
                              &payloads = payloads_](const EffectDone& done) {
    const auto append = context_.guard([this, id, attempt, body, done] {
      const ExecutionRow* row = find(id);
      if (row == nullptr || !held_by_host(*row) || row->attempt != attempt) return done({});
      context_.propose(about(id, *row, *body), [done](const ProposalOutcome& outcome) {
        // Void for good: the state has moved on, and nothing is left to say.
        done(outcome.settled());
      });
    });
    auto* finished = std::get_if<ExecutionFinished>(body.get());
    if (finished == nullptr || !finished->payload) return append();
    const ExecutionRow* row = find(id);
    if (row == nullptr) return done({});
    const auto refuse = context_.guard([this, id, attempt, host, done] {
      const ExecutionRow* now = find(id);
      if (now != nullptr && now->attempt == attempt) refuse_result(id, host, "unreadable output");
      done({});
    });
    executor_([finished, append, refuse, done, attempt, body, &payloads,
               output_bytes_max = row->limits.output_bytes] {
      const Status opens = check_output(payloads, *finished, output_bytes_max);
      if (!opens.ok() && !opens.error().retryable()) return refuse();
      auto stored = opens.ok() ? payloads.store_if_large(*finished->payload,
                                                         {"output", std::to_string(attempt)})
                               : Result<SealedPayload>(opens.error());
      if (!stored.ok()) return done(stored.error());
      finished->payload = std::move(stored).value();
      append();
    });
  });
}

void LauncherPartition::refuse_result(const ExecutionId& id, const HostId& host,
                                      const std::string& why) {
  log_warn("a host's result makes no sense", {{"host", host}, {"execution", id}, {"error", why}});
  give_up(id, "its host's result makes no sense");
}

}  // namespace sandtrail
