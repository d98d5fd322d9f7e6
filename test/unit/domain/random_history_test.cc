// SPDX-License-Identifier: Apache-2.0
// Properties of the fold over random histories. A failure names its seed.
#include <doctest/doctest.h>

#include <cstdlib>

#include "invariants.h"

using namespace sandtrail;
using namespace sandtrail::test;

namespace {

constexpr int kSteps = 100;

// SANDTRAIL_TEST_SEEDS asks for more of them than fit into every day's tests.
std::uint64_t seeds() {
  const char* wanted = std::getenv("SANDTRAIL_TEST_SEEDS");
  return wanted == nullptr ? 200 : std::strtoull(wanted, nullptr, 10);
}

}  // namespace

TEST_CASE("random histories: every invariant holds after every record") {
  std::map<VoidReason, int> seen;
  std::map<std::string_view, int> applied;
  const std::uint64_t last_seed = seeds();
  for (std::uint64_t seed = 1; seed <= last_seed; ++seed) {
    History history(seed);
    Invariants invariants(history);
    for (int step = 0; step < kSteps; ++step) {
      const Judgement judgement = history.step();
      const std::string wrong = invariants.after(history, history.harness().core, judgement);
      const Record& last = history.records().back();
      ++seen[judgement.reason];
      if (judgement.applied()) ++applied[type_of(last.event.body)];
      if (wrong.empty()) continue;
      FAIL("seed " << seed << ", step " << step << ", " << std::string(type_of(last.event.body))
                   << " (" << std::string(enum_text(judgement.reason)) << "): " << wrong);
    }
  }
  // The histories are worth something only if they get everywhere.
  for (const auto& [reason, name] : EnumNames<VoidReason>::names) {
    const bool elsewhere = reason == VoidReason::unknown_type ||
                           reason == VoidReason::wrong_topic ||
                           reason == VoidReason::unknown_organization;
    CAPTURE(std::string(name));
    CHECK((seen[reason] > 0 || elsewhere));
  }
  for (const std::string_view type :
       {ExecutionRequested::kType, ExecutionRejected::kType, ExecutionAssigned::kType,
        ExecutionRefused::kType, ExecutionStarted::kType, ExecutionAttemptLost::kType,
        ExecutionFinished::kType, ExecutionCancelRequested::kType, ExecutionCancelled::kType,
        ExecutionLost::kType, ExecutionErased::kType, ExecutionKeyDestroyed::kType,
        WebhookScheduled::kType, WebhookAttempted::kType, WebhookDelivered::kType,
        WebhookExhausted::kType, BillingSettled::kType, OwnerClaimed::kType}) {
    CAPTURE(std::string(type));
    CHECK(applied[type] > 20);
  }
}

TEST_CASE("random histories: the same records give the same judgements and rows") {
  for (std::uint64_t seed = 1; seed <= 30; ++seed) {
    History history(seed);
    Core again = history.start();
    for (int step = 0; step < kSteps; ++step) {
      const Judgement first = history.step();
      const Judgement second = fold_record(again, history.records().back());
      if (first.reason == second.reason && first.stop == second.stop &&
          first.existing == second.existing) {
        continue;
      }
      FAIL("seed " << seed << ", step " << step << ": judged differently");
    }
    Rows rows, rows_again;
    history.harness().drain_into(rows);
    Harness copy;
    copy.core = again;
    copy.drain_into(rows_again);
    if (rows != rows_again) FAIL("seed " << seed << ": the rows differ");
  }
}
