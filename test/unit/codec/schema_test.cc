// SPDX-License-Identifier: Apache-2.0
#include "codec/schema.h"

#include <doctest/doctest.h>

#include <string>

#include "shapes.h"

using namespace sandtrail;

TEST_CASE("schema: every shape has its schema, and only what must be given is required") {
  CHECK(json::pretty(json_schema<Inner>()) == R"({
  "type": "object",
  "properties": {
    "n": {
      "type": "integer"
    },
    "tags": {
      "type": "array",
      "items": {
        "type": "string"
      }
    }
  },
  "required": [
    "n"
  ]
})");
  const json::object schema = json_schema<Shapes>();
  CHECK(json::print(schema.at("required")) ==
        R"(["small","big","text","blob","org","at","span_ms","colour","inner","tally"])");
  const struct {
    std::string name;
    std::string schema;
  } cases[] = {
      {"small", R"({"type":"integer"})"},
      {"flag", R"({"type":"boolean"})"},
      {"text", R"({"type":"string"})"},
      {"blob", R"({"type":"string","contentEncoding":"base64"})"},
      {"org", R"({"type":"string","pattern":"^org_[0-7][0-9a-hjkmnp-tv-z]{25}$"})"},
      {"at", R"({"type":"string","format":"date-time"})"},
      {"span_ms", R"({"type":"integer"})"},
      {"colour", R"({"type":"string","enum":["red","green"]})"},
      {"maybe", R"({"type":"integer"})"},
      {"limit", R"({"type":"integer","default":7})"},
      {"label", R"({"type":"string","default":"none"})"},
  };
  const auto& properties = schema.at("properties").get_object();
  CHECK(properties.size() == 17);
  for (const auto& c : cases) {
    CAPTURE(c.name);
    CHECK(json::print(properties.at(c.name)) == c.schema);
  }
  CHECK(properties.at("inner") == json::value(json_schema<Inner>()));
  CHECK(properties.at("maybe_inner") == json::value(json_schema<Inner>()));
  CHECK(properties.at("list").at("items") == json::value(json_schema<Inner>()));
  CHECK(properties.at("named").at("additionalProperties") == json::value(json_schema<Inner>()));
  CHECK(properties.at("tally").at("type") == "object");
}

TEST_CASE("schema: the members of a schema are exactly those that are written") {
  const json::value written = to_json(full_shapes());
  const json::object schema = json_schema<Shapes>();
  std::string names;
  std::string described;
  for (const auto& member : written.get_object()) names += std::string(member.key()) + " ";
  for (const auto& member : schema.at("properties").get_object()) {
    described += std::string(member.key()) + " ";
  }
  CHECK(names == described);
}
