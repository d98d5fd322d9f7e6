// SPDX-License-Identifier: Apache-2.0
// Histories made by hand, and what the checker says of them.
#include "checker.h"

#include <doctest/doctest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>

using namespace sandtrail;
using namespace sandtrail::history;

namespace {

// Operations one after the other, each a microsecond after the one before.
class Story {
 public:
  Story& ok(const std::string& value, std::int64_t position, const std::string& client = "a") {
    return append(client, value, Outcome::ok, position);
  }
  Story& failed(const std::string& value) { return append("a", value, Outcome::failed, -1); }
  Story& unknown(const std::string& value) { return append("a", value, Outcome::unknown, -1); }
  Story& poll(std::int64_t from, std::int64_t next,
              std::vector<std::pair<std::int64_t, std::string>> got) {
    const std::int64_t called = ++now_;
    history.polls.push_back(
        {"r", ++sessions_, 0, called, ++now_, Outcome::ok, from, next, std::move(got), ""});
    return *this;
  }
  Story& refused() {
    const std::int64_t called = ++now_;
    history.polls.push_back(
        {"r", ++sessions_, 0, called, ++now_, Outcome::failed, 5, 5, {}, "corrupt: bytes"});
    return *this;
  }
  Story& marks(std::int64_t high) {
    const std::int64_t called = ++now_;
    history.marks.push_back({"m", 0, called, ++now_, 0, high});
    return *this;
  }
  // The newest append ended only now.
  Story& slow() {
    history.appends.back().ended_us = ++now_;
    return *this;
  }
  History history;

 private:
  Story& append(const std::string& client, const std::string& value, Outcome outcome,
                std::int64_t position) {
    const std::int64_t called = ++now_;
    history.appends.push_back({client, 0, value, called, ++now_, outcome, position, ""});
    return *this;
  }
  std::int64_t now_ = 0;
  std::int64_t sessions_ = 0;
};

std::string names_of(const Report& report) {
  std::string out;
  for (const auto& [name, found] : report.anomalies) {
    out += (out.empty() ? "" : " ") + name;
  }
  return out;
}

struct Row {
  const char* what;
  Story story;
  const char* anomalies;
};

}  // namespace

