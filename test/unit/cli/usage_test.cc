// SPDX-License-Identifier: Apache-2.0
#include <doctest/doctest.h>

#include "harness.h"

namespace sandtrail {
namespace {

using test::Harness;
using test::has;

TEST_CASE("help begins with examples and goes to standard output") {
  struct Row {
    std::vector<std::string> arguments;
    const char* begins;
    const char* holds;
  };
  for (const Row& row : {
           Row{{}, "Examples:\n  sandtrail dev\n", "\n  dev         Start everything here\n"},
           Row{{"--help"}, "Examples:\n", "\n  executions  Runs and what became of them\n"},
           Row{{"-h"}, "Examples:\n", "--key-file"},
           Row{{"run", "--help"}, "Examples:\n  sandtrail run main.py\n", "--memory-mib"},
           Row{{"executions", "--help"}, "Runs and what", "\n  cancel  Ask for the end"},
           Row{{"executions", "ls", "--help"}, "Examples:\n", "--verdict"},
           Row{{"log", "tail", "-h"}, "Examples:\n", "--no-follow"},
       }) {
    Harness h;
    CAPTURE(h.out);
    CHECK(h.run(row.arguments, true) == 0);
    CHECK(h.out.starts_with(row.begins));
    CHECK(has(h.out, row.holds));
    CHECK(h.err == "");
  }
}

TEST_CASE("the version is printed") {
  Harness h;
  CHECK(h.run({"--version"}, true) == 0);
  CHECK(h.out == "sandtrail 1.2.3\n");
}

TEST_CASE("a wrong command line says what is wrong, on standard error, and ends with 2") {
  struct Row {
    std::vector<std::string> arguments;
    const char* expected;
  };
  for (const Row& row : {
           Row{{"rnu"}, "there is no verb 'rnu'; did you mean 'sandtrail run'?"},
           Row{{"rnu", "main.py"}, "did you mean 'sandtrail run'?"},
           Row{{"dve"}, "did you mean 'sandtrail dev'?"},
           Row{{"frobnicate"}, "there is no verb 'frobnicate'; see sandtrail --help"},
           Row{{"executions", "lss"}, "did you mean 'sandtrail executions ls'?"},
           Row{{"executions", "get"}, "see sandtrail executions get --help"},
           Row{{"executions", "ls", "--nope"}, "see sandtrail executions ls --help"},
           Row{{"executions", "ls", "-n", "many"}, "see sandtrail executions ls --help"},
           Row{{"executions", "ls", "-m", "x"}, "must be KEY=VALUE: x"},
           Row{{"executions", "ls", "--", "x"}, "only run takes something after --"},
           Row{{"org", "grant", "org_1", "ten", "--reason", "r"}, "no amount of credits: ten"},
           Row{{"org", "grant", "org_1", "10"}, "give a --reason"},
           Row{{"org", "limits", "org_1"}, "give --queued or --running"},
           Row{{"effects", "retry", "events", "billing", "e"}, "no partition like events/2"},
           Row{{"run"}, "nothing to run"},
       }) {
    Harness h;
    CAPTURE(row.expected);
    CHECK(h.run(row.arguments) == 2);
    CAPTURE(h.err);
    CHECK(has(h.err, row.expected));
    CHECK(h.out == "");
    CHECK(h.requests().empty());
  }
}

TEST_CASE("a group without a verb shows its help on standard error") {
  Harness h;
  CHECK(h.run({"webhooks"}, true) == 2);
  CHECK(has(h.err, "deliveries"));
  CHECK(h.out == "");
}

TEST_CASE("options of every verb may stand before or behind it") {
  for (const auto& arguments : {std::vector<std::string>{"--json", "keys", "ls"},
                                {"keys", "--json", "ls"},
                                {"keys", "ls", "--json"}}) {
    Harness h;
    h.answer(200, R"({"data":[],"next_cursor":null})");
    CHECK(h.run(arguments) == 0);
    CHECK(h.out == "[]\n");
  }
}

}  // namespace
}  // namespace sandtrail
