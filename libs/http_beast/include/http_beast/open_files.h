// SPDX-License-Identifier: Apache-2.0
// A connection is an open file, and a process that has none left cannot open its stores either.
#pragma once

#include <cstddef>
#include <cstdint>

namespace sandtrail::http {

// Raises the process's soft limit of open files to the hard one, if it may. The soft default of
// 1024 is for programs that use select().
void raise_open_files();

// How many connections a server serves at once that is set to `configured`, in a process that may
// have `nofile` open files: it leaves limits::kDescriptorsReserved to the rest of the process, or
// half of them if there are fewer than twice as many.
std::size_t connections_allowed(std::size_t configured, std::uint64_t nofile);

}  // namespace sandtrail::http
