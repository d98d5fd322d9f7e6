// SPDX-License-Identifier: Apache-2.0
// What the service tells its jailer at start.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

namespace sandtrail::jailer {

struct Options {
  std::string agent_path;
  std::string instance = "sandtrail";
  int slots = 1;
  std::uint32_t uid_base = 200'000;
};

// sandtrail-jailer AGENT_PATH INSTANCE SLOTS UID_BASE; nullopt if it is anything else, with slots
// of 1 to limits::kJailSlotsMax and an instance that can name a directory.
std::optional<Options> parse_options(int argc, char** argv);

}  // namespace sandtrail::jailer
