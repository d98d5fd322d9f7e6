// SPDX-License-Identifier: Apache-2.0
#include "domain/notify.h"

#include <doctest/doctest.h>

#include "harness.h"

using namespace sandtrail;
using namespace sandtrail::test;

TEST_CASE("notify: a filter is an exact type or a prefix, and none wants everything") {
  using Filters = std::vector<std::string>;
  const struct {
    Filters filters;
    std::string type;
    bool matches;
  } cases[] = {
      {{}, "execution.finished", true},
      {{"execution.finished"}, "execution.finished", true},
      {{"execution.finished"}, "execution.lost", false},
      {{"execution.*"}, "execution.lost", true},
      {{"execution.*"}, "execution", false},
      {{"execution.*"}, "executions.lost", false},
      {{"execution.lo*"}, "execution.lost", false},
      {{"sandbox.*", "execution.lost"}, "execution.lost", true},
      {{"sandbox.*"}, "execution.lost", false},
      {{""}, "execution.lost", false},
      {{".*"}, "execution.lost", false},
  };
  for (const auto& c : cases) {
    CAPTURE(c.type);
    CHECK(filter_matches(c.filters, c.type) == c.matches);
  }
}

TEST_CASE("notify: only the ends of executions may stand in a filter") {
  for (const char* fine : {"execution.*", "execution.finished", "execution.rejected",
                           "execution.cancelled", "execution.lost"}) {
    CHECK(filter_is_valid(fine));
  }
  for (const char* wrong : {"", "*", "execution", "execution.", "execution.started",
                            "execution.requested", "execution.assigned", "execution.Finished",
                            "sandbox.*", "execution.*.*", "execution.finished "}) {
    CHECK_FALSE(filter_is_valid(wrong));
  }
}

TEST_CASE("notify: receivers are the endpoints that want it, in order, then the callback") {
  Harness h = world();
  const EndpointId all = h.add_endpoint();
  const EndpointId lost = h.add_endpoint({"execution.lost"});
  const EndpointId any = h.add_endpoint({"execution.*"});
  const EndpointId gone = h.add_endpoint();
  WebhookEndpointDisabled disabled;
  disabled.endpoint = gone;
  disabled.reason = "gone";
  h.apply(h.decided(kWebhooks, disabled));

  ExecutionRow row;
  row.org = h.org;
  row.status = ExecutionStatus::finished;
  using Receivers = std::vector<std::string>;
  CHECK(receivers_of(h.state(), row) == Receivers{all.text(), any.text()});
  row.callback = true;
  CHECK(receivers_of(h.state(), row) == Receivers{all.text(), any.text(), "callback"});
  row.status = ExecutionStatus::lost;
  CHECK(receivers_of(h.state(), row) == Receivers{all.text(), lost.text(), any.text(), "callback"});
  row.org = h.other_org;
  CHECK(receivers_of(h.state(), row) == Receivers{"callback"});
}

TEST_CASE("roles: what a key of one role may do that needs another") {
  constexpr KeyRole kRoles[] = {KeyRole::viewer, KeyRole::member, KeyRole::admin, KeyRole::auditor};
  // Rows: have; columns: need.
  constexpr bool kAllowed[4][4] = {
      {true, false, false, false},  // viewer
      {true, true, false, false},   // member
      {true, true, true, true},     // admin
      {true, false, false, true},   // auditor
  };
  for (int have = 0; have < 4; ++have) {
    for (int need = 0; need < 4; ++need) {
      CAPTURE(have);
      CAPTURE(need);
      CHECK(role_allows(kRoles[have], kRoles[need]) == kAllowed[have][need]);
    }
  }
}
