// SPDX-License-Identifier: Apache-2.0
#include <doctest/doctest.h>

#include <filesystem>

#include "harness.h"

using namespace sandtrail;
using namespace sandtrail::test;

namespace {

std::string owner(const std::string& role, const std::string& process, int epoch, int parked = 0) {
  return R"({"role":")" + role + R"(","process":")" + process + R"(","epoch":)" +
         std::to_string(epoch) + R"(,"since":"2026-01-01T00:00:00.000Z","effects_parked":)" +
         std::to_string(parked) + "}";
}

std::string partition(const std::string& name, const std::string& owners, int lag = 0,
                      const std::string& roles = "") {
  return R"({"partition":")" + name + R"(","next":10,"high":)" + std::to_string(10 + lag) +
         R"(,"lag":)" + std::to_string(lag) + R"(,"behind_ms":)" + std::to_string(lag * 100) +
         R"(,"void_records":3,"log_time":"2026-01-01T00:00:00.000Z","caught_up":true,"roles":[)" +
         roles + R"(],"owners":[)" + owners + "]}";
}

std::string status(const std::string& more = "") {
  return R"({"ready":true,"process":"launcher-a","log":{"identity":"0f","health":"ok"},)"
         R"("partitions":[)" +
         partition("events/0",
                   owner("billing", "billing-x", 7) + "," + owner("launcher", "launcher-a", 3)) +
         "," +
         partition("events/1",
                   owner("billing", "billing-x", 7, 2) + "," + owner("launcher", "launcher-a", 4)) +
         "," + partition("events/2", owner("launcher", "launcher-b", 2), 25) + "," +
         partition("platform/0", owner("billing", "billing-x", 5), 0,
                   R"({"role":"auditor","assigned":true,"live":false,"epoch":0})") +
         R"(],"processes":[{"process":"billing-x","partitions":4,"lag":17,"behind_ms":3250}])" +
         more + "}";
}

// Words of the line that begins with `head`.
std::string line_of(const std::string& text, const std::string& head) {
  const auto at = text.find("\n" + head);
  if (at == std::string::npos) return "";
  std::string line = text.substr(at + 1, text.find('\n', at + 1) - at - 1);
  for (auto twice = line.find("  "); twice != std::string::npos; twice = line.find("  ")) {
    line.erase(twice, 1);
  }
  return line;
}

}  // namespace

TEST_CASE("status shows each process's share of each role as ranges") {
  Harness h;
  h.answer(200, status());
  REQUIRE(h.run({"status"}, true) == 0);
  CHECK(line_of(h.out, "billing ") ==
        "billing billing-x events/0-1 platform/0 5-7 2026-01-01T00:00:00.000Z 2");
  CHECK(has(h.out, "launcher-a (this one)"));
  CHECK(has(line_of(h.out, "launcher  launcher-b"), "events/2 2 "));
  // Given a partition, and not live there yet.
  CHECK(line_of(h.out, "auditor ").ends_with(" 1"));
  CHECK(line_of(h.out, "billing-x ") == "billing-x 17 3.2");
}

TEST_CASE("status shows only partitions that stand out, unless asked for all") {
  Harness h;
  h.answer(200, status());
  REQUIRE(h.run({"status"}, true) == 0);
  CHECK(line_of(h.out, "events/2 ").starts_with("events/2 10 25 2.5 "));
  CHECK(line_of(h.out, "events/0 ") == "");
  h.answer(200, status());
  REQUIRE(h.run({"status", "-v"}, true) == 0);
  CHECK(line_of(h.out, "events/0 ").starts_with("events/0 10 0 0.0 3 "));
  CHECK(line_of(h.out, "void records ") == "void records 12");
}

TEST_CASE("status shows hosts of the process asked, and with settings those of every launcher") {
  Harness h;
  const std::string hosts =
      R"(,"hosts":[{"id":"hst_1","connected":true,"slots":2,"busy":1,"languages":["python"]}])";
  h.answer(200, status(hosts));
  REQUIRE(h.run({"status"}, true) == 0);
  CHECK(line_of(h.out, "hst_1 ") == "hst_1 true 2 1 python");
  const std::string config =
      h.file("s.toml", "data_dir = \"" + h.directory +
                           "\"\n[cluster]\nlaunchers = [\"127.0.0.1:7080\", \"127.0.0.1:7081\"]\n");
  h.ask_launcher = [](const std::string& launcher) -> Result<Bytes> {
    if (launcher != "127.0.0.1:7080") return Error{ErrorCode::unavailable, "nobody is there", ""};
    return Bytes(R"({"launcher":"launcher-a","hosts":[{"id":"hst_2","address":"10.0.0.1:7081",)"
                 R"("connected":false,"slots":8,"busy":0,"languages":[]}]})");
  };
  h.answer(200, status());
  REQUIRE(h.run({"status", "--config", config}, true) == 0);
  CHECK(has(line_of(h.out, "hst_2 "), "127.0.0.1:7080 10.0.0.1:7081 false 8"));
  CHECK(has(h.err, "launcher 127.0.0.1:7081: nobody is there"));
  h.answer(200, status());
  REQUIRE(h.run({"status", "--json", "--config", config}, true) == 0);
  CHECK(has(h.out, R"("launcher":"127.0.0.1:7080")"));
}

TEST_CASE("in a cluster the socket of a process below the data directory is found") {
  Harness h;
  std::filesystem::create_directories(h.directory + "/billing");
  h.file("billing/operator.sock", "");
  h.answer(200, status());
  REQUIRE(h.run({"status"}, true) == 0);
  CHECK(h.last_request().unix_path == h.directory + "/billing/operator.sock");
}
