// SPDX-License-Identifier: Apache-2.0
// The host's view of one sandbox: what its agent says, checked, and what the host decided. Pure: no
// I/O, no clock. Everything from the agent is a claim; limits, times and kills are the host's.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "guest/messages.h"
#include "sandbox/driver.h"

namespace sandtrail {

// The frames that make an agent run `spec`. invalid_argument: something does not fit the protocol.
Result<Bytes> encode_orders(const SandboxSpec& spec);

// Not thread-safe. All times are microseconds of one monotonic clock.
class AgentSession {
 public:
  AgentSession(const SandboxSpec& spec, std::int64_t launched_us);

  // Bytes from the agent, in order. True if the program has just started.
  bool on_bytes(BytesView bytes, std::int64_t now_us);
  // What has come of the streams since the last call, cut to what is kept, in the order it came.
  struct Piece {
    guest::Stream stream = guest::Stream::out;
    std::size_t offset = 0;
    std::size_t bytes = 0;  // 0: once, the program wrote past the cap
  };
  std::vector<Piece> take_pieces();
  BytesView bytes_of(const Piece& piece) const;  // valid until on_bytes()
  // Ends the sandbox if its time is up.
  void on_time(std::int64_t now_us);
  // The first reason counts; none after the agent's last message.
  void stop(KillReason reason);
  void fail(Error error);

  // When on_time() is due at the latest.
  std::int64_t deadline_us() const;
  // True once the sandbox is to be killed.
  bool doomed() const { return killed_ != KillReason::none || broken_.has_value(); }

  // What the host's side (kernel, cgroup) knows of the end.
  struct HostFacts {
    KillReason killed = KillReason::none;  // decided below this session
    std::optional<Error> error;
    bool lost = false;  // nobody watched the end: `error` says why, and no claim counts
    std::int64_t cpu_us = 0;
    std::int64_t memory_peak_bytes = 0;
    std::int64_t oom_kills = 0;
    std::int64_t process_limit_hits = 0;
  };
  // The result, once every process is gone. Call once.
  SandboxExit finish(const HostFacts& facts, std::int64_t now_us);

 private:
  bool on_message(const guest::FromAgent& message, std::int64_t now_us);
  bool on_started(const guest::Started& message, std::int64_t now_us);
  void on_stage_done(const guest::StageDone& message, std::int64_t now_us);
  void on_output(guest::Stream stream, BytesView content, std::int64_t claimed_total);
  void note_piece(const Piece& piece);
  void on_exited(std::int64_t now_us);
  SandboxOutput& output(guest::Stream stream);

  SandboxLimits limits_;
  std::vector<std::string> stage_names_;
  std::int64_t launched_us_;
  guest::FrameDecoder decoder_;
  std::optional<std::size_t> stage_;  // the one that runs or ran last
  bool stage_running_ = false;
  bool exited_ = false;
  std::int64_t out_received_bytes_ = 0;
  std::int64_t err_received_bytes_ = 0;
  std::vector<Piece> pieces_;
  std::int64_t started_us_ = 0;  // of the first stage
  std::int64_t stage_started_us_ = 0;
  std::int64_t ended_us_ = 0;
  KillReason killed_ = KillReason::none;
  std::optional<Error> broken_;
  SandboxExit exit_;
};

}  // namespace sandtrail
