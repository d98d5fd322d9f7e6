// SPDX-License-Identifier: Apache-2.0
#include <doctest/doctest.h>

#include "base/limits.h"
#include "codec/json.h"
#include "filled.h"
#include "wire/documents.h"
#include "wire/event_codec.h"

using namespace sandtrail;
using namespace sandtrail::test;

namespace {

Record encoded(const Event& event) {
  auto record = encode_event(event);
  REQUIRE(record.ok());
  return std::move(record).value();
}

Event decoded(const Record& record) {
  auto event = decode_event(record);
  REQUIRE(std::holds_alternative<Event>(event));
  return std::get<Event>(std::move(event));
}

}  // namespace

TEST_CASE("every event type with every field filled survives encoding and decoding") {
  for_each_event_type([]<typename T>() {
    CAPTURE(T::kType);
    const Record first = encoded(filled_event<T>());
    const Event back = decoded(first);
    CHECK(encoded(back) == first);
    CHECK(back.body.index() == filled_event<T>().body.index());
    CHECK(back.org == filled_event<T>().org);
  });
}

TEST_CASE("what is filled stands in the data, member by member as the schema says") {
  const auto schemas = event_schemas();
  for_each_event_type([&schemas]<typename T>() {
    CAPTURE(T::kType);
    const auto data = json::parse(encoded(filled_event<T>()).value);
    REQUIRE(data.ok());
    const json::object& properties =
        schemas.at(std::string(T::kType)).at("properties").get_object();
    for (const auto& member : properties) {
      CAPTURE(std::string(member.key()));
      CHECK(data->get_object().contains(member.key()));
    }
    CHECK(data->get_object().size() == properties.size());
  });
}

TEST_CASE("every event type with nothing filled survives as well") {
  for_each_event_type([]<typename T>() {
    CAPTURE(T::kType);
    Event event;
    event.body = T{};
    const Record first = encoded(event);
    CHECK(first.key.empty());
    CHECK(encoded(decoded(first)) == first);
  });
}

TEST_CASE("attributes are the headers of CloudEvents in Kafka binary mode") {
  const Record record = encoded(filled_event<ExecutionLost>());
  CHECK(record.key == "org_000w0000000000000000000000");
  CHECK(record.header("ce_specversion") == "1.0");
  CHECK(record.header("ce_id") == "evt_000w0000000000000000000000");
  CHECK(record.header("ce_type") == "sandtrail.execution.lost");
  CHECK(record.header("ce_time") == "2023-11-14T22:13:20.123Z");
  CHECK(record.header("content-type") == "application/json");
  CHECK(record.header("ce_schemaversion") == "1");
}

TEST_CASE("a record over the limit is refused, one at the limit is not") {
  Event event = filled_event<ExecutionLost>();
  event.subject.clear();
  const std::size_t rest = encoded(event).size() + std::string("ce_subject").size();
  event.subject = std::string(limits::kRecordBytesMax - rest, 'x');
  CHECK(encoded(event).size() == limits::kRecordBytesMax);
  event.subject += 'x';
  const auto refused = encode_event(event);
  REQUIRE(!refused.ok());
  CHECK(refused.error().code == ErrorCode::invalid_argument);
}
