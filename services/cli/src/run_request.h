// SPDX-License-Identifier: Apache-2.0
// The body of POST /v1/executions from the options of `run`.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "session.h"

namespace sandtrail::cli {

struct RunOptions {
  std::string file;
  std::string code;
  std::string language;
  std::string input;  // --stdin: a path, or "-"
  std::vector<std::string> files;
  std::vector<std::string> variables;
  std::vector<std::string> arguments;
  std::vector<std::string> metadata;
  std::string thread;
  std::string callback_url;
  std::string retention;
  std::string idempotency_key;
  std::optional<std::int64_t> wall_ms, memory_mib, cpu_millis, processes, disk_mib, output_bytes;
  std::optional<std::int64_t> max_attempts;
  std::optional<std::int64_t> wait_seconds;
  bool no_wait = false;
};

// The language of a file by its suffix, or "".
std::string language_of(const std::string& path);

// invalid_argument says what is wrong with the options; errors of files as base/file.h. Contents
// that are not UTF-8 go in base64.
Result<json::value> run_body(Session& session, const RunOptions& options);

}  // namespace sandtrail::cli
