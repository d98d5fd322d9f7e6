// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include "base/limits.h"
#include "sandbox_jail/agent_session.h"

namespace sandtrail {
namespace {

// What a program may count on; the spec's own variables win.
constexpr std::pair<const char*, const char*> kEnvironment[] = {
    {"PATH", "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"},
    {"HOME", "/work"},
    {"TMPDIR", "/tmp"},
    {"LANG", "C.UTF-8"},
    {"USER", "sandbox"},
};

class Orders {
 public:
  Status add(const guest::ToAgent& message) {
    if (!guest::fits(message)) {
      return Error{ErrorCode::invalid_argument, "an argument or variable is too long", ""};
    }
    encoder_.put(out_, guest::encode(message));
    return {};
  }
  Bytes take() { return std::move(out_); }

 private:
  guest::FrameEncoder encoder_;
  Bytes out_;
};

// Calls `put` with each piece of at most a chunk; once for empty content.
template <typename Put>
Status in_chunks(const Bytes& content, Put put) {
  std::size_t at = 0;
  do {
    ST_CHECK_OK(put(content.substr(at, limits::kGuestChunkBytesMax), at > 0));
    at += limits::kGuestChunkBytesMax;
  } while (at < content.size());
  return {};
}

Status add_environment(Orders& orders, const SandboxSpec& spec) {
  const auto given = [&](const char* name) {
    return std::any_of(spec.environment.begin(), spec.environment.end(),
                       [&](const auto& variable) { return variable.first == name; });
  };
  for (const auto& [name, value] : kEnvironment) {
    if (!given(name)) ST_CHECK_OK(orders.add(guest::Variable{name, value}));
  }
  for (const auto& [name, value] : spec.environment) {
    const bool whole = name.find('\0') == std::string::npos &&
                       value.find('\0') == std::string::npos &&
                       name.find('=') == std::string::npos && !name.empty();
    if (!whole) {
      return Error{ErrorCode::invalid_argument, "an environment variable's name is malformed", ""};
    }
    ST_CHECK_OK(orders.add(guest::Variable{name, value}));
  }
  return {};
}

Status add_stages(Orders& orders, const SandboxSpec& spec) {
  if (spec.stages.empty() || spec.stages.size() > limits::kStagesMax) {
    return Error{ErrorCode::invalid_argument, "the number of stages is out of range", ""};
  }
  for (const auto& stage : spec.stages) {
    if (stage.argv.empty() || stage.argv[0].empty()) {
      return Error{ErrorCode::invalid_argument, "a stage has no program", ""};
    }
    for (const auto& argument : stage.argv) {
      if (argument.find('\0') != std::string::npos) {
        return Error{ErrorCode::invalid_argument, "an argument contains a NUL byte", ""};
      }
    }
    ST_CHECK_OK(orders.add(guest::Stage{stage.takes_stdin, stage.argv}));
  }
  return {};
}

}  // namespace

Result<Bytes> encode_orders(const SandboxSpec& spec) {
  Orders orders;
  ST_CHECK_OK(orders.add(guest::Hello{}));
  for (const auto& file : spec.files) {
    if (!guest::is_relative_path(file.path)) {
      return Error{ErrorCode::invalid_argument, "a file's path is not relative", ""};
    }
    ST_CHECK_OK(in_chunks(file.content, [&](Bytes piece, bool append) {
      return orders.add(guest::PutFile{file.executable, append, file.path, std::move(piece)});
    }));
  }
  ST_CHECK_OK(add_environment(orders, spec));
  ST_CHECK_OK(add_stages(orders, spec));
  if (!spec.stdin_bytes.empty()) {
    ST_CHECK_OK(in_chunks(spec.stdin_bytes, [&](Bytes piece, bool) {
      return orders.add(guest::Stdin{std::move(piece)});
    }));
  }
  ST_CHECK_OK(orders.add(guest::Run{spec.limits.output_bytes, spec.limits.output_flood_bytes}));
  return orders.take();
}

}  // namespace sandtrail
