// SPDX-License-Identifier: Apache-2.0
// The packets between the service and sandtrail-jailer, over one SOCK_SEQPACKET pair. Pure.
//
// A packet is u8 type and the fields in the order of the structs below: big-endian integers,
// strings as u32 length and bytes. At most limits::kJailerPacketBytesMax. Both ends are ours and of
// one build, yet a packet that does not parse exactly is refused.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "base/bytes.h"
#include "base/result.h"
#include "jail/cgroup_format.h"

namespace sandtrail::jail {

inline constexpr std::uint32_t kJailerVersion = 1;
inline constexpr int kJailerFd = 3;  // the jailer's end
inline constexpr int kAgentFd = 3;   // the agent's end of its channel, inside the sandbox

// --- service to jailer ---
// Comes with one descriptor (SCM_RIGHTS): the agent's end of its channel.
struct LaunchJail {
  std::uint32_t id = 0;  // chosen by the service; named in every answer
  std::uint32_t slot = 0;
  std::int64_t deadline_ms = 0;  // killed this long after the launch, should the service not do so
  CgroupLimits limits;
  std::int64_t disk_bytes = 0;
  std::string name;  // is_owned_name()
};
struct KillJail {
  std::uint32_t id = 0;
};
struct ListJails {};
struct ReapJail {
  std::string name;
};
using ToJailer = std::variant<LaunchJail, KillJail, ListJails, ReapJail>;

// --- jailer to service ---
// First packet. After an error the jailer ends.
struct JailerReady {
  std::uint32_t version = kJailerVersion;
  std::optional<Error> error;
  std::vector<std::string> controls;
  std::vector<std::string> controls_missing;
};
enum class JailerKill : unsigned char { none, process_flood, out_of_memory, deadline };
// After every process is gone and the cgroups are removed.
struct JailEnded {
  std::uint32_t id = 0;
  JailerKill kill = JailerKill::none;  // the jailer's own reason
  std::optional<Error> error;          // set-up or removal failed
  CgroupUsage usage;
};
struct JailsListed {
  std::vector<std::string> names;  // at most limits::kOwnedNamesMax
};
struct JailReaped {
  std::string name;
  std::optional<Error> error;
};
using FromJailer = std::variant<JailerReady, JailEnded, JailsListed, JailReaped>;

Bytes encode(const ToJailer& message);
Bytes encode(const FromJailer& message);
std::optional<ToJailer> parse_to_jailer(BytesView packet);
std::optional<FromJailer> parse_from_jailer(BytesView packet);

}  // namespace sandtrail::jail
