// SPDX-License-Identifier: Apache-2.0
// One whole run of an installation by seed, from a plan to an outcome, and what to do about one
// that fails.
#pragma once

#include <functional>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "codec/reflect.h"

namespace sandtrail::sim {

inline constexpr int kActionsDefault = 60;

struct Plan {
  std::uint64_t seed = 1;
  int actions = kActionsDefault;
  std::set<std::string, std::less<>> without;  // kinds of trouble and of action
  std::set<std::string, std::less<>> with;  // faults that nothing is made to stand: see troubles.cc
  // What repeats it, with everything that is known about it.
  std::string command() const;
};

struct Outcome {
  std::int64_t seed = 0;
  std::vector<std::string> problems;  // none: it was right
  std::int64_t actions = 0;           // lived until the first problem
  std::int64_t executions = 0;
  std::int64_t launches = 0;
  std::int64_t deliveries = 0;
  std::int64_t records = 0;
  std::map<std::string, std::int64_t> voids;     // by reason
  std::map<std::string, std::int64_t> troubles;  // and actions, by kind
  std::string story;                             // if asked for
  template <typename Self, typename V>
  static void fields(Self& s, V& v) {
    v("seed", s.seed);
    v("problems", s.problems);
    v("actions", s.actions);
    v("executions", s.executions);
    v("launches", s.launches);
    v("deliveries", s.deliveries);
    v("records", s.records);
    v("voids", s.voids);
    v("troubles", s.troubles);
    v.with_default("story", s.story);
  }
};

// The seed decides all of it, also how many processes and machines there are.
Outcome run(const Plan& plan, bool with_story = false);

// The plan with as few actions and kinds of trouble as it takes to fail, by trying; as it is if it
// does not fail. `try_one` says what comes of a plan; `tell` hears of each success.
Plan shrink(const Plan& failing, const std::function<Outcome(const Plan&)>& try_one,
            const std::function<void(const Plan&)>& tell = {});

}  // namespace sandtrail::sim
