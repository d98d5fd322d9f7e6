// SPDX-License-Identifier: Apache-2.0
#include <doctest/doctest.h>

#include <functional>

#include "base/limits.h"
#include "report_check.h"

using namespace sandtrail;

TEST_CASE("a result that cannot be one of its execution is told apart from one that can") {
  ManualClock clock;
  SeededRandom random(1);
  ExecutionRow row;
  row.key = DataKeyId::fresh(clock, random);
  const DataKeyId other = DataKeyId::fresh(clock, random);
  const auto result = [&] {
    ExecutionFinished out;
    out.verdict = Verdict::ok;
    out.usage = {1000, 900, 4096};
    out.evidence = {"exit_code=0"};
    out.controls = {"seccomp"};
    out.payload.emplace();
    out.payload->key = row.key;
    out.payload->bytes = 10;
    out.payload->sealed.bytes = Bytes(40, 's');
    return out;
  };
  using Change = std::function<void(ExecutionFinished&)>;
  struct Case {
    const char* what;
    Change change;
    bool fine;
  };
  const std::vector<Case> cases{
      {"as it should be", [](auto&) {}, true},
      {"without output", [](auto& r) { r.payload.reset(); }, true},
      {"as long as it may be",
       [](auto& r) { r.payload->sealed.bytes = Bytes(limits::kHostOutputBytesMax, 's'); }, true},
      {"under another key", [&](auto& r) { r.payload->key = other; }, false},
      {"an object", [](auto& r) { r.payload->object = "another's"; }, false},
      {"empty", [](auto& r) { r.payload->sealed.bytes.clear(); }, false},
      {"too long",
       [](auto& r) { r.payload->sealed.bytes = Bytes(limits::kHostOutputBytesMax + 1, 's'); },
       false},
      {"longer inside than outside", [](auto& r) { r.payload->bytes = 41; }, false},
      {"less than nothing", [](auto& r) { r.payload->bytes = -1; }, false},
      {"negative time", [](auto& r) { r.usage.wall_us = -1; }, false},
      {"negative output", [](auto& r) { r.err.total_bytes = -1; }, false},
      {"a long story",
       [](auto& r) { r.evidence = {std::string(limits::kHostFactsBytesMax + 1, 'x')}; }, false},
      {"many stories", [](auto& r) { r.controls.assign(limits::kHostFactsMax + 1, "x"); }, false},
  };
  for (const Case& c : cases) {
    CAPTURE(c.what);
    ExecutionFinished made = result();
    c.change(made);
    const Status status = check_result(made, row);
    CHECK(status.ok() == c.fine);
  }
}
