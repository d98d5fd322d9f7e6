// SPDX-License-Identifier: Apache-2.0
// The messages of the agent protocol, version 1. Pure.
//
// Host: Hello, then any PutFile, Variable, Stage and Stdin, then Run; nothing after that. Agent:
// Ready at once; after Run, for each stage Started, any Out and Total, StageDone; and as the last
// message Exited, or Error at any point. A sandbox is killed from outside, never by message.
// Fields are in the order of the structs; strings are u16 length and bytes, the last field of bytes
// runs to the end of the payload.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "base/bytes.h"
#include "base/result.h"
#include "guest/frame.h"

namespace sandtrail::guest {

inline constexpr std::uint32_t kVersion = 1;

// --- host to agent ---
struct Hello {
  std::uint32_t version = kVersion;
};
// One piece of a file below the work directory; `more` pieces of the same file follow in order.
struct PutFile {
  bool executable = false;
  bool append = false;  // not its first piece
  std::string path;     // relative, no "." or ".." or empty part
  Bytes content;        // at most limits::kGuestChunkBytesMax
};
struct Variable {
  std::string name;
  std::string value;
};
struct Stage {
  bool takes_stdin = false;
  std::vector<std::string> argv;  // argv[0] is looked up in the PATH variable
};
struct Stdin {
  Bytes content;  // appended to what came before
};
struct Run {
  std::int64_t output_bytes = 0;        // kept of each stream
  std::int64_t output_flood_bytes = 0;  // of one stream; past it the agent kills the program
};
using ToAgent = std::variant<Hello, PutFile, Variable, Stage, Stdin, Run>;

// --- agent to host ---
struct Ready {
  std::uint32_t version = kVersion;
};
struct Started {
  std::uint8_t stage = 0;  // index
};
enum class Stream : std::uint8_t { out = 1, err = 2 };
struct Out {
  Stream stream = Stream::out;
  Bytes content;
};
// What the program has written to a stream so far. Sent when bytes are dropped for the first time,
// each limits::kGuestTotalStepBytes after that, and before the last StageDone.
struct Total {
  Stream stream = Stream::out;
  std::int64_t bytes = 0;
};
struct StageDone {
  std::uint8_t stage = 0;
  bool signaled = false;
  std::uint8_t value = 0;  // exit code or signal number
};
struct Exited {};
struct Failed {
  ErrorCode code = ErrorCode::internal;
  std::string message;
};
using FromAgent = std::variant<Ready, Started, Out, Total, StageDone, Exited, Failed>;

// True if the payload of `message` fits a frame.
bool fits(const ToAgent& message);
Frame encode(const ToAgent& message);  // asserts fits()
Frame encode(const FromAgent& message);

// nullopt: a type this version does not know, to be skipped. corrupt: a known type with a wrong
// payload.
Result<std::optional<ToAgent>> parse_to_agent(const Frame& frame);
Result<std::optional<FromAgent>> parse_from_agent(const Frame& frame);

// True for paths PutFile may name.
bool is_relative_path(std::string_view path);

}  // namespace sandtrail::guest
