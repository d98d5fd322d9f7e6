// SPDX-License-Identifier: Apache-2.0
// schemas/ says what the code writes. SANDTRAIL_UPDATE_SCHEMAS=1 writes the files anew.
#include <doctest/doctest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <set>
#include <sstream>

#include "codec/json.h"
#include "filled.h"
#include "wire/documents.h"
#include "wire/event_codec.h"

using namespace sandtrail;
using namespace sandtrail::test;
namespace fs = std::filesystem;

namespace {

const fs::path kSchemas = SANDTRAIL_SCHEMAS;

bool updating() {
  const char* value = std::getenv("SANDTRAIL_UPDATE_SCHEMAS");
  return value != nullptr && std::string_view(value) == "1";
}

std::string read(const fs::path& path) {
  std::ifstream in(path, std::ios::binary);
  std::ostringstream out;
  out << in.rdbuf();
  return out.str();
}

void write(const fs::path& path, const std::string& text) {
  fs::create_directories(path.parent_path());
  std::ofstream out(path, std::ios::binary);
  out << text;
}

void compare(const fs::path& path, const std::string& text) {
  CAPTURE(path.string());
  if (updating()) write(path, text);
  CHECK_MESSAGE(read(path) == text, "run with SANDTRAIL_UPDATE_SCHEMAS=1 and look at what changed");
}

// No file of a type that is gone.
void check_only(const fs::path& folder, const std::set<std::string>& names) {
  for (const auto& entry : fs::directory_iterator(folder)) {
    CAPTURE(entry.path().string());
    CHECK(names.contains(entry.path().filename().string()));
  }
}

// The record as JSON; the value as text, so that its exact bytes are kept.
std::string golden_text(const Record& record) {
  json::object out;
  out["key"] = json::value(std::string_view(record.key));
  json::array headers;
  for (const auto& [name, value] : record.headers) {
    headers.push_back(
        json::array{json::value(std::string_view(name)), json::value(std::string_view(value))});
  }
  out["headers"] = std::move(headers);
  out["value"] = json::value(std::string_view(record.value));
  return json::pretty(out);
}

Record golden_record(const std::string& text) {
  const auto parsed = json::parse(text);
  REQUIRE(parsed.ok());
  const json::object& in = parsed->get_object();
  Record record;
  record.key = json::text_at(in, "key");
  for (const auto& header : in.at("headers").get_array()) {
    record.headers.emplace_back(std::string(header.get_array().at(0).get_string()),
                                std::string(header.get_array().at(1).get_string()));
  }
  record.value = json::text_at(in, "value");
  return record;
}

// "TYPE.json" is what this release writes; an older version of it is kept as "TYPE.v1.json" …
std::string golden_name(std::string_view type, std::int64_t version) {
  const bool newest = version == shipped_versions().current(type);
  return std::string(type) + (newest ? "" : ".v" + std::to_string(version)) + ".json";
}

// A golden record that is about to be of an older version is kept under its number.
void keep_older(std::string_view type, const Record& record) {
  const auto written = std::string(record.header("ce_schemaversion").value_or("1"));
  const std::string name = golden_name(type, std::stoll(written));
  if (!fs::exists(kSchemas / "golden" / name))
    write(kSchemas / "golden" / name, golden_text(record));
}

}  // namespace

TEST_CASE("schemas/events holds the schema of every event type, and no other") {
  std::set<std::string> names;
  for (const auto& [type, schema] : event_schemas()) {
    names.insert(type + ".json");
    compare(kSchemas / "events" / (type + ".json"), json::pretty(schema));
  }
  check_only(kSchemas / "events", names);
}

TEST_CASE("schemas/asyncapi.json describes the log") {
  compare(kSchemas / "asyncapi.json", json::pretty(asyncapi_document()));
}

TEST_CASE("a golden record of every type is read and written again byte for byte") {
  std::set<std::string> names;
  for_each_event_type([&names]<typename T>() {
    const std::string name = std::string(T::kType) + ".json";
    CAPTURE(name);
    names.insert(name);
    const fs::path path = kSchemas / "golden" / name;
    auto fresh = encode_event(filled_event<T>());
    REQUIRE(fresh.ok());
    const std::string now = golden_text(*fresh);
    if (updating() && read(path) != now) {
      if (fs::exists(path)) {
        // Logs hold records in this form: they must stay readable. Only then may a newer form
        // take its place, and whoever commits it sees that it did.
        REQUIRE(std::holds_alternative<Event>(decode_event(golden_record(read(path)))));
        keep_older(T::kType, golden_record(read(path)));
        MESSAGE("the golden record of an existing type changes: " << name);
      }
      write(path, now);
    }
    REQUIRE(fs::exists(path));
    const Record record = golden_record(read(path));
    auto event = decode_event(record);
    REQUIRE(std::holds_alternative<Event>(event));
    auto again = encode_event(std::get<Event>(event));
    REQUIRE(again.ok());
    CHECK(*again == record);
    // Every form that a release has written reads as an event of today, once and for all.
    for (std::int64_t version = 1; version < shipped_versions().current(T::kType); ++version) {
      CAPTURE(version);
      const std::string kept = golden_name(T::kType, version);
      names.insert(kept);
      auto older = decode_event(golden_record(read(kSchemas / "golden" / kept)));
      REQUIRE(std::holds_alternative<Event>(older));
      CHECK(encode_event(std::get<Event>(older)).ok());
    }
  });
  check_only(kSchemas / "golden", names);
}
