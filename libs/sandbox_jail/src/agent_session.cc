// SPDX-License-Identifier: Apache-2.0
#include "sandbox_jail/agent_session.h"

#include <algorithm>
#include <utility>

#include "base/limits.h"

namespace sandtrail {
namespace {

constexpr std::string_view kCompile = "compile";

Error broken_protocol(const char* message) {
  return Error{ErrorCode::corrupt, std::string("guest agent: ") + message, ""};
}

}  // namespace

AgentSession::AgentSession(const SandboxSpec& spec, std::int64_t launched_us)
    : limits_(spec.limits), launched_us_(launched_us) {
  for (const auto& stage : spec.stages) stage_names_.push_back(stage.name);
}

bool AgentSession::on_bytes(BytesView bytes, std::int64_t now_us) {
  decoder_.push(bytes);
  bool started = false;
  while (!exited_ && !broken_) {
    auto frame = decoder_.next();
    if (!frame.ok()) {
      fail(frame.error());
      break;
    }
    if (!frame.value()) break;
    auto message = guest::parse_from_agent(*frame.value());
    if (!message.ok()) {
      fail(message.error());
    } else if (message.value()) {
      started = on_message(*message.value(), now_us) || started;
    }
  }
  return started;
}

bool AgentSession::on_message(const guest::FromAgent& message, std::int64_t now_us) {
  if (const auto* ready = std::get_if<guest::Ready>(&message)) {
    if (ready->version != guest::kVersion) fail(broken_protocol("other version"));
  } else if (const auto* started = std::get_if<guest::Started>(&message)) {
    return on_started(*started, now_us);
  } else if (const auto* out = std::get_if<guest::Out>(&message)) {
    on_output(out->stream, out->content, 0);
  } else if (const auto* total = std::get_if<guest::Total>(&message)) {
    on_output(total->stream, {}, total->bytes);
  } else if (const auto* done = std::get_if<guest::StageDone>(&message)) {
    on_stage_done(*done, now_us);
  } else if (std::holds_alternative<guest::Exited>(message)) {
    on_exited(now_us);
  } else if (const auto* failed = std::get_if<guest::Failed>(&message)) {
    fail(Error{failed->code, "guest agent: " + std::string(utf8_prefix(failed->message, 256)), ""});
  }
  return false;
}

bool AgentSession::on_started(const guest::Started& message, std::int64_t now_us) {
  const std::size_t next = stage_ ? *stage_ + 1 : 0;
  const bool after_success = !stage_ || (!stage_running_ && exit_.exit_code == 0);
  if (message.stage != next || next >= stage_names_.size() || !after_success) {
    fail(broken_protocol("a stage started out of turn"));
    return false;
  }
  const bool first = !stage_;
  stage_ = next;
  stage_running_ = true;
  stage_started_us_ = now_us;
  exit_.stage = stage_names_[next];
  exit_.exit_code.reset();
  if (first) {
    started_us_ = now_us;
    exit_.timings.boot_us = now_us - launched_us_;
  }
  return first;
}

void AgentSession::on_stage_done(const guest::StageDone& message, std::int64_t now_us) {
  if (!stage_running_ || message.stage != *stage_) {
    fail(broken_protocol("a stage ended out of turn"));
    return;
  }
  stage_running_ = false;
  if (message.signaled) {
    exit_.signal = message.value;
  } else {
    exit_.exit_code = message.value;
  }
  auto& span = exit_.stage == kCompile ? exit_.timings.compile_us : exit_.timings.run_us;
  // Its start and its end may be heard of in one read; that it ran must still be seen.
  span += std::max<std::int64_t>(now_us - stage_started_us_, 1);
}

SandboxOutput& AgentSession::output(guest::Stream stream) {
  return stream == guest::Stream::out ? exit_.out : exit_.err;
}

void AgentSession::on_output(guest::Stream stream, BytesView content, std::int64_t claimed_total) {
  if (!stage_) {
    fail(broken_protocol("output before a stage"));
    return;
  }
  auto& output = this->output(stream);
  const auto kept_max = static_cast<std::size_t>(std::max<std::int64_t>(0, limits_.output_bytes));
  auto& received = stream == guest::Stream::out ? out_received_bytes_ : err_received_bytes_;
  received += static_cast<std::int64_t>(content.size());
  const std::size_t offset = output.kept.size();
  // Once it is past the cap by the agent's word, nothing more of it counts as kept.
  if (!output.truncated) output.kept += content.substr(0, kept_max - offset);
  output.total_bytes = std::max({output.total_bytes, received, claimed_total});
  if (output.kept.size() > offset) note_piece({stream, offset, output.kept.size() - offset});
  const bool truncated = output.total_bytes > static_cast<std::int64_t>(output.kept.size());
  if (truncated && !std::exchange(output.truncated, true)) {
    note_piece({stream, output.kept.size(), 0});
  }
  if (output.total_bytes > limits_.output_flood_bytes) stop(KillReason::output_flood);
}

// Neighbours of one stream become one piece.
void AgentSession::note_piece(const Piece& piece) {
  const bool joins = !pieces_.empty() && pieces_.back().stream == piece.stream &&
                     pieces_.back().bytes > 0 && piece.bytes > 0;
  if (joins) {
    pieces_.back().bytes += piece.bytes;
  } else {
    pieces_.push_back(piece);
  }
}

std::vector<AgentSession::Piece> AgentSession::take_pieces() {
  return std::exchange(pieces_, {});
}

BytesView AgentSession::bytes_of(const Piece& piece) const {
  const auto& output = piece.stream == guest::Stream::out ? exit_.out : exit_.err;
  return BytesView(output.kept).substr(piece.offset, piece.bytes);
}

void AgentSession::on_exited(std::int64_t now_us) {
  const bool ended = stage_ && !stage_running_;
  const bool last = ended && (exit_.exit_code != 0 || *stage_ + 1 == stage_names_.size());
  if (!last) {
    fail(broken_protocol("the program ended out of turn"));
    return;
  }
  exited_ = true;
  ended_us_ = now_us;
}

void AgentSession::on_time(std::int64_t now_us) {
  if (doomed() || exited_ || now_us < deadline_us()) return;
  if (stage_) {
    stop(KillReason::wall_time);
  } else {
    fail(Error{ErrorCode::timeout, "the sandbox did not start in time", ""});
  }
}

std::int64_t AgentSession::deadline_us() const {
  if (doomed() || exited_) return INT64_MAX;
  if (stage_) return started_us_ + limits_.wall_ms * 1000;
  return launched_us_ + limits::kSandboxBootTimeout.count * 1000;
}

void AgentSession::stop(KillReason reason) {
  if (!doomed() && !exited_) killed_ = reason;
}

void AgentSession::fail(Error error) {
  if (!doomed() && !exited_) broken_ = std::move(error);
}

SandboxExit AgentSession::finish(const HostFacts& facts, std::int64_t now_us) {
  const bool own_end = exited_;
  if (!exited_ && !doomed()) {
    // The kernel's side ended it, or nobody knows why.
    if (facts.error) {
      broken_ = facts.error;
    } else if (facts.killed != KillReason::none) {
      killed_ = facts.killed;
    } else if (facts.oom_kills == 0) {
      broken_ = Error{ErrorCode::internal, "the guest agent ended without a report", ""};
    }
  } else if (facts.killed == KillReason::process_flood && !doomed()) {
    killed_ = facts.killed;
  }
  if (facts.lost) broken_ = facts.error;
  exit_.killed = killed_;
  exit_.broken = broken_;
  // A stage that was cut off has no end of its own.
  if (!own_end && stage_running_) {
    auto& span = exit_.stage == kCompile ? exit_.timings.compile_us : exit_.timings.run_us;
    span += now_us - stage_started_us_;
  }
  if (stage_) exit_.usage.wall_us = (own_end ? ended_us_ : now_us) - started_us_;
  exit_.usage.cpu_us = facts.cpu_us;
  exit_.usage.memory_peak_bytes = facts.memory_peak_bytes;
  exit_.oom_kills = facts.oom_kills;
  exit_.process_limit_hits = facts.process_limit_hits;
  return std::move(exit_);
}

}  // namespace sandtrail
