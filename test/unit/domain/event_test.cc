// SPDX-License-Identifier: Apache-2.0
// What every event type has: a name, a rule, a form in JSON.
#include "domain/event.h"

#include <doctest/doctest.h>

#include <set>

#include "codec/schema.h"
#include "domain/core.h"
#include "domain/ledger.h"
#include "samples.h"

using namespace sandtrail;
using namespace sandtrail::test;

namespace {

json::value reread(const json::value& value) {
  auto parsed = json::parse(json::print(value));
  REQUIRE(parsed.ok());
  return std::move(parsed).value();
}

// Written, read, and written again; without any one of its members, or with a wrong one.
template <typename T>
void check_json() {
  const json::value written = to_json(filled<T>());
  REQUIRE(written.is_object());
  const auto back = from_json<T>(reread(written));
  REQUIRE(back.ok());
  CHECK(json::print(to_json(*back)) == json::print(written));

  const json::object schema = json_schema<T>();
  const auto& properties = schema.at("properties").get_object();
  CHECK(written.get_object().size() == properties.size());
  std::set<std::string> required;
  if (const auto* names = schema.if_contains("required")) {
    for (const auto& name : names->get_array()) required.emplace(name.get_string());
  }
  for (const auto& member : written.get_object()) {
    const std::string name(member.key());
    CAPTURE(name);
    CHECK(properties.contains(name));
    json::object broken = written.get_object();
    broken[name] = json::value(json::array{json::value(json::array{})});
    CHECK_FALSE(from_json<T>(json::value(broken)).ok());
    broken.erase(name);
    CHECK(from_json<T>(json::value(broken)).ok() == !required.contains(name));
  }
  CHECK_FALSE(from_json<T>(json::value(3)).ok());
  CHECK_FALSE(from_json<T>(json::value(json::array{})).ok());
  CHECK_FALSE(from_json<T>(json::value(nullptr)).ok());
}

}  // namespace

TEST_CASE("events: every type has a name of its own and a rule that fits it") {
  std::set<std::string_view> names;
  for_each_event_type([&names]<typename T>() {
    CAPTURE(std::string(T::kType));
    CHECK(T::kType.starts_with("sandtrail."));
    CHECK(std::count(T::kType.begin(), T::kType.end(), '.') == 2);
    CHECK(names.insert(T::kType).second);
    CHECK(type_of(T{}) == T::kType);
    const TypeRule& rule = rule_of(T::kType);
    CHECK(rule.type == T::kType);
    // Who acts is audited under a name; who decides is no actor.
    const bool acts = rule.actor == ActorRule::key || rule.actor == ActorRule::op;
    CHECK(acts == !rule.action.empty());
    if (rule.decider) CHECK(rule.actor == ActorRule::none);
  });
  CHECK(names.size() == std::variant_size_v<EventBody>);
}

TEST_CASE("events: every type survives JSON, and is not read where a member is wrong or missing") {
  for_each_event_type([]<typename T>() {
    CAPTURE(std::string(T::kType));
    check_json<T>();
  });
}

TEST_CASE("events: every row and shared part survives JSON in the same way") {
  check_json<OrgRow>();
  check_json<KeyRow>();
  check_json<EndpointRow>();
  check_json<ExecutionRow>();
  check_json<DeliveryRow>();
  check_json<IdempotencyRow>();
  check_json<OwnerRow>();
  check_json<ParkedRow>();
  check_json<AuditChainRow>();
  check_json<CoreMeta>();
  check_json<RateCard>();
  check_json<LedgerEntry>();
  check_json<Actor>();
  check_json<Decision>();
  check_json<Idempotency>();
  check_json<SealedPayload>();
}

TEST_CASE("events: the names of void reasons are all there and all different") {
  std::set<std::string_view> names;
  for (std::size_t i = 0; i < EnumNames<VoidReason>::names.size(); ++i) {
    const auto& [reason, name] = EnumNames<VoidReason>::names[i];
    CHECK(static_cast<std::size_t>(reason) == i);
    CHECK(names.insert(name).second);
  }
  CHECK(names.size() == static_cast<std::size_t>(VoidReason::invalid) + 1);
}
