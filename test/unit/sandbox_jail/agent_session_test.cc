// SPDX-License-Identifier: Apache-2.0
// Everything an agent may say, also a lying one.
#include <doctest/doctest.h>

#include "base/limits.h"
#include "base/random.h"
#include "sandbox_jail/agent_session.h"

using namespace sandtrail;
using guest::Stream;

namespace {

SandboxSpec two_stages() {
  SandboxSpec spec;
  spec.stages = {{"compile", {"cc"}, false}, {"run", {"./a.out"}, true}};
  spec.limits = {1000, 64, 1000, 8, 8, 10, 1000};
  return spec;
}

struct Talk {
  AgentSession session{two_stages(), 0};
  guest::FrameEncoder encoder;
  int started = 0;

  Talk& say(const guest::FromAgent& message, std::int64_t now_us = 0) {
    Bytes bytes;
    encoder.put(bytes, guest::encode(message));
    if (session.on_bytes(bytes, now_us)) ++started;
    return *this;
  }
  SandboxExit finish(const AgentSession::HostFacts& facts = {}, std::int64_t now_us = 9'000'000) {
    return session.finish(facts, now_us);
  }
};

guest::StageDone done(std::uint8_t stage, std::uint8_t code) {
  return {stage, false, code};
}

AgentSession::HostFacts measured() {
  AgentSession::HostFacts facts;
  facts.cpu_us = 11;
  facts.memory_peak_bytes = 22;
  facts.process_limit_hits = 1;
  return facts;
}

}  // namespace

TEST_CASE("a stage whose start and end are heard of at once did run") {
  Talk talk;
  talk.say(guest::Ready{}, 100).say(guest::Started{0}, 1000).say(done(0, 0), 1000);
  CHECK(talk.say(guest::Exited{}, 1000).finish(measured()).timings.compile_us == 1);
}

TEST_CASE("an honest agent's story becomes the result") {
  Talk talk;
  talk.say(guest::Ready{}, 100).say(guest::Started{0}, 1000);
  talk.say(guest::Out{Stream::err, "warn"}, 1500).say(done(0, 0), 3000);
  talk.say(guest::Started{1}, 3500).say(guest::Out{Stream::out, "hello"}, 4000);
  talk.say(done(1, 7), 8000).say(guest::Exited{}, 8500);
  CHECK(talk.started == 1);
  CHECK_FALSE(talk.session.doomed());
  const auto exit = talk.finish(measured());
  CHECK_FALSE(exit.broken);
  CHECK(exit.stage == "run");
  CHECK(exit.exit_code == 7);
  CHECK(exit.timings.boot_us == 1000);
  CHECK(exit.timings.compile_us == 2000);
  CHECK(exit.timings.run_us == 4500);
  CHECK(exit.usage.wall_us == 7500);
  CHECK(exit.usage.cpu_us == 11);
  CHECK(exit.usage.memory_peak_bytes == 22);
  CHECK(exit.process_limit_hits == 1);
  CHECK(exit.out.kept == "hello");
  CHECK(exit.err.kept == "warn");
}

TEST_CASE("messages out of turn break the sandbox") {
  using Story = std::vector<guest::FromAgent>;
  const Story stories[] = {
      {guest::Ready{99}},
      {guest::Exited{}},
      {done(0, 0)},
      {guest::Out{Stream::out, "x"}},
      {guest::Total{Stream::out, 1}},
      {guest::Started{1}},
      {guest::Started{0}, guest::Started{0}},
      {guest::Started{0}, guest::Started{1}},
      {guest::Started{0}, guest::Exited{}},
      {guest::Started{0}, done(1, 0)},
      {guest::Started{0}, done(0, 0), done(0, 0)},
      {guest::Started{0}, done(0, 0), guest::Exited{}},
      {guest::Started{0}, done(0, 1), guest::Started{1}},
      {guest::Started{0}, done(0, 0), guest::Started{1}, done(1, 0), guest::Started{2}},
      {guest::Failed{ErrorCode::disk_full, "no room"}},
  };
  int number = 0;
  for (const auto& story : stories) {
    CAPTURE(number++);
    Talk talk;
    for (const auto& message : story) talk.say(message);
    CHECK(talk.session.doomed());
    CHECK(talk.finish().broken);
  }
}

