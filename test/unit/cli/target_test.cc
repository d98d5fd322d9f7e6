// SPDX-License-Identifier: Apache-2.0
#include <doctest/doctest.h>
#include <sys/stat.h>

#include "harness.h"

namespace sandtrail {
namespace {

using test::Harness;
using test::has;

constexpr const char* kEmptyPage = R"({"data":[],"next_cursor":null})";
constexpr const char* kDev =
    R"({"url":"http://127.0.0.1:9999","api_key":"st_dev","organization":"org_1",)"
    R"("callback_secret":"whsec_x","operator_socket":"/run/op.sock"})";

std::string key_of(const Harness& h) {
  return std::string(h.last_request().fields.get("Authorization").value_or(""));
}

TEST_CASE("the local server is found by its file") {
  Harness h;
  h.file("dev.json", kDev);
  h.answer(200, kEmptyPage);
  CHECK(h.run({"keys", "ls"}, true) == 0);
  CHECK(h.last_request().url.text() == "http://127.0.0.1:9999/v1/api-keys?limit=20");
  CHECK(key_of(h) == "Bearer st_dev");
}

TEST_CASE("options win over the environment, and the environment over the local server") {
  Harness h;
  h.file("dev.json", kDev);
  h.answer(200, kEmptyPage);
  CHECK(h.run({"keys", "ls"}) == 0);
  CHECK(h.last_request().url.authority() == "server:8080");
  CHECK(key_of(h) == "Bearer st_secret");
  const std::string key = h.file("key", "st_from_file\n");
  h.answer(200, kEmptyPage);
  CHECK(h.run({"keys", "ls", "--url", "https://other/prefix/", "--key-file", key}) == 0);
  CHECK(h.last_request().url.text() == "https://other/prefix/v1/api-keys?limit=20");
  CHECK(key_of(h) == "Bearer st_from_file");
}

TEST_CASE("the key of the local server is not sent to another one") {
  Harness h;
  h.file("dev.json", kDev);
  CHECK(h.run({"keys", "ls", "--url", "http://127.0.0.1:9998"}, true) == 3);
  CHECK(has(h.err, "there is no API key for http://127.0.0.1:9998"));
  CHECK(h.requests().empty());
}

TEST_CASE("what is missing or wrong is said with what to do") {
  Harness h;
  CHECK(h.run({"keys", "ls"}, true) == 3);
  CHECK(has(h.err, "no server is known"));
  CHECK(has(h.err, "sandtrail dev"));
  CHECK(h.run({"keys", "ls", "--url", "server:8080"}) == 3);
  CHECK(has(h.err, "write it like http://127.0.0.1:8080"));
  h.file("dev.json", "{");
  CHECK(h.run({"keys", "ls"}, true) == 3);
  CHECK(has(h.err, "dev.json"));
}

TEST_CASE("secrets that others could read are refused") {
  Harness h;
  const std::string path = h.file("dev.json", kDev);
  REQUIRE(::chmod(path.c_str(), 0644) == 0);
  CHECK(h.run({"keys", "ls"}, true) == 3);
  CHECK(h.requests().empty());
  CHECK_FALSE(has(h.err, "st_dev"));
}

TEST_CASE("operators use the socket of the data directory, of the local server, or the one given") {
  Harness h;
  h.answer(200, kEmptyPage);
  CHECK(h.run({"org", "ls"}, true) == 0);
  CHECK(h.last_request().unix_path == h.directory + "/operator.sock");
  CHECK(key_of(h) == "");
  h.file("dev.json", kDev);
  h.answer(200, kEmptyPage);
  CHECK(h.run({"org", "ls"}, true) == 0);
  CHECK(h.last_request().unix_path == "/run/op.sock");
  h.answer(200, kEmptyPage);
  CHECK(h.run({"org", "ls", "--socket", "/tmp/other.sock"}, true) == 0);
  CHECK(h.last_request().unix_path == "/tmp/other.sock");
}

TEST_CASE("what only a gateway answers is said so by a process that is none") {
  Harness h;
  h.answer(404, R"({"title":"There is no such thing","code":"not_found","detail":"no such path"})");
  CHECK(h.run({"org", "ls", "--socket", "/tmp/other.sock"}, true) == 3);
  CHECK(has(h.err, "only a gateway does"));
}

}  // namespace
}  // namespace sandtrail
