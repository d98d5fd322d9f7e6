// SPDX-License-Identifier: Apache-2.0
#include <doctest/doctest.h>

#include "base/limits.h"
#include "world.h"

using namespace sandtrail;

namespace {

struct Wrong {
  std::string name;
  std::string body;
  std::string pointer;
  std::string detail;  // a part of it
};

std::string text_of(std::size_t size) {
  return std::string(size, 'x');
}

std::string many(std::size_t count, const std::string& item) {
  std::string out;
  for (std::size_t i = 0; i < count; ++i) out += (i > 0 ? "," : "") + item;
  return out;
}

std::vector<Wrong> wrong_programs() {
  return {
      {"an unknown member", python(R"(,"lnaguage":"x")"), "/lnaguage", "not a known field"},
      {"an unknown nested member", python(R"(,"limits":{"memory_mb":1})"), "/limits/memory_mb",
       "not a known field"},
      {"nothing to run", "{}", "", "language and code, or a command"},
      {"code without a language", R"({"code":"1"})", "/language", "is required"},
      {"a language without code", R"({"language":"python"})", "/code", "is required"},
      {"code beside a command", R"({"code":"1","command":["ls"]})", "/code", "beside a command"},
      {"an unknown language", R"({"language":"cobol","code":"1"})", "/language", "python java"},
      {"code of the wrong type", R"({"language":"python","code":7})", "/code", "string"},
      {"code over the limit",
       R"({"language":"python","code":")" + text_of(limits::kCodeBytesMax + 1) + "\"}", "/code",
       "at most 262144 bytes"},
      {"an empty program name", R"({"command":[""]})", "/command/0", "program"},
      {"too many arguments", python(R"(,"args":[)" + many(129, "\"a\"") + "]"), "/args",
       "at most 128"},
      {"arguments over the limit",
       python(R"(,"args":[")" + text_of(limits::kArgumentsBytesMax + 1) + "\"]"), "/args",
       "at most 32768 bytes together"},
      {"a NUL in an argument", python(R"(,"args":["a\u0000"])"), "/args/0", "NUL"},
      {"two kinds of stdin", python(R"(,"stdin":"a","stdin_base64":"YQ==")"), "/stdin_base64",
       "beside stdin"},
      {"stdin that is no base64", python(R"(,"stdin_base64":"?")"), "/stdin_base64", "base64"},
      {"stdin over the limit", python(R"(,"stdin":")" + text_of(limits::kStdinBytesMax + 1) + "\""),
       "/stdin", "at most"},
  };
}

std::vector<Wrong> wrong_surroundings() {
  return {
      {"a path out of the directory", python(R"(,"files":[{"path":"../a","content":""}])"),
       "/files/0/path", "relative"},
      {"an absolute path", python(R"(,"files":[{"path":"/etc/passwd","content":""}])"),
       "/files/0/path", "relative"},
      {"a path given twice",
       python(R"(,"files":[{"path":"a","content":""},{"path":"a","content":""}])"), "/files/1/path",
       "earlier"},
      {"a file below another",
       python(R"(,"files":[{"path":"a/b","content":""},{"path":"a","content":""}])"),
       "/files/0/path", "below"},
      {"a file below that of the code", python(R"(,"files":[{"path":"main.py/b","content":""}])"),
       "/files/0/path", "below"},
      {"a file in the place of the code", python(R"(,"files":[{"path":"main.py","content":""}])"),
       "/files/0/path", "holds the code"},
      {"a file without content", python(R"(,"files":[{"path":"a"}])"), "/files/0", "either"},
      {"a file with two contents",
       python(R"(,"files":[{"path":"a","content":"","content_base64":""}])"), "/files/0", "either"},
      {"too many files", python(R"(,"files":[)" + many(33, R"({"path":"a","content":""})") + "]"),
       "/files", "at most 32"},
      {"files over the limit",
       python(R"(,"files":[{"path":"a","content":")" + text_of(limits::kFilesBytesMax + 1) +
              "\"}]"),
       "/files", "bytes together"},
      {"a variable with a bad name", python(R"(,"env":{"A-B":"1"})"), "/env/A-B", "name"},
      {"a variable with a slash", python(R"(,"env":{"A/B":"1"})"), "/env/A~1B", "name"},
      {"a variable of another type", python(R"(,"env":{"A":1})"), "/env/A", "string"},
      {"a long metadata value",
       python(R"(,"metadata":{"k":")" + text_of(limits::kMetadataValueBytesMax + 1) + "\"}"),
       "/metadata/k", "at most 512"},
      {"an empty thread", python(R"(,"thread":"")"), "/thread", "1 to 128"},
      {"a network", python(R"(,"network":"full")"), "/network", "not available yet"},
      {"no attempts", python(R"(,"max_attempts":0)"), "/max_attempts", "1 to 5"},
      {"a negative limit", python(R"(,"limits":{"wall_ms":-1})"), "/limits/wall_ms", "from 10"},
      {"an absurd limit", python(R"(,"limits":{"memory_mib":99999999999})"), "/limits/memory_mib",
       "to 8192"},
      {"a limit of 2^64", python(R"(,"limits":{"wall_ms":18446744073709551616})"),
       "/limits/wall_ms", "integer"},
      {"a fraction", python(R"(,"limits":{"processes":1.5})"), "/limits/processes", "integer"},
  };
}

