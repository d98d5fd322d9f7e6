// SPDX-License-Identifier: Apache-2.0
#include <doctest/doctest.h>

#include "base/random.h"
#include "jail/jailer_protocol.h"

using namespace sandtrail;
using namespace sandtrail::jail;

namespace {

std::vector<ToJailer> requests() {
  LaunchJail launch;
  launch.id = 7;
  launch.slot = 3;
  launch.deadline_ms = 12'345;
  launch.limits = {64 << 20, 33, 1500};
  launch.disk_bytes = 16 << 20;
  launch.name = "sandtrail-exe_1-1";
  return {launch, KillJail{9}, ListJails{}, ReapJail{"sandtrail-x"}};
}

std::vector<FromJailer> answers() {
  JailerReady ready;
  ready.error = Error{ErrorCode::denied, "needs root", "be root"};
  ready.controls = {"userns", "seccomp"};
  ready.controls_missing = {"cgroup.cpu"};
  JailEnded ended;
  ended.id = 7;
  ended.kill = JailerKill::process_flood;
  ended.usage = {1, 2, 3, 4};
  return {ready, ended, JailsListed{{"sandtrail-a", "sandtrail-b"}},
          JailReaped{"sandtrail-a", Error{ErrorCode::internal, "busy", ""}}};
}

}  // namespace

TEST_CASE("every packet survives the way there, and only as a whole") {
  for (const auto& request : requests()) {
    const auto packet = encode(request);
    const auto parsed = parse_to_jailer(packet);
    REQUIRE(parsed);
    CHECK(encode(*parsed) == packet);
    for (std::size_t size = 0; size < packet.size(); ++size) {
      CHECK_FALSE(parse_to_jailer(BytesView(packet).substr(0, size)));
    }
    CHECK_FALSE(parse_to_jailer(packet + "x"));
    CHECK_FALSE(parse_from_jailer(packet));
  }
  for (const auto& answer : answers()) {
    const auto packet = encode(answer);
    const auto parsed = parse_from_jailer(packet);
    REQUIRE(parsed);
    CHECK(encode(*parsed) == packet);
    for (std::size_t size = 0; size < packet.size(); ++size) {
      CHECK_FALSE(parse_from_jailer(BytesView(packet).substr(0, size)));
    }
    CHECK_FALSE(parse_from_jailer(packet + "x"));
    CHECK_FALSE(parse_to_jailer(packet));
  }
}

TEST_CASE("fields arrive as they were sent") {
  const auto launch = std::get<LaunchJail>(*parse_to_jailer(encode(requests()[0])));
  CHECK(launch.id == 7);
  CHECK(launch.slot == 3);
  CHECK(launch.deadline_ms == 12'345);
  CHECK(launch.limits.processes == 33);
  CHECK(launch.disk_bytes == 16 << 20);
  CHECK(launch.name == "sandtrail-exe_1-1");
  const auto ready = std::get<JailerReady>(*parse_from_jailer(encode(answers()[0])));
  REQUIRE(ready.error);
  CHECK(ready.error->hint == "be root");
  CHECK(ready.controls_missing == std::vector<std::string>{"cgroup.cpu"});
  const auto ended = std::get<JailEnded>(*parse_from_jailer(encode(answers()[1])));
  CHECK(ended.usage.fork_refusals == 4);
  CHECK(ended.kill == JailerKill::process_flood);
}

TEST_CASE("random packets are refused or understood, and never read past their end") {
  SeededRandom random(1);
  for (int round = 0; round < 20'000; ++round) {
    auto packet = random.bytes(random.below(64));
    if (!packet.empty() && round % 2 == 0) {
      packet[0] = static_cast<char>(round % 4 < 2 ? 1 + random.below(4) : 129 + random.below(4));
    }
    if (const auto message = parse_to_jailer(packet)) CHECK(encode(*message) == packet);
    (void)parse_from_jailer(packet);
  }
}