TEST_CASE("nothing counts after the last message") {
  Talk talk;
  talk.say(guest::Started{0}).say(done(0, 1)).say(guest::Exited{});
  talk.say(guest::Out{Stream::out, "late"}).say(guest::Started{1}).say(guest::Failed{});
  talk.session.stop(KillReason::cancelled);
  talk.session.on_time(1'000'000'000);
  CHECK_FALSE(talk.session.doomed());
  const auto exit = talk.finish();
  CHECK_FALSE(exit.broken);
  CHECK(exit.killed == KillReason::none);
  CHECK(exit.exit_code == 1);
  CHECK(exit.out.kept.empty());
}

TEST_CASE("output is cut and counted again on the host") {
  struct Row {
    const char* name;
    std::vector<guest::FromAgent> said;
    std::size_t kept;
    std::int64_t total;
    bool truncated;
    bool flood;
  };
  const Row rows[] = {
      {"under", {guest::Out{Stream::out, "123"}}, 3, 3, false, false},
      {"exact", {guest::Out{Stream::out, "1234567890"}}, 10, 10, false, false},
      {"over", {guest::Out{Stream::out, Bytes(15, 'x')}}, 10, 15, true, false},
      {"pieces",
       {guest::Out{Stream::out, Bytes(9, 'x')}, guest::Out{Stream::out, Bytes(9, 'x')}},
       10,
       18,
       true,
       false},
      {"total",
       {guest::Out{Stream::out, Bytes(10, 'x')}, guest::Total{Stream::out, 500}},
       10,
       500,
       true,
       false},
      {"total too low",
       {guest::Out{Stream::out, "123"}, guest::Total{Stream::out, 1}},
       3,
       3,
       false,
       false},
      {"flood", {guest::Total{Stream::out, 1001}}, 0, 1001, true, true},
      {"flood of bytes", {guest::Out{Stream::out, Bytes(1001, 'x')}}, 10, 1001, true, true},
  };
  for (const auto& row : rows) {
    CAPTURE(row.name);
    Talk talk;
    talk.say(guest::Started{0});
    for (const auto& message : row.said) talk.say(message);
    CHECK(talk.session.doomed() == row.flood);
    const auto exit = talk.finish();
    CHECK(exit.out.kept.size() == row.kept);
    CHECK(exit.out.total_bytes == row.total);
    CHECK(exit.out.truncated == row.truncated);
    CHECK((exit.killed == KillReason::output_flood) == row.flood);
  }
}

TEST_CASE("output is taken as it comes, each byte once, and going past the cap is told once") {
  Talk talk;
  const auto taken = [&] {
    std::string text;
    for (const auto& piece : talk.session.take_pieces()) {
      text += (piece.stream == Stream::out ? "out@" : "err@") + std::to_string(piece.offset) + ":" +
              std::string(talk.session.bytes_of(piece)) + " ";
    }
    return text;
  };
  talk.say(guest::Started{0}).say(guest::Out{Stream::out, "123"});
  talk.say(guest::Out{Stream::out, "45"}).say(guest::Out{Stream::err, "warn"});
  talk.say(guest::Out{Stream::out, "6"}).say(guest::Out{Stream::out, ""});
  CHECK(taken() == "out@0:12345 err@0:warn out@5:6 ");
  CHECK(taken() == "");
  talk.say(guest::Out{Stream::out, "7890abc"}).say(guest::Out{Stream::out, "more"});
  CHECK(taken() == "out@6:7890 out@10: ");
  talk.say(guest::Total{Stream::out, 999}).say(guest::Out{Stream::err, "!"});
  CHECK(taken() == "err@4:! ");
  CHECK(talk.finish().out.kept == "1234567890");
}

TEST_CASE("an agent that claims more than it sends keeps nothing after that") {
  Talk talk;
  talk.say(guest::Started{0}).say(guest::Out{Stream::out, "123"});
  talk.say(guest::Total{Stream::out, 5}).say(guest::Out{Stream::out, "45"});
  const auto pieces = talk.session.take_pieces();
  REQUIRE(pieces.size() == 2);
  CHECK(pieces[1].bytes == 0);
  const auto exit = talk.finish();
  CHECK(exit.out.kept == "123");
  CHECK(exit.out.truncated);
}

TEST_CASE("an agent that repeats small pieces cannot make the host keep or miss a flood") {
  Talk talk;
  talk.say(guest::Started{0});
  for (int i = 0; i < 200; ++i) talk.say(guest::Out{Stream::out, Bytes(10, 'x')});
  CHECK(talk.session.doomed());
  const auto exit = talk.finish();
  CHECK(exit.killed == KillReason::output_flood);
  CHECK(exit.out.kept.size() == 10);
}

TEST_CASE("time limits: the boot's breaks, the program's kills") {
  Talk silent;
  const auto boot_us = limits::kSandboxBootTimeout.count * 1000;
  CHECK(silent.session.deadline_us() == boot_us);
  silent.session.on_time(boot_us - 1);
  CHECK_FALSE(silent.session.doomed());
  silent.session.on_time(boot_us);
  const auto late = silent.finish();
  REQUIRE(late.broken);
  CHECK(late.broken->code == ErrorCode::timeout);

  Talk talk;
  talk.say(guest::Started{0}, 5000);
  CHECK(talk.session.deadline_us() == 1'005'000);
  talk.session.on_time(1'005'000);
  CHECK(talk.session.doomed());
  CHECK(talk.session.deadline_us() == INT64_MAX);
  const auto exit = talk.finish({}, 1'006'000);
  CHECK(exit.killed == KillReason::wall_time);
  CHECK(exit.usage.wall_us == 1'001'000);
  CHECK(exit.timings.compile_us == 1'001'000);
}

TEST_CASE("who ended it: the host's facts fill what the agent did not say") {
  using Facts = AgentSession::HostFacts;
  const auto running = [] {
    Talk talk;
    talk.say(guest::Started{0});
    return talk;
  };
  Facts oom;
  oom.oom_kills = 1;
  CHECK_FALSE(running().finish(oom).broken);
  Facts bomb;
  bomb.killed = KillReason::process_flood;
  CHECK(running().finish(bomb).killed == KillReason::process_flood);
  Facts setup;
  setup.error = Error{ErrorCode::internal, "set-up", ""};
  CHECK(running().finish(setup).broken->message == "set-up");
  CHECK(running().finish({}).broken);  // dead, and nobody knows why

  auto stopped = running();
  stopped.session.stop(KillReason::cancelled);
  stopped.session.stop(KillReason::host_shutdown);
  stopped.session.fail(Error{});
  const auto exit = stopped.finish(bomb);
  CHECK(exit.killed == KillReason::cancelled);
  CHECK_FALSE(exit.broken);

  Talk ended;
  ended.say(guest::Started{0}).say(done(0, 1)).say(guest::Exited{});
  Facts lost;
  lost.lost = true;
  lost.error = Error{ErrorCode::unavailable, "the jailer died", ""};
  CHECK(ended.finish(lost).broken);
}

TEST_CASE("random bytes from an agent end in a broken sandbox or in silence") {
  SeededRandom random(5);
  for (int round = 0; round < 2000; ++round) {
    AgentSession session(two_stages(), 0);
    for (int piece = 0; piece < 5; ++piece) session.on_bytes(random.bytes(random.below(100)), 1);
    const auto exit = session.finish({}, 2);
    CHECK(exit.broken);
    CHECK(exit.out.kept.size() <= 10);
  }
}

TEST_CASE("orders carry the usual variables unless the spec has its own") {
  auto spec = two_stages();
  spec.environment = {{"HOME", "/tmp"}, {"X", ""}};
  const auto orders = encode_orders(spec);
  REQUIRE(orders.ok());
  guest::FrameDecoder decoder;
  decoder.push(*orders);
  std::vector<std::pair<std::string, std::string>> variables;
  std::size_t stages = 0;
  for (auto frame = decoder.next(); frame.value(); frame = decoder.next()) {
    const auto message = guest::parse_to_agent(**frame);
    REQUIRE(message.ok());
    if (const auto* variable = std::get_if<guest::Variable>(&**message)) {
      variables.emplace_back(variable->name, variable->value);
    }
    if (std::holds_alternative<guest::Stage>(**message)) ++stages;
  }
  CHECK(stages == 2);
  const auto count = [&](const std::string& name, const std::string& value) {
    return std::count(variables.begin(), variables.end(), std::pair(name, value));
  };
  CHECK(count("HOME", "/tmp") == 1);
  CHECK(count("HOME", "/work") == 0);
  CHECK(count("X", "") == 1);
  CHECK(count("TMPDIR", "/tmp") == 1);
}
