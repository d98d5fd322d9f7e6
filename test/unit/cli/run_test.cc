// SPDX-License-Identifier: Apache-2.0
#include <doctest/doctest.h>

#include "codec/json.h"
#include "harness.h"

namespace sandtrail {
namespace {

using test::Harness;
using test::has;

// A finished execution with more members.
std::string finished(const std::string& members) {
  return R"({"id":"exe_1","status":"finished",)" + members +
         R"(,"usage":{"wall_us":12300},"cost":{"settled_microcredits":3100,"credits":"0.0031"}})";
}

json::object body_of(const http::ClientRequest& request) {
  auto parsed = json::parse(request.body);
  REQUIRE(parsed.ok());
  return parsed->as_object();
}

TEST_CASE("options become the body of the request") {
  Harness h;
  const std::string code = h.file("main.py", "print 1");
  const std::string binary = h.file("data.bin", "\xff\x01");
  h.environment["INHERITED"] = "yes";
  h.input = "in";
  struct Row {
    std::vector<std::string> arguments;
    std::string expected;
  };
  for (const Row& row : {
           Row{{code}, R"({"language":"python","code":"print 1"})"},
           Row{{code, "a", "b", "--", "-c"},
               R"({"language":"python","code":"print 1","args":["a","b","-c"]})"},
           Row{{"-l", "bash", "-c", "echo"}, R"({"language":"bash","code":"echo"})"},
           Row{{"-l", "bash", "-c", "echo $1", "x"},
               R"({"language":"bash","code":"echo $1","args":["x"]})"},
           Row{{"-c", "1"}, R"({"language":"python","code":"1"})"},
           Row{{"-", "-l", "perl"}, R"({"language":"perl","code":"in"})"},
           Row{{"--", "sort", "-r"}, R"({"command":["sort","-r"]})"},
           Row{{"--stdin", "-", "--", "cat"}, R"({"command":["cat"],"stdin":"in"})"},
           Row{{"--stdin", binary, "--", "cat"}, R"({"command":["cat"],"stdin_base64":"/wE="})"},
           Row{{"-f", binary, "-f", "x/y=" + code, "--", "ls"},
               R"({"command":["ls"],"files":[{"path":"data.bin","content_base64":"/wE="},)"
               R"({"path":"x/y","content":"print 1"}]})"},
           Row{{"-e", "A=1=2", "-e", "INHERITED", "--", "env"},
               R"({"command":["env"],"env":{"A":"1=2","INHERITED":"yes"}})"},
           Row{{"--wall-ms", "500", "--memory-mib", "64", "--output-bytes", "9", "--", "x"},
               R"({"command":["x"],"limits":{"wall_ms":500,"memory_mib":64,"output_bytes":9}})"},
           Row{{"-m", "k=v", "--thread", "t", "--callback-url", "https://e", "--retention", "90s",
                "--max-attempts", "2", "--", "x"},
               R"({"command":["x"],"metadata":{"k":"v"},"thread":"t","callback_url":"https://e",)"
               R"("retention":{"seconds":90},"max_attempts":2})"},
           Row{{"--retention", "indefinite", "--", "x"},
               R"({"command":["x"],"retention":"indefinite"})"},
       }) {
    CAPTURE(row.expected);
    h.answer(200, finished(R"("verdict":"ok")"));
    std::vector<std::string> arguments{"run"};
    arguments.insert(arguments.end(), row.arguments.begin(), row.arguments.end());
    REQUIRE(h.run(arguments) == 0);
    CHECK(h.last_request().method == "POST");
    CHECK(h.last_request().url.target == "/v1/executions");
    CHECK(h.last_request().body == row.expected);
  }
}

TEST_CASE("what cannot be a request is refused before it is sent") {
  Harness h;
  const std::string unknown = h.file("main.zz", "x");
  const std::string binary = h.file("main.py", "\xff");
  const std::string large = h.file("large.py", std::string(300 * 1024, 'x'));
  struct Row {
    std::vector<std::string> arguments;
    const char* expected;
  };
  for (const Row& row : {
           Row{{unknown}, "give --language"},
           Row{{binary}, "the code is not UTF-8 text"},
           Row{{large}, "is longer than 262144 bytes"},
           Row{{h.directory + "/none.py"}, "none.py"},
           Row{{"-l", "bash", "--", "x"}, "a command has no --language"},
           Row{{"-", "--stdin", "-", "-l", "sh"}, "standard input cannot be both"},
           Row{{"-m", "k", "--", "x"}, "must be KEY=VALUE: k"},
       }) {
    CAPTURE(row.expected);
    std::vector<std::string> arguments{"run"};
    arguments.insert(arguments.end(), row.arguments.begin(), row.arguments.end());
    CHECK(h.run(arguments) == 2);
    CHECK(has(h.err, row.expected));
    CHECK(h.requests().empty());
  }
}

TEST_CASE("the program's output is passed on byte by byte") {
  Harness h;
  h.answer(200, finished(R"("verdict":"ok","exit_code":0,"stdout":"a\u0000b�","stdout_base64":)"
                         R"("YQBi/w==","stderr":"warn\n")"));
  CHECK(h.run({"run", "--", "x"}) == 0);
  CHECK(h.out == std::string("a\0b\xff", 4));
  CHECK(h.err == "warn\n");
}

TEST_CASE("the exit code says how the program ended") {
  struct Row {
    const char* members;
    int expected;
    const char* noted;
  };
  for (const Row& row : {
           Row{R"("verdict":"ok","exit_code":0)", 0, "ok in 12.3 ms, 0.0031 credits, exe_1"},
           Row{R"("verdict":"nonzero_exit","exit_code":7)", 7, "exit 7 in 12.3 ms"},
           Row{R"("verdict":"timeout","signal":9)", 124, "timeout in"},
           Row{R"("verdict":"signaled","signal":11)", 139, "signal 11 in"},
           Row{R"("verdict":"memory_limit")", 125, "memory_limit in"},
           Row{R"("verdict":"compile_error","exit_code":1)", 125, "compile_error"},
           Row{R"("verdict":"internal_error")", 125, "internal_error"},
       }) {
    CAPTURE(row.members);
    Harness h;
    h.answer(200, finished(row.members));
    CHECK(h.run({"run", "-v", "--", "x"}) == row.expected);
    CHECK(has(h.err, row.noted));
    CHECK(h.out == "");
  }
}

TEST_CASE("an execution without a verdict is explained also off a terminal") {
  Harness h;
  h.answer(202, R"({"id":"exe_1","status":"rejected","rejection":{"reason":"unsupported"}})");
  CHECK(h.run({"run", "--", "x"}) == 125);
  CHECK(has(h.err, "rejected (unsupported)"));
}

TEST_CASE("colours are for terminals, and only if they are wanted") {
  for (const bool terminal : {false, true}) {
    for (const char* no_color : {"", "1"}) {
      Harness h;
      h.err_is_terminal = terminal;
      if (*no_color != '\0') h.environment["NO_COLOR"] = no_color;
      h.answer(200, finished(R"("verdict":"ok")"));
      h.run({"run", "-v", "--", "x"});
      CHECK(has(h.err, "\x1b[32mok\x1b[0m") == (terminal && *no_color == '\0'));
    }
  }
}

TEST_CASE("cut output is noted") {
  Harness h;
  h.answer(200, finished(R"("verdict":"ok","stdout":"abc","stdout_bytes":9000,)"
                         R"("stdout_truncated":true)"));
  CHECK(h.run({"run", "--", "x"}) == 0);
  CHECK(h.out == "abc");
  CHECK(has(h.err, "stdout was cut: the program wrote 9000 bytes"));
}

TEST_CASE("with --json it waits for the end in as many requests as it takes") {
  Harness h;
  h.answer(202, R"({"id":"exe_1","status":"requested"})", {{"Preference-Applied", "wait=60"}});
  h.answer(200, R"({"id":"exe_1","status":"started"})", {{"Preference-Applied", "wait=60"}});
  h.answer(200, finished(R"("verdict":"ok")"));
  CHECK(h.run({"run", "--json", "--", "x"}) == 0);
  const auto requests = h.requests();
  REQUIRE(requests.size() == 3);
  CHECK(requests[0].fields.get("Prefer") == "wait=60");
  CHECK(requests[1].method == "GET");
  CHECK(requests[1].url.target == "/v1/executions/exe_1");
  CHECK(requests[2].fields.get("Prefer") == "wait=60");
  CHECK(h.paused_ms == 0);
}

TEST_CASE("a server that does not hold the request is not asked all the time") {
  Harness h;
  h.answer(202, R"({"id":"exe_1","status":"requested"})");
  h.answer(200, R"({"id":"exe_1","status":"requested"})");
  h.answer(200, finished(R"("verdict":"ok")"));
  CHECK(h.run({"run", "--json", "--", "x"}) == 0);
  CHECK(h.paused_ms == 2000);
}

TEST_CASE("--wait bounds the waiting") {
  Harness h;
  h.answer(202, R"({"id":"exe_1","status":"requested"})");
  h.answer(200, R"({"id":"exe_1","status":"requested"})");
  h.answer(200, R"({"id":"exe_1","status":"requested"})");
  CHECK(h.run({"run", "--json", "--wait", "2", "--", "x"}) == 75);
  CHECK(h.requests().front().fields.get("Prefer") == "wait=2");
  CHECK(h.last_request().fields.get("Prefer") == "wait=0");
  CHECK(has(h.err, "it is not over yet: exe_1"));
}

TEST_CASE("--no-wait prints the id and goes") {
  Harness h;
  h.answer(202, R"({"id":"exe_1","status":"requested"})");
  CHECK(h.run({"run", "--no-wait", "--", "x"}) == 0);
  CHECK(h.out == "exe_1\n");
  CHECK_FALSE(h.last_request().fields.has("Prefer"));
}

TEST_CASE("--json prints the document instead of the output") {
  Harness h;
  h.answer(200, finished(R"("verdict":"nonzero_exit","exit_code":3,"stdout":"hello")"));
  CHECK(h.run({"run", "--json", "--", "x"}) == 3);
  CHECK(body_of([&] {
          http::ClientRequest request;
          request.body = h.out;
          return request;
        }())["stdout"] == "hello");
}

TEST_CASE("a request that may have been lost is repeated once under the same key") {
  Harness h;
  h.fail(ErrorCode::unavailable, "connection broke");
  h.answer(200, finished(R"("verdict":"ok")"));
  CHECK(h.run({"run", "--", "x"}) == 0);
  const auto requests = h.requests();
  REQUIRE(requests.size() == 2);
  CHECK(requests[0].fields.has("Idempotency-Key"));
  CHECK(requests[0].fields.get("Idempotency-Key") == requests[1].fields.get("Idempotency-Key"));
  CHECK(requests[0].body == requests[1].body);
  h.fail(ErrorCode::unavailable, "connection broke");
  h.fail(ErrorCode::unavailable, "connection broke");
  CHECK(h.run({"run", "--", "x"}) == 3);
  CHECK(has(h.err, "is the server running?"));
}

TEST_CASE("a server that still folds its log is asked again, and so is one that restarts") {
  Harness h;
  h.answer(503, R"({"title":"The server is not ready for this yet","code":"not_ready"})");
  h.answer(503, R"({"title":"The server is not ready for this yet","code":"not_ready"})");
  h.answer(202, R"({"id":"exe_1","status":"requested"})");
  CHECK(h.run({"run", "--no-wait", "--", "x"}) == 0);
  const auto requests = h.requests();
  REQUIRE(requests.size() == 3);
  CHECK(requests[0].fields.get("Idempotency-Key") == requests[2].fields.get("Idempotency-Key"));
  h.answer(202, R"({"id":"exe_1","status":"requested"})");
  h.fail(ErrorCode::unavailable, "connection refused");
  h.answer(200, finished(R"("verdict":"ok")"));
  CHECK(h.run({"run", "--json", "--", "x"}) == 0);
  CHECK(has(h.out, "finished"));
}

TEST_CASE("what runs on without an answer is named, and the exit code says that it is not over") {
  Harness h;
  h.answer(202, R"({"id":"exe_1","status":"requested"})");
  for (int i = 0; i < 40; ++i) h.fail(ErrorCode::unavailable, "connection refused");
  CHECK(h.run({"run", "--json", "--", "x"}) == 75);
  CHECK(has(h.err, "sandtrail executions output exe_1"));
}

TEST_CASE("a problem is told with title, detail, pointers and request id") {
  Harness h;
  h.answer(422, R"({"title":"The body does not describe a valid request","status":422,)"
                R"("detail":"/limits/wall_ms must be from 10 to 900000","code":"invalid_request",)"
                R"("request_id":"req_9","errors":[{"pointer":"/limits/wall_ms","detail":)"
                R"("must be from 10 to 900000"},{"pointer":"/env","detail":"\u001b[2J"}]})");
  CHECK(h.run({"run", "--", "x"}) == 3);
  CHECK(h.err ==
        "error: The body does not describe a valid request: /limits/wall_ms must be from 10 to "
        "900000\n"
        "  /env  [2J\n"
        "  code: invalid_request\n"
        "  request id: req_9\n");
  CHECK(h.out == "");
}

TEST_CASE("an answer that is none of ours is an error") {
  Harness h;
  h.answer(200, "<html>");
  CHECK(h.run({"run", "--", "x"}) == 3);
  CHECK(has(h.err, "no execution"));
  h.answer(502, "<html>");
  h.answer(502, "<html>");
  CHECK(h.run({"run", "--", "x"}) == 3);
  CHECK(has(h.err, "the server answered 502 Bad Gateway"));
}

}  // namespace
}  // namespace sandtrail
