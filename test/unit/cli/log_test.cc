// SPDX-License-Identifier: Apache-2.0
#include <doctest/doctest.h>

#include <algorithm>
#include <atomic>
#include <thread>

#include "harness.h"
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
  }
  std::ptrdiff_t lines() const { return std::count(out.begin(), out.end(), '\n'); }
  Story story;
};

TEST_CASE("records are shown with what the fold made of them") {
  Reader r;
  CHECK(r.run({"log", "cat", "events"}, true) == 0);
  CHECK(has(r.out, "  organization.created  org_"));
  CHECK(has(r.out, "  applied\n"));
  CHECK(has(r.out, "  billing.granted  "));
  CHECK(has(r.out, "  void(unknown_organization)\n"));
  CHECK(r.out.starts_with("events/0/0  "));
}

TEST_CASE("only what was asked for is shown") {
  Reader r;
  REQUIRE(r.run({"log", "cat", "events"}, true) == 0);
  const auto all = r.lines();
  struct Row {
    std::vector<std::string> more;
    std::ptrdiff_t lines;
  };
  for (const Row& row : {
           Row{{"--type", "organization.created"}, 2},
           Row{{"--type", "sandtrail.organization.created"}, 2},
           Row{{"--type", "organization.*"}, 2},
           Row{{"--type", "webhook.*"}, 0},
           Row{{"-n", "1"}, 1},
           Row{{"--from", "0"}, all},
           Row{{"--from", "1000"}, 0},
           Row{{"--org", "org_00000000000000000000000000"}, 0},
       }) {
    std::vector<std::string> arguments{"log", "cat", "events"};
    arguments.insert(arguments.end(), row.more.begin(), row.more.end());
    CAPTURE(row.more.front());
    CHECK(r.run(arguments, true) == 0);
    CHECK(r.lines() == row.lines);
  }
  for (const auto& [option, value] : {std::pair{"--type", "organization"},
                                      {"--type", "organization.creatde"},
                                      {"--org", "org_1"}}) {
    CAPTURE(value);
    CHECK(r.run({"log", "cat", "events", option, value}, true) == 2);
  }
  std::ptrdiff_t sum = 0;
  for (const char* partition : {"0", "1"}) {
    CHECK(r.run({"log", "cat", "events", "--partition", partition}, true) == 0);
    sum += r.lines();
  }
  CHECK(sum == all);
}

TEST_CASE("a record in JSON has all that is known of it") {
  Reader r;
  CHECK(r.run({"log", "cat", "audit", "-n", "1", "--type", "audit.recorded", "--json"}, true) == 0);
  CHECK(r.lines() == 1);
  for (const char* part :
       {R"("topic":"audit")", R"("partition":0)", R"("position":)", R"("stamp":")",
        R"("verdict":"applied")", R"("ce_id":"evt_)", R"("value":{)"}) {
    CHECK(has(r.out, part));
  }
}

TEST_CASE("what the log does not have is said") {
  Reader r;
  CHECK(r.run({"log", "cat", "nothing"}, true) == 3);
  CHECK(has(r.err, "the log has no topic nothing"));
  CHECK(r.run({"log", "cat", "events", "--partition", "7"}, true) == 3);
  CHECK(has(r.err, "events has no partition 7"));
}

TEST_CASE("records that hold no event are shown as void") {
  Reader r;
  auto log = r.story.connect();
  Record record;
  record.headers = {{"ce_type", "x\x1b[2J"}};
  record.value = "\xff";
  log->append({"events", 0}, record, [](const AppendOutcome&) {});
  CHECK(r.run({"log", "cat", "events", "--partition", "0"}, true) == 0);
  CHECK(has(r.out, "void(malformed)"));
  CHECK_FALSE(has(r.out, "\x1b"));
  CHECK(r.run({"log", "cat", "events", "--partition", "0", "--json"}, true) == 0);
  CHECK(has(r.out, R"("value_base64":"/w==")"));
}

TEST_CASE("a trimmed partition is shown without verdicts") {
  Story story;
  story.organization("one");
  story.organization("two");
  Harness h;
  auto copy = story.altered(
      [](const auto&, const StoredRecord& stored) { return std::optional(stored.record); });
  for (const int partition : {0, 1}) {
    const TopicPartition where{"events", partition};
    if (copy->marks(where)->high > Position{1}) copy->trim_unasked(where, {1});
  }
  h.open_log = [&]() -> Result<std::unique_ptr<EventLog>> {
    return std::unique_ptr<EventLog>(copy->connect());
  };
  CHECK(h.run({"log", "cat", "events"}, true) == 0);
  if (has(h.err, "events/0 was trimmed") && has(h.err, "events/1 was trimmed")) {
    CHECK_FALSE(has(h.out, "applied"));
  }
}

TEST_CASE("the last records of each partition can be had without following") {
  Reader r;
  CHECK(r.run({"log", "tail", "events", "-n", "1", "--no-follow"}, true) == 0);
  CHECK(r.lines() == 2);
  CHECK(r.run({"log", "tail", "events", "-n", "0", "--no-follow"}, true) == 0);
  CHECK(r.out == "");
}

TEST_CASE("tail goes on with what comes, until nobody reads") {
  Reader r;
  r.lines_max = 3;
  auto log = r.story.connect();
  // Goes on until the reader has had enough, whenever it began.
  std::atomic<bool> done{false};
  std::thread writer([&] {
    while (!done) {
      Record record;
      record.headers = {{"ce_type", "sandtrail.noise"}};
      record.value = "{}";
      log->append({"events", 1}, record, [](const AppendOutcome&) {});
      std::this_thread::yield();
    }
  });
  CHECK(r.run({"log", "tail", "events", "-n", "0", "--partition", "1"}, true) == 0);
  done = true;
  writer.join();
  CHECK(r.lines() == 3);
}

TEST_CASE("a reader that goes away ends the verb without an error") {
  Reader r;
  r.lines_max = 1;
  CHECK(r.run({"log", "cat", "events"}, true) == 0);
  CHECK(r.lines() == 1);
  CHECK(r.err == "");
}

}  // namespace
}  // namespace sandtrail
