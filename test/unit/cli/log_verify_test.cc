// SPDX-License-Identifier: Apache-2.0
#include <doctest/doctest.h>

#include "auditor/auditor_role.h"
#include "codec/json.h"
#include "harness.h"
#include "story.h"

namespace sandtrail {
namespace {

using test::Harness;
using test::has;
using test::Story;

// What GET /operator/digests answers.
std::string digests_of(Story& story) {
  json::array data;
  for (const TopicPartition& where : story.runtime().partitions()) {
    const auto digests = story.runtime().digests(where);
    REQUIRE(digests.ok());
    json::object projections;
    for (const auto& [name, digest] : digests->projections) {
      projections[name] = json::value(std::string_view(digest));
    }
    json::object item;
    item["partition"] = json::value(std::string_view(where.text()));
    item["next"] = digests->next.value;
    item["fold"] = json::value(std::string_view(digests->fold));
    item["core"] = json::value(std::string_view(digests->core));
    item["projections"] = std::move(projections);
    data.push_back(std::move(item));
  }
  json::object body;
  body["data"] = std::move(data);
  return json::print(body);
}

struct Verifying : Harness {
  Verifying() {
    story.organization("one");
    story.organization("two");
    story.audit();
    open_log = [this]() -> Result<std::unique_ptr<EventLog>> { return story.connect(); };
    projections = [] {
      std::vector<std::unique_ptr<Projection>> all;
      all.push_back(make_auditor_projection());
      return all;
    };
  }
  Story story;
};

TEST_CASE("a rebuild from the log gives the rows that the server has") {
  Verifying v;
  v.answer(200, digests_of(v.story));
  CHECK(v.run({"log", "verify"}, true) == 0);
  CHECK(v.err == "");
  CHECK(has(v.out, "audit/0  "));
  CHECK_FALSE(has(v.out, "different"));
  CHECK(v.last_request().url.target == "/operator/digests");
}

TEST_CASE("what came after the server was asked does not matter") {
  Verifying v;
  v.answer(200, digests_of(v.story));
  v.story.organization("later");
  v.story.audit();
  CHECK(v.run({"log", "replay", "--json"}, true) == 0);
  CHECK(has(v.out, R"({"same":true,)"));
}

TEST_CASE("the first difference is named and ends with 1") {
  struct Row {
    const char* member;
    const char* expected;
  };
  for (const Row& row : {Row{"\"fold\":\"", "the records or their verdicts"},
                         Row{"\"core\":\"", "the rows of the core"},
                         Row{"\"auditor\":\"", "the rows of the projection auditor"}}) {
    Verifying v;
    std::string answer = digests_of(v.story);
    const auto at = answer.find(row.member) + std::string(row.member).size();
    answer[at] = answer[at] == '0' ? '1' : '0';
    v.answer(200, answer);
    CHECK(v.run({"log", "verify"}, true) == 1);
    CHECK(has(v.err, std::string("different: events/0: ") + row.expected));
  }
}

TEST_CASE("a server that folded more than the log holds differs") {
  Verifying v;
  std::string answer = digests_of(v.story);
  const auto at = answer.find("\"next\":") + 7;
  answer.insert(at, "9");
  v.answer(200, answer);
  CHECK(v.run({"log", "verify"}, true) == 1);
  CHECK(has(v.err, "the log ends at "));
}

TEST_CASE("projections of the server that nobody here knows differ") {
  Verifying v;
  v.answer(200, digests_of(v.story));
  v.projections = [] { return std::vector<std::unique_ptr<Projection>>(); };
  CHECK(v.run({"log", "verify"}, true) == 1);
  CHECK(has(v.err, "the list of projections"));
}

TEST_CASE("a server that gives no digests is an error") {
  Verifying v;
  v.answer(200, "{}");
  CHECK(v.run({"log", "verify"}, true) == 3);
  v.answer(200, R"({"data":[{"partition":"events","next":1}]})");
  CHECK(v.run({"log", "verify"}, true) == 3);
  v.fail(ErrorCode::unavailable, "no socket");
  CHECK(v.run({"log", "verify"}, true) == 3);
  CHECK(has(v.err, "unix socket"));
}

}  // namespace
}  // namespace sandtrail
