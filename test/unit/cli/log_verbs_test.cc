// SPDX-License-Identifier: Apache-2.0
// log topics, stats, digests, trim, and what copying refuses before it begins.
#include <doctest/doctest.h>

#include "codec/json.h"
#include "harness.h"
#include "progress.h"
#include "story.h"
#include "wire/topics.h"

namespace sandtrail {
namespace {

using test::Harness;
using test::has;
using test::Story;

struct Reader : Harness {
  Reader() {
    story.organization("one");
    story.organization("two");
    story.refused();
    story.audit();
    open_log = [this]() -> Result<std::unique_ptr<EventLog>> { return story.connect(); };
    projections = [] { return std::vector<std::unique_ptr<Projection>>(); };
  }
  json::object document(std::vector<std::string> arguments) {
    arguments.emplace_back("--json");
    REQUIRE(run(arguments, true) == 0);
    const auto parsed = json::parse(out);
    REQUIRE(parsed.ok());
    return parsed->as_object();
  }
  Story story;
};

TEST_CASE("topics are shown with the marks of their partitions") {
  Reader r;
  const json::object shown = r.document({"log", "topics"});
  const json::array& topics = shown.at("topics").as_array();
  REQUIRE(topics.size() == 3);
  std::int64_t high = 0;
  for (const json::value& one : topics[0].at("marks").as_array()) high += one.at("high").as_int64();
  CHECK(topics[0].at("topic").as_string() == "events");
  CHECK(topics[0].at("records").as_int64() == high);
  CHECK(r.run({"log", "topics"}, true) == 0);
  CHECK(has(r.out, "events    1"));
}

TEST_CASE("records are counted by verdict, type and organisation") {
  Reader r;
  const json::object stats = r.document({"log", "stats", "events"});
  std::int64_t voids = 0;
  for (const auto& [reason, count] : stats.at("void").as_object()) voids += count.as_int64();
  CHECK(stats.at("void").at("unknown_organization").as_int64() == 1);
  CHECK(stats.at("applied").as_int64() + voids == stats.at("records").as_int64());
  CHECK(stats.at("organizations").as_array().size() == 3);
  CHECK(
      r.document({"log", "stats", "events", "--top", "1"}).at("organizations").as_array().size() ==
      1);
  CHECK(r.document({"log", "stats"}).at("records").as_int64() > stats.at("records").as_int64());
  CHECK(r.run({"log", "stats", "nonsense"}, true) == 3);
  CHECK(r.run({"log", "stats", "--top", "-1"}, true) == 2);
}

TEST_CASE("the digests of two equal logs are equal, and of others are not") {
  Reader one, two;
  CHECK(one.document({"log", "digests"}).at("partitions") ==
        two.document({"log", "digests"}).at("partitions"));
  two.story.organization("three");
  CHECK(one.document({"log", "digests"}).at("partitions") !=
        two.document({"log", "digests"}).at("partitions"));
}

TEST_CASE("records are dropped only with --yes, and the answer is shown") {
  Harness h;
  const std::vector<std::string> verb{"log",         "trim", "--topic",  "events",
                                      "--partition", "1",    "--before", "7"};
  const auto with = [&](const std::vector<std::string>& more) {
    std::vector<std::string> out = verb;
    out.insert(out.end(), more.begin(), more.end());
    return out;
  };
  const std::string would = R"({"partition":"events/1","low":0,"high":9,"trimmed":false})";
  h.answer(200, would);
  CHECK(h.run(verb) == 0);
  CHECK(has(h.last_request().body, "\"dry_run\":true"));
  CHECK(has(h.out, "below 7 would be dropped"));
  CHECK(has(h.err, "--yes"));
  h.answer(200, R"({"partition":"events/1","low":0,"high":9,"trimmed":false,"held_by":"g needs"})");
  CHECK(h.run(with({"--dry-run"})) == 0);
  CHECK(has(h.out, "held back: g needs"));
  h.answer(200, R"({"partition":"events/1","low":7,"high":9,"trimmed":true})");
  CHECK(h.run(with({"--yes", "--without-base"})) == 0);
  CHECK(has(h.last_request().body, "\"dry_run\":false"));
  CHECK(has(h.last_request().body, "\"without_base\":true"));
  CHECK(has(h.out, "events/1 holds 7 to 9"));
  CHECK(h.run({"log", "trim", "--topic", "events"}) == 2);
}

TEST_CASE("a copy needs both places") {
  Harness h;
  CHECK(h.run({"log", "copy", "--from", "embedded:/x"}) == 2);
  CHECK(h.run({"log", "compare", "--to", "embedded:/x"}) == 2);
}

TEST_CASE("sizes and rates are written for people") {
  CHECK(cli::bytes_text(0) == "0 B");
  CHECK(cli::bytes_text(1023) == "1023 B");
  CHECK(cli::bytes_text(1536) == "1.5 KiB");
  CHECK(cli::bytes_text(std::int64_t{5} << 30) == "5.0 GiB");
  CHECK(cli::rate_of(500, 2'000'000) == 250);
  CHECK(cli::rate_of(500, 0) == 0);
}

}  // namespace
}  // namespace sandtrail
