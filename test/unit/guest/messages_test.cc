// SPDX-License-Identifier: Apache-2.0
#include <doctest/doctest.h>

#include "base/limits.h"
#include "base/random.h"
#include "guest/messages.h"

using namespace sandtrail;
using namespace sandtrail::guest;

namespace {

const ToAgent kToAgent[] = {
    Hello{1},
    PutFile{true, false, "dir/file", Bytes("\0\1\2", 3)},
    PutFile{false, true, "f", ""},
    Variable{"NAME", "value"},
    Stage{true, {"sh", "-c", ""}},
    Stdin{"input"},
    Run{65'536, 16 << 20},
};

const FromAgent kFromAgent[] = {
    Ready{1},
    Started{2},
    Out{Stream::err, Bytes("\xff\0", 2)},
    Total{Stream::out, 123'456'789},
    StageDone{1, true, 9},
    Exited{},
    Failed{ErrorCode::disk_full, "no room"},
};

}  // namespace

TEST_CASE("every message survives the way there") {
  for (const auto& message : kToAgent) {
    const auto frame = encode(message);
    const auto parsed = parse_to_agent(frame);
    REQUIRE(parsed.ok());
    REQUIRE(parsed.value());
    CHECK(parsed.value()->index() == message.index());
    CHECK(encode(*parsed.value()).payload == frame.payload);
  }
  for (const auto& message : kFromAgent) {
    const auto frame = encode(message);
    const auto parsed = parse_from_agent(frame);
    REQUIRE(parsed.ok());
    REQUIRE(parsed.value());
    CHECK(parsed.value()->index() == message.index());
    CHECK(encode(*parsed.value()).payload == frame.payload);
  }
}

TEST_CASE("fields arrive as they were sent") {
  const auto file = std::get<PutFile>(**parse_to_agent(encode(kToAgent[1])));
  CHECK(file.executable);
  CHECK_FALSE(file.append);
  CHECK(file.path == "dir/file");
  CHECK(file.content == Bytes("\0\1\2", 3));
  const auto stage = std::get<Stage>(**parse_to_agent(encode(kToAgent[4])));
  CHECK(stage.takes_stdin);
  CHECK(stage.argv == std::vector<std::string>{"sh", "-c", ""});
  const auto failed = std::get<Failed>(**parse_from_agent(encode(kFromAgent[6])));
  CHECK(failed.code == ErrorCode::disk_full);
  CHECK(failed.message == "no room");
}

TEST_CASE("unknown types are skipped, known ones with a wrong payload are not") {
  CHECK_FALSE(parse_from_agent({77, "whatever"}).value());
  CHECK_FALSE(parse_to_agent({77, "whatever"}).value());
  // A guest's message is no host's, and the other way round.
  CHECK_FALSE(parse_from_agent(encode(kToAgent[0])).value());
  CHECK_FALSE(parse_to_agent(encode(kFromAgent[0])).value());
  const Frame bad[] = {
      {129, ""},                                // Ready without version
      {129, "12345"},                           // and with too much
      {130, ""},                                // Started
      {131, ""},                                // Out without stream
      {131, Bytes("\0x", 2)},                   // of no known stream
      {131, "\3x"},                             //
      {132, Bytes("\1\x80\0\0\0\0\0\0\0", 9)},  // a negative total
      {132, "\1"},                              //
      {133, Bytes("\0\2\0", 3)},                // StageDone, neither exit nor signal
      {133, Bytes("\0\1", 2)},                  //
      {134, "x"},                               // Exited
      {135, ""},                                // Failed without code
  };
  for (const auto& frame : bad) {
    CAPTURE(static_cast<int>(frame.type));
    CHECK_FALSE(parse_from_agent(frame).ok());
  }
}

TEST_CASE("random payloads of every type are refused or read back to the same bytes") {
  SeededRandom random(3);
  for (int round = 0; round < 20'000; ++round) {
    Frame frame{static_cast<std::uint8_t>(129 + random.below(7)), random.bytes(random.below(24))};
    const auto parsed = parse_from_agent(frame);
    // Unknown error codes are read as `internal`, so that one type is left out.
    if (parsed.ok() && parsed.value() && frame.type != 135) {
      CHECK(encode(*parsed.value()).payload == frame.payload);
    }
    frame.type = static_cast<std::uint8_t>(1 + random.below(6));
    (void)parse_to_agent(frame);
  }
}

TEST_CASE("what does not fit a frame is known before") {
  CHECK(fits(Stage{false, std::vector<std::string>(limits::kStageArgumentsMax, "x")}));
  CHECK_FALSE(fits(Stage{false, std::vector<std::string>(limits::kStageArgumentsMax + 1, "x")}));
  CHECK_FALSE(fits(Stage{false, {std::string(65'536, 'x')}}));
  CHECK_FALSE(fits(Variable{std::string(40'000, 'x'), std::string(40'000, 'x')}));
  CHECK(
      fits(PutFile{false, false, std::string(255, 'p'), Bytes(limits::kGuestChunkBytesMax, 'x')}));
  for (std::size_t size = 65'400; size < 65'600; ++size) {
    const ToAgent message = Stdin{Bytes(size, 'x')};
    if (!fits(message)) continue;
    CHECK(kFrameHeaderBytes + encode(message).payload.size() <= limits::kGuestFrameBytesMax);
  }
}

TEST_CASE("file paths stay below the work directory") {
  for (const char* path : {"a", "a/b/c", ".hidden", "a..b", "...", "a/.b"}) {
    CAPTURE(path);
    CHECK(is_relative_path(path));
  }
  for (const char* path :
       {"", "/", "/a", "a/", "a//b", ".", "..", "a/..", "../a", "a/./b", "./a"}) {
    CAPTURE(path);
    CHECK_FALSE(is_relative_path(path));
  }
  CHECK_FALSE(is_relative_path(std::string("a\0b", 3)));
  CHECK(is_relative_path(std::string(255, 'a')));
  CHECK_FALSE(is_relative_path(std::string(256, 'a')));
}