TEST_CASE("a history is judged by what it shows") {
  const std::vector<Row> rows{
      {"nothing", Story(), ""},
      {"all is there", Story().ok("x", 0).ok("y", 1).poll(0, 2, {{0, "x"}, {1, "y"}}), ""},
      {"positions may lack", Story().ok("x", 3).ok("y", 9).poll(0, 12, {{3, "x"}, {9, "y"}}), ""},
      {"two readers, in parts",
       Story().ok("x", 0).ok("y", 1).poll(0, 1, {{0, "x"}}).poll(1, 2, {{1, "y"}}), ""},
      {"an unknown one is not there", Story().unknown("x").poll(0, 1, {}), ""},
      {"an unknown one is there", Story().unknown("x").poll(0, 1, {{0, "x"}}), ""},
      {"an unknown one is there twice", Story().unknown("x").poll(0, 2, {{0, "x"}, {1, "x"}}), ""},
      {"repeated until acknowledged",
       Story().unknown("x").ok("x", 1).poll(0, 2, {{0, "x"}, {1, "x"}}), ""},
      {"a refused one is not there", Story().failed("x").poll(0, 1, {}), ""},
      {"other clients in any order",
       Story().ok("x", 1, "a").ok("y", 0, "b").poll(0, 2, {{0, "y"}, {1, "x"}}), ""},

      {"readers passed it", Story().ok("x", 0).ok("y", 1).poll(0, 2, {{1, "y"}}), "lost-write"},
      {"no reader came so far", Story().ok("x", 0).poll(0, 0, {}), "unseen"},
      {"the newest was never read", Story().ok("x", 0).ok("y", 1).poll(0, 1, {{0, "x"}}), "unseen"},
      {"no reader at all", Story().ok("x", 0), "unseen"},
      {"no reader in between",
       Story().ok("x", 0).ok("y", 1).ok("z", 2).poll(0, 1, {{0, "x"}}).poll(2, 3, {{2, "z"}}),
       "unseen"},
      {"acknowledged once, there twice", Story().ok("x", 0).poll(0, 2, {{0, "x"}, {1, "x"}}),
       "duplicate"},
      {"two readers saw different records",
       Story().unknown("x").unknown("y").poll(0, 1, {{0, "x"}}).poll(0, 1, {{0, "y"}}),
       "inconsistent-offsets"},
      {"told another position", Story().ok("x", 5).poll(0, 6, {{0, "x"}}), "inconsistent-offsets"},
      {"two were told one position", Story().ok("x", 0).ok("y", 0, "b").poll(0, 1, {{0, "x"}}),
       "inconsistent-offsets lost-write"},
      {"another record stands there", Story().ok("x", 0).unknown("y").poll(0, 1, {{0, "y"}}),
       "inconsistent-offsets lost-write"},
      {"one reader went past it",
       Story().ok("x", 0).ok("y", 1).poll(0, 2, {{0, "x"}, {1, "y"}}).poll(0, 2, {{1, "y"}}),
       "poll-skip"},
      {"a batch goes back", Story().ok("x", 0).ok("y", 1).poll(0, 2, {{1, "y"}, {0, "x"}}),
       "nonmonotonic-poll"},
      {"a batch begins too early",
       Story()
           .ok("x", 0)
           .ok("y", 1)
           .poll(1, 2, {{0, "x"}, {1, "y"}})
           .poll(0, 2, {{0, "x"}, {1, "y"}}),
       "nonmonotonic-poll"},
      {"a batch gives one record twice", Story().ok("x", 0).poll(0, 1, {{0, "x"}, {0, "x"}}),
       "nonmonotonic-poll"},
      {"a batch ends behind where it goes on",
       Story().ok("x", 0).ok("y", 1).poll(0, 1, {{0, "x"}, {1, "y"}}), "nonmonotonic-poll"},
      {"a reader is sent back", Story().ok("x", 0).poll(0, 1, {{0, "x"}}).poll(1, 0, {}),
       "nonmonotonic-poll"},
      {"refused and there", Story().failed("x").poll(0, 1, {{0, "x"}}), "phantom"},
      {"nobody's", Story().poll(0, 1, {{0, "x"}}), "phantom"},
      {"one client's records change places",
       Story().ok("x", 1).ok("y", 0).poll(0, 2, {{0, "y"}, {1, "x"}}), "reordered"},
      {"a mark below what was acknowledged", Story().ok("x", 0).marks(0).poll(0, 1, {{0, "x"}}),
       "stale-marks"},
      {"a mark below what is being acknowledged",
       Story().ok("x", 0).marks(0).slow().poll(0, 1, {{0, "x"}}), ""},
      {"a mark below what was read", Story().unknown("x").poll(0, 1, {{0, "x"}}).marks(0),
       "stale-marks"},
      {"a mark below an earlier one", Story().marks(7).marks(6), "stale-marks"},
      {"a reader is refused for good", Story().refused(), "refused-read"},
  };
  for (const Row& row : rows) {
    CAPTURE(row.what);
    CHECK(names_of(check(row.story.history)) == row.anomalies);
  }
}

TEST_CASE("a mark can be held against what its own process knew only") {
  for (const std::string appender : {"m/0", "other/0"}) {
    CAPTURE(appender);
    Story story;
    story.ok("x", 0, appender).marks(0).poll(0, 1, {{0, "x"}});
    story.history.marks[0].client = "m/r";
    CHECK(names_of(check(story.history)) == "stale-marks");
    CheckOptions options;
    options.marks_by_process = true;
    CHECK(names_of(check(story.history, options)) == (appender == "m/0" ? "stale-marks" : ""));
  }
}

TEST_CASE("copies of what was acknowledged can be counted instead, and the first one counts") {
  CheckOptions options;
  options.copies_of_committed = true;
  Story story;
  story.ok("x", 2).ok("y", 3).poll(0, 4, {{0, "x"}, {1, "y"}, {2, "x"}, {3, "y"}});
  CHECK(names_of(check(story.history)) == "duplicate");
  const Report report = check(story.history, options);
  CHECK(report.clean());
  CHECK(report.committed_repeated == 2);
  Story swapped;
  swapped.ok("x", 2).ok("y", 3).poll(0, 4, {{0, "y"}, {1, "x"}, {2, "x"}, {3, "y"}});
  CHECK(names_of(check(swapped.history, options)) == "reordered");
  Story refused;
  refused.failed("x").poll(0, 2, {{0, "x"}, {1, "x"}});
  CHECK(names_of(check(refused.history, options)) == "duplicate phantom");
}

