// SPDX-License-Identifier: Apache-2.0
// What counts as refused, and for how long.
#include "refusals.h"

#include <doctest/doctest.h>

#include "base/limits.h"
#include "handles.h"

using namespace sandtrail;
using namespace sandtrail::kafka;

TEST_CASE("a refusal counts until the act is allowed, or, if it passes, for a while") {
  ManualClock clock;
  Refusals refusals(clock);
  CHECK(refusals.none());
  refusals.note("join", lacks("join", {"Read", "group", "g"}), false);
  refusals.note("append", lacks("append", {"Write", "topic", "t"}), true);
  CHECK_FALSE(refusals.none());
  CHECK(refusals.current()->message ==
        "append: the user of this process lacks the right Write on topic t");
  CHECK(refusals.just_noted("append"));
  clock.advance({limits::kKafkaRefusalKept.count / 2});
  CHECK_FALSE(refusals.just_noted("append"));
  CHECK_FALSE(refusals.just_noted("join"));
  CHECK_FALSE(refusals.just_noted("read"));
  clock.advance(limits::kKafkaRefusalKept);
  CHECK(refusals.current()->message ==
        "join: the user of this process lacks the right Read on group g");
  refusals.allow("join");
  CHECK_FALSE(refusals.current().has_value());
  refusals.note("append", lacks("append", {"Write", "topic", "t"}), true);
  CHECK(refusals.current().has_value());
}

TEST_CASE("only what the broker refuses for want of a right names a right") {
  const Right right{"Write", "topic", "t"};
  for (const auto code :
       {RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED, RD_KAFKA_RESP_ERR_GROUP_AUTHORIZATION_FAILED,
        RD_KAFKA_RESP_ERR_CLUSTER_AUTHORIZATION_FAILED}) {
    const Error error = error_of(code, "act", right);
    CHECK(error.code == ErrorCode::denied);
    CHECK(error.message.find("lacks the right Write on topic t") != std::string::npos);
    CHECK(error.hint.find("infra/kafka/acls") != std::string::npos);
  }
  const Error other = error_of(RD_KAFKA_RESP_ERR__TIMED_OUT, "act", right);
  CHECK(other.code == ErrorCode::unavailable);
  CHECK(other.message.find("right") == std::string::npos);
}
