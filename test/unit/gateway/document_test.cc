// SPDX-License-Identifier: Apache-2.0
#include "gateway/documents.h"

#include <doctest/doctest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <set>
#include <sstream>

#include "world.h"

using namespace sandtrail;

namespace {

std::string read(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  std::ostringstream out;
  out << file.rdbuf();
  return out.str();
}

// Every "$ref" below `value`.
void collect_references(const json::value& value, std::set<std::string>& out) {
  if (const auto* object = value.if_object()) {
    for (const auto& member : *object) {
      if (member.key() == "$ref") out.emplace(member.value().as_string());
      collect_references(member.value(), out);
    }
  } else if (const auto* array = value.if_array()) {
    for (const auto& item : *array) collect_references(item, out);
  }
}

}  // namespace

TEST_CASE("schemas/openapi.json says what the table of routes says") {
  const std::string path = SANDTRAIL_SCHEMAS "/openapi.json";
  const std::string wanted = json::pretty(openapi_document()) + "\n";
  if (std::getenv("SANDTRAIL_UPDATE_SCHEMAS") != nullptr) {
    std::ofstream(path, std::ios::binary) << wanted;
  }
  CHECK_MESSAGE(read(path) == wanted,
                "run this test with SANDTRAIL_UPDATE_SCHEMAS=1 to write the file anew");
}

TEST_CASE("every reference of the document leads somewhere") {
  const json::value document(openapi_document());
  std::set<std::string> references;
  collect_references(document, references);
  CHECK(references.size() > 20);
  for (const std::string& reference : references) {
    CAPTURE(reference);
    const json::value* at = &document;
    std::istringstream parts(reference.substr(2));
    for (std::string part; std::getline(parts, part, '/');) {
      REQUIRE(at->as_object().contains(part));
      at = &at->as_object().at(part);
    }
  }
}

TEST_CASE("the document is served to everybody") {
  World world;
  const Reply reply = world.call("GET", "/openapi.json", "");
  REQUIRE(reply.status == 200);
  const json::value body = reply.json();
  CHECK(json::text_at(body.as_object(), "openapi") == "3.1.0");
  const auto& create =
      body.as_object().at("paths").as_object().at("/v1/executions").as_object().at("post");
  CHECK(create.as_object().contains("callbacks"));
  CHECK(body.as_object().at("webhooks").as_object().contains("execution.finished"));
}

TEST_CASE("every code of a problem has a page, and every page a code") {
  std::set<std::string> codes;
  for (const auto code : problem_codes()) codes.emplace(code);
  std::set<std::string> pages;
  for (const auto& entry : std::filesystem::directory_iterator(SANDTRAIL_SCHEMAS "/problems")) {
    const auto& path = entry.path();
    CHECK(path.extension() == ".md");
    pages.insert(path.stem());
    const std::string text = read(path);
    CHECK(text.starts_with("# " + path.stem().string() + "\n"));
    CHECK(text.find("## What to do") != std::string::npos);
  }
  CHECK(codes == pages);
}

TEST_CASE("what never reaches a handler is a problem document too") {
  for (const int status : {400, 408, 413, 414, 417, 431, 500, 501, 503, 505}) {
    CAPTURE(status);
    const http::Response response = Gateway::reject(status, "a detail", "req_1");
    CHECK(response.status == status);
    CHECK(response.fields.get("Content-Type") == "application/problem+json");
    CHECK(response.fields.get("Request-Id") == "req_1");
    CHECK(response.body.find(R"("request_id":"req_1")") != std::string::npos);
  }
}
