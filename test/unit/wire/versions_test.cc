// SPDX-License-Identifier: Apache-2.0
// Older data in newer code, and newer data in older code. The versions are made up here.
#include <doctest/doctest.h>

#include "filled.h"
#include "wire/event_codec.h"

using namespace sandtrail;
using namespace sandtrail::test;

namespace {

// Version 1 of a grant counted whole credits; 2 counts millionths; 3 says why. Version 1 of a lost
// attempt did not say whether it may have run.
const SchemaVersions& versions() {
  static const SchemaVersions made({
      {BillingGranted::kType, 1,
       [](json::object& data) {
         const json::value* credits = data.if_contains("credits");
         if (credits == nullptr || !credits->is_int64()) return false;
         data["amount_microcredits"] = credits->get_int64() * kMicroCreditsPerCredit;
         data.erase("credits");
         return true;
       }},
      {BillingGranted::kType, 2,
       [](json::object& data) {
         data["reason"] = "none given";
         return true;
       }},
      {ExecutionAttemptLost::kType, 1,
       [](json::object& data) {
         data["may_have_run"] = true;
         return true;
       }},
  });
  return made;
}

Record with_version(Record record, const std::string& version) {
  for (auto& [name, value] : record.headers) {
    if (name == "ce_schemaversion") value = version;
  }
  return record;
}

// A grant as `version` wrote it.
Record grant(const std::string& version, const std::string& members) {
  auto record = encode_event(filled_event<BillingGranted>());
  REQUIRE(record.ok());
  record->value = R"({"organization":"org_000w0000000000000000000000",)" + members + "}";
  return with_version(std::move(record).value(), version);
}

}  // namespace

TEST_CASE("every older version of a type reads as the newest one") {
  struct Case {
    const char* version;
    const char* members;
    std::int64_t amount;
    const char* reason;
  };
  const Case cases[] = {
      {"1", R"("credits":3)", 3'000'000, "none given"},
      {"0", R"("credits":3)", 3'000'000, "none given"},
      {"-7", R"("credits":3)", 3'000'000, "none given"},
      {"2", R"("amount_microcredits":5)", 5, "none given"},
      {"3", R"("amount_microcredits":5,"reason":"invoice")", 5, "invoice"},
      {"4", R"("amount_microcredits":5,"reason":"invoice","tax":{"rate":[1]})", 5, "invoice"},
      {"9223372036854775807", R"("amount_microcredits":5,"reason":"invoice")", 5, "invoice"},
  };
  for (const Case& c : cases) {
    CAPTURE(c.version);
    const auto event = decode_event(grant(c.version, c.members), versions());
    REQUIRE(std::holds_alternative<Event>(event));
    const auto& body = std::get<BillingGranted>(std::get<Event>(event).body);
    CHECK(body.amount.count == c.amount);
    CHECK(body.reason == c.reason);
    // Written again, it is of the newest version.
    const auto again = encode_event(std::get<Event>(event), versions());
    REQUIRE(again.ok());
    CHECK(again->header("ce_schemaversion") == "3");
    const auto reread = decode_event(*again, versions());
    REQUIRE(std::holds_alternative<Event>(reread));
    CHECK(std::get<BillingGranted>(std::get<Event>(reread).body).amount.count == c.amount);
  }
}

TEST_CASE("data that its version never wrote is malformed, and nothing worse") {
  for (const char* members :
       {R"("credits":"three")", R"("credits":null)", R"("amount":3)", R"("credits":3,"credits":3)",
        R"("amount_microcredits":5,"reason":"of version 3")"}) {
    CAPTURE(members);
    const auto event = decode_event(grant("1", members), versions());
    REQUIRE(std::holds_alternative<VoidReason>(event));
    CHECK(std::get<VoidReason>(event) == VoidReason::malformed);
  }
}

TEST_CASE("older code reads newer data as far as it knows it") {
  for_each_event_type([]<typename T>() {
    CAPTURE(T::kType);
    auto record = encode_event(filled_event<T>());
    REQUIRE(record.ok());
    Record newer = with_version(*record, "2");
    newer.value.insert(1, R"("new_member":{"nested":[1,2,3]},)");
    const auto event = decode_event(newer);
    REQUIRE(std::holds_alternative<Event>(event));
    CHECK(std::get<Event>(event).schema_version == 2);
    const auto again = encode_event(std::get<Event>(event));
    REQUIRE(again.ok());
    CHECK(*again == *record);
  });
}

TEST_CASE("a type without steps is at version 1, with steps one above the last") {
  CHECK(versions().current(ExecutionLost::kType) == 1);
  CHECK(versions().current(ExecutionAttemptLost::kType) == 2);
  CHECK(versions().current(BillingGranted::kType) == 3);
  json::object data;
  data["credits"] = 1;
  CHECK(versions().upcast(ExecutionLost::kType, 1, data));
  CHECK(data.contains("credits"));
}