std::vector<Wrong> wrong_urls_and_times() {
  return {
      {"a callback without a scheme", python(R"(,"callback_url":"example.org/x")"), "/callback_url",
       "absolute"},
      {"a callback by file", python(R"(,"callback_url":"file:///etc/passwd")"), "/callback_url",
       "http"},
      {"a loopback callback", python(R"(,"callback_url":"http://127.0.0.1/x")"), "/callback_url",
       "not public"},
      {"a private callback", python(R"(,"callback_url":"https://10.1.2.3/")"), "/callback_url",
       "not public"},
      {"the metadata service", python(R"(,"callback_url":"http://169.254.169.254/")"),
       "/callback_url", "not public"},
      {"a loopback callback in IPv6", python(R"(,"callback_url":"http://[::1]/x")"),
       "/callback_url", "not public"},
      {"a mapped loopback address", python(R"(,"callback_url":"http://[::ffff:127.0.0.1]/")"),
       "/callback_url", "not public"},
      {"localhost by name", python(R"(,"callback_url":"http://localhost:8080/")"), "/callback_url",
       "not public"},
      {"an unknown retention", python(R"(,"retention":"2d")"), "/retention", "1h, 24h"},
      {"a retention over the limit", python(R"(,"retention":{"seconds":99999999})"),
       "/retention/seconds", "2592000"},
      {"no retention at all", python(R"(,"retention":{"seconds":0})"), "/retention/seconds",
       "from 1"},
  };
}

}  // namespace

TEST_CASE("every wrong member of a request is named by its JSON pointer") {
  World world;
  const Tenant tenant = world.tenant();
  std::vector<Wrong> all = wrong_programs();
  for (auto part : {wrong_surroundings(), wrong_urls_and_times()}) {
    all.insert(all.end(), part.begin(), part.end());
  }
  for (const Wrong& wrong : all) {
    CAPTURE(wrong.name);
    const Reply reply = world.call("POST", "/v1/executions", tenant.api_key, wrong.body);
    REQUIRE(reply.status == 422);
    CHECK(reply.field("Content-Type") == "application/problem+json");
    CHECK(reply.code() == "invalid_request");
    const auto pointers = reply.pointers();
    REQUIRE(!pointers.empty());
    CHECK(pointers.front() == wrong.pointer);
    CHECK_MESSAGE(reply.body.find(wrong.detail) != std::string::npos, reply.body);
  }
  // Nothing of it reached the log.
  CHECK(world.logged<ExecutionRequested>(world.runtime.home(tenant.org)).empty());
}

TEST_CASE("all problems of a request are named at once") {
  World world;
  const Tenant tenant = world.tenant();
  const Reply reply =
      world.call("POST", "/v1/executions", tenant.api_key,
                 python(R"(,"network":"all","limits":{"wall_ms":0,"disk_mib":0},"thread":"")"));
  CHECK(reply.pointers() ==
        std::vector<std::string>{"/thread", "/limits/wall_ms", "/limits/disk_mib", "/network"});
}

TEST_CASE("a body that is not JSON is refused before it is looked at") {
  World world;
  const Tenant tenant = world.tenant();
  const struct {
    std::string name;
    std::string body;
    int status;
    std::string code;
  } rows[] = {
      {"malformed", "{\"language\":", 400, "malformed_json"},
      {"trailing bytes", "{} {}", 400, "malformed_json"},
      {"not UTF-8", "{\"code\":\"\xff\"}", 400, "malformed_json"},
      {"a lone surrogate", R"({"code":"\ud800"})", 400, "malformed_json"},
      {"deeply nested", std::string(2000, '[') + std::string(2000, ']'), 400, "malformed_json"},
      {"oversized", "\"" + std::string(limits::kHttpBodyBytesMax, 'x') + "\"", 413,
       "body_too_large"},
      {"no object", "[1]", 422, "invalid_request"},
      {"null", "null", 422, "invalid_request"},
  };
  for (const auto& row : rows) {
    CAPTURE(row.name);
    const Reply reply = world.call("POST", "/v1/executions", tenant.api_key, row.body);
    CHECK(reply.status == row.status);
    CHECK(reply.code() == row.code);
  }
  const Reply form = world.call("POST", "/v1/executions", tenant.api_key, "a=1",
                                {{"Content-Type", "application/x-www-form-urlencoded"}});
  CHECK(form.status == 415);
  const Reply none = world.call("POST", "/v1/executions", tenant.api_key);
  CHECK(none.status == 415);
  const Reply charset = world.call("POST", "/v1/executions", tenant.api_key, python(),
                                   {{"Content-Type", "Application/JSON; charset=utf-8"}});
  CHECK(charset.status == 202);
}

TEST_CASE("what the policy allows may be called back, and names are judged later") {
  GatewayOptions options;
  options.addresses.allow_private = true;
  World world(std::move(options));
  const Tenant tenant = world.tenant();
  for (const std::string url : {"http://127.0.0.1:9/x", "http://localhost/", "https://e.org/a?b"}) {
    CAPTURE(url);
    const Reply made = world.call("POST", "/v1/executions", tenant.api_key,
                                  python(R"(,"callback_url":")" + url + "\""));
    CHECK(made.status == 202);
    CHECK(made.json().as_object().at("callback").as_bool());
  }
}

TEST_CASE("a language brings its limits, and the request's stand over them") {
  World world;
  const Tenant tenant = world.tenant();
  const Reply made = world.call(
      "POST", "/v1/executions", tenant.api_key,
      R"({"language":"java","code":"x","limits":{"wall_ms":500},"retention":{"seconds":90}})");
  REQUIRE(made.status == 202);
  const json::value body = made.json();
  const auto& bounds = body.as_object().at("limits").as_object();
  CHECK(bounds.at("memory_mib").as_int64() == 512);
  CHECK(bounds.at("wall_ms").as_int64() == 500);
  CHECK(made.text("retention") == "90s");
  const Reply languages = world.call("GET", "/v1/languages", tenant.api_key);
  CHECK(languages.status == 200);
  CHECK(languages.json().as_object().at("data").as_array().size() == 2);
}

TEST_CASE("paths and methods that do not exist are told apart") {
  World world;
  const Tenant tenant = world.tenant();
  CHECK(world.call("GET", "/v1/nothing", tenant.api_key).status == 404);
  CHECK(world.call("GET", "/v1/executions/", tenant.api_key).status == 404);
  CHECK(world.call("GET", "/v1/executions/%ff", tenant.api_key).status == 404);
  const Reply put = world.call("PUT", "/v1/executions", tenant.api_key);
  CHECK(put.status == 405);
  CHECK(put.field("Allow") == "POST, GET");
  const Reply options = world.call("OPTIONS", "/v1/webhook-endpoints/x", tenant.api_key);
  CHECK(options.field("Allow") == "GET, DELETE");
  for (const std::string path : {"/v1/executions/exe_x", "/v1/deliveries/7",
                                 "/v1/webhook-endpoints/whe_1", "/v1/executions/key_"}) {
    CAPTURE(path);
    CHECK(world.call("GET", path, tenant.api_key).code() == "not_found");
  }
  CHECK(world.call("GET", "/v1/executions?colour=red", tenant.api_key).code() ==
        "invalid_parameter");
  CHECK(world.call("GET", "/v1/executions?status=%zz", tenant.api_key).code() ==
        "invalid_parameter");
}

TEST_CASE("a request keeps its id, or gets one") {
  World world;
  const Tenant tenant = world.tenant();
  const Reply given =
      world.call("GET", "/v1/nothing", tenant.api_key, "", {{"Request-Id", "abc-1.2_3"}});
  CHECK(given.field("Request-Id") == "abc-1.2_3");
  CHECK(given.text("request_id") == "abc-1.2_3");
  CHECK(given.text("instance") == "/v1/nothing");
  CHECK(given.text("type") == "/problems/not_found");
  const Reply bad = world.call("GET", "/v1/nothing", tenant.api_key, "", {{"Request-Id", "a b"}});
  CHECK(bad.field("Request-Id").starts_with("req_"));
}

TEST_CASE("a valid trace of the caller stands on the event, another does not") {
  World world;
  const Tenant tenant = world.tenant();
  const std::string good = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
  for (const auto& trace :
       {good, std::string("00-short"),
        std::string("00-00000000000000000000000000000000-b7ad6b7169203331-01"),
        std::string("00-0AF7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01")}) {
    CHECK(world.call("POST", "/v1/executions", tenant.api_key, python(), {{"traceparent", trace}})
              .status == 202);
  }
  const auto events = world.logged<ExecutionRequested>(world.runtime.home(tenant.org));
  REQUIRE(events.size() == 4);
  CHECK(events[0].first.traceparent == good);
  for (std::size_t i = 1; i < 4; ++i) CHECK(events[i].first.traceparent.empty());
  CHECK(events[0].first.correlation == events[0].second.execution.text());
  CHECK(events[0].first.subject == events[0].second.execution.text());
}