TEST_CASE("partitions are told apart, and what came of unknown appends is counted") {
  Story story;
  story.ok("x", 0).ok("y", 0).unknown("u").unknown("v").unknown("w");
  story.history.appends[1].partition = 1;
  story.poll(0, 4, {{0, "x"}, {1, "u"}, {2, "v"}, {3, "v"}}).poll(0, 1, {{0, "y"}});
  story.history.polls[1].partition = 1;
  const Report report = check(story.history);
  CHECK(names_of(report) == "");
  CHECK(report.appends == 5);
  CHECK(report.committed == 2);
  CHECK(report.unknown == 3);
  CHECK(report.unknown_there == 1);
  CHECK(report.unknown_repeated == 1);
  CHECK(report.read == 5);
  story.history.polls[1].partition = 0;
  CHECK(names_of(check(story.history)).find("inconsistent-offsets") == 0);
}

TEST_CASE("a history survives its file: two lines an append, and a last one that is cut off") {
  char name[] = "/tmp/sandtrail-history-XXXXXX";
  const std::string directory = ::mkdtemp(name);
  const AppendCall answered{"a/0", 1, "a.1.0.0", 5, 9, Outcome::ok, 12, ""};
  const AppendCall refused{"a/0", 2, "a.1.0.1", 6, 9, Outcome::failed, -1, "overloaded: \"full\""};
  const AppendCall open{"a/0", 3, "a.1.0.2", 7, 0, Outcome::unknown, -1, ""};
  {
    auto writer = HistoryWriter::create(directory, "a");
    REQUIRE(writer.ok());
    CHECK((*writer)->run() == 1);
    for (const AppendCall& call : {answered, refused, open}) (*writer)->called(call);
    (*writer)->ended(refused);
    (*writer)->ended(answered);
    (*writer)->polled({"a/r", 2, 1, 10, 11, Outcome::ok, 12, 14, {{12, "a.1.0.0"}, {13, "x"}}, ""});
    (*writer)->told({"a/m", 1, 12, 13, 0, 14});
    std::ofstream(directory + "/a.1.jsonl", std::ios::app) << R"({"op":"call","client":"a/)";
  }
  auto second = HistoryWriter::create(directory, "a");
  REQUIRE(second.ok());
  CHECK((*second)->run() == 2);
  auto history = read_history(directory);
  REQUIRE(history.ok());
  REQUIRE(history->appends.size() == 3);
  CHECK(history->appends[0].outcome == Outcome::ok);
  CHECK(history->appends[0].position == 12);
  CHECK(history->appends[0].ended_us == 9);
  CHECK(history->appends[1].outcome == Outcome::failed);
  CHECK(history->appends[1].error == refused.error);
  CHECK(history->appends[2].outcome == Outcome::unknown);
  CHECK(history->appends[2].partition == 3);
  REQUIRE(history->polls.size() == 1);
  CHECK(history->polls[0].got.size() == 2);
  CHECK(history->polls[0].next == 14);
  REQUIRE(history->marks.size() == 1);
  CHECK(history->marks[0].high == 14);
  std::ofstream(directory + "/a.2.jsonl", std::ios::app) << "nonsense\n";
  history = read_history(directory);
  REQUIRE_FALSE(history.ok());
  CHECK(history.error().message.find("a.2.jsonl:1") != std::string::npos);
  std::filesystem::remove_all(directory);
}

TEST_CASE("a record that is not whole is told from the one it was") {
  for (const char* value : {"a.1.0.0", "a.1.0.1", "b.12.3.4567"}) {
    Record record = record_of(value);
    CHECK(value_of(record) == value);
    record.value += "x";
    CHECK(value_of(record).starts_with("torn: "));
    record = record_of(value);
    record.headers.clear();
    CHECK(value_of(record).starts_with("torn: "));
  }
}
