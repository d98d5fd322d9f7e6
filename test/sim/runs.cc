// SPDX-License-Identifier: Apache-2.0
#include "runs.h"

#include "world.h"

namespace sandtrail::sim {
namespace {

constexpr int kTriesMax = 300;

// Even seeds have the hosts built in; odd ones have them on machines of their own.
World make_world(std::uint64_t seed) {
  const std::uint64_t shape = seed / 2;
  if (seed % 2 == 0) return {seed, shape % 2 == 0 ? 1 : 2};
  return {seed, shape % 3 == 0 ? 1 : 2, 1 + static_cast<int>(shape % 3)};
}

// Tries plans, and keeps the newest that failed.
class Shrinker {
 public:
  Shrinker(Plan failing, const std::function<Outcome(const Plan&)>& try_one,
           const std::function<void(const Plan&)>& tell)
      : best_(std::move(failing)), try_one_(try_one), tell_(tell) {}

  Plan shrink() {
    if (!fails(best_)) return best_;
    for (bool smaller = true; smaller && tries_ < kTriesMax;) {
      smaller = fewer_actions();
      smaller |= fewer_kinds();
    }
    return best_;
  }

 private:
  bool fails(const Plan& plan) {
    ++tries_;
    Outcome outcome = try_one_(plan);
    if (outcome.problems.empty()) return false;
    best_ = plan;
    // What came after the first problem had no part in it.
    if (outcome.actions > 0) best_.actions = static_cast<int>(outcome.actions);
    seen_ = std::move(outcome.troubles);
    if (tell_) tell_(best_);
    return true;
  }

  bool fewer_actions() {
    const int before = best_.actions;
    for (int step = best_.actions / 2; step > 0; step /= 2) {
      while (best_.actions > step && tries_ < kTriesMax) {
        Plan plan = best_;
        plan.actions -= step;
        if (!fails(plan)) break;
      }
    }
    return best_.actions < before;
  }

  bool fewer_kinds() {
    bool any = false;
    for (const auto& [kind, times] : std::map(seen_)) {
      if (tries_ >= kTriesMax) break;
      Plan plan = best_;
      plan.without.insert(kind);
      any |= fails(plan);
    }
    return any;
  }

  Plan best_;
  const std::function<Outcome(const Plan&)>& try_one_;
  const std::function<void(const Plan&)>& tell_;
  std::map<std::string, std::int64_t> seen_;
  int tries_ = 0;
};

}  // namespace

std::string Plan::command() const {
  std::string out = "scripts/sim --one " + std::to_string(seed);
  if (actions != kActionsDefault) out += " --actions " + std::to_string(actions);
  const auto add = [&out](const std::string& option, const auto& kinds) {
    std::string list;
    for (const std::string& kind : kinds) list += (list.empty() ? "" : ",") + kind;
    if (!list.empty()) out += " " + option + " '" + list + "'";
  };
  add("--without", without);
  add("--with", with);
  return out;
}

Outcome run(const Plan& plan, bool with_story) {
  World world = make_world(plan.seed);
  Shared& shared = world.shared;
  shared.diary.leave_out(plan.without);
  shared.diary.dare(plan.with);
  if (with_story) {
    shared.diary.keep_notes();
    shared.checkers->keep_records();
  }
  world.begin();
  world.live_dangerously(plan.actions);
  shared.diary.note("faults end");
  if (shared.problems.none()) world.recover();
  if (shared.problems.none()) world.check();

  Outcome out;
  out.seed = static_cast<std::int64_t>(plan.seed);
  out.problems = shared.problems.all();
  out.actions = world.actions_lived;
  out.executions = static_cast<std::int64_t>(shared.checkers->executions().size());
  out.launches = static_cast<std::int64_t>(shared.checkers->launches());
  out.deliveries = static_cast<std::int64_t>(shared.checkers->deliveries().size());
  out.records = shared.checkers->records();
  for (const auto& [reason, times] : shared.checkers->voids()) {
    out.voids[std::string(enum_text(reason))] = static_cast<std::int64_t>(times);
  }
  for (const auto& [kind, times] : shared.diary.counts()) out.troubles[kind] = times;
  if (with_story) out.story = world.story();
  return out;
}

Plan shrink(const Plan& failing, const std::function<Outcome(const Plan&)>& try_one,
            const std::function<void(const Plan&)>& tell) {
  return Shrinker(failing, try_one, tell).shrink();
}

}  // namespace sandtrail::sim
