// SPDX-License-Identifier: Apache-2.0
#include "message.h"

#include <doctest/doctest.h>

#include "base/limits.h"
#include "codec/json.h"

using namespace sandtrail;

namespace {

MessageParts finished() {
  const ManualClock clock;
  SeededRandom random(5);
  MessageParts parts;
  parts.type = "execution.finished";
  parts.execution = ExecutionId::fresh(clock, random);
  parts.org = OrgId::fresh(clock, random);
  parts.public_url = "https://trail.example";
  parts.row.language = "python";
  parts.row.requested = {1'700'000'000'000};
  parts.row.ended = {1'700'000'001'500};
  parts.row.finished.emplace();
  parts.row.finished->verdict = Verdict::ok;
  parts.row.finished->cause = "exit";
  parts.row.finished->exit_code = 0;
  parts.output.out.bytes = "hello\n";
  return parts;
}

json::object body_of(const MessageParts& parts) {
  const auto parsed = json::parse(message_body(parts));
  REQUIRE(parsed.ok());
  return parsed->as_object();
}

json::object data_of(const MessageParts& parts) {
  return body_of(parts).at("data").as_object();
}

}  // namespace

TEST_CASE("a receiver gets type, timestamp and the result") {
  const MessageParts parts = finished();
  const json::object body = body_of(parts);
  CHECK(json::text_at(body, "type") == "execution.finished");
  CHECK(json::text_at(body, "timestamp") == "2023-11-14T22:13:21.500Z");
  const json::object data = data_of(parts);
  CHECK(json::text_at(data, "id") == parts.execution.text());
  CHECK(json::text_at(data, "status") == "finished");
  CHECK(json::text_at(data, "verdict") == "ok");
  CHECK(data.at("exit_code").as_int64() == 0);
  CHECK(json::text_at(data, "stdout") == "hello\n");
  CHECK(json::text_at(data, "url") ==
        "https://trail.example/v1/executions/" + parts.execution.text());
}

TEST_CASE("every attempt of a delivery carries the same bytes") {
  const MessageParts parts = finished();
  CHECK(message_body(parts) == message_body(parts));
}

TEST_CASE("output that is no UTF-8 is sent as base64, and said so by its name") {
  MessageParts parts = finished();
  parts.output.out.bytes = "\xff\xfe";
  const json::object data = data_of(parts);
  CHECK(json::text_at(data, "stdout_base64") == "//4=");
  CHECK_FALSE(data.contains("stdout"));
}

TEST_CASE("output over the bound is left out, with the link to it") {
  MessageParts parts = finished();
  parts.output.out.bytes = Bytes(limits::kWebhookBodyOutputBytesMax, 'x');
  CHECK_FALSE(data_of(parts).contains("output_omitted"));
  parts.output.err.bytes = "y";
  const json::object data = data_of(parts);
  CHECK(data.at("output_omitted").as_bool());
  CHECK_FALSE(data.contains("stdout"));
  CHECK(data.contains("url"));
}

TEST_CASE("one that never ran says why") {
  MessageParts parts = finished();
  parts.type = "execution.rejected";
  parts.row.finished.reset();
  parts.row.reason = "insufficient_credits";
  const json::object data = data_of(parts);
  CHECK(json::text_at(data, "status") == "rejected");
  CHECK(json::text_at(data, "reason") == "insufficient_credits");
  CHECK_FALSE(data.contains("verdict"));
}
