// SPDX-License-Identifier: Apache-2.0
// The files a program starts with. Written inside the sandbox, as the program's uid, before
// anything of it runs.
#pragma once

#include "base/fd.h"
#include "base/result.h"
#include "guest/messages.h"

namespace sandtrail::agent {

// One piece of a file below `work` (a directory), with the directories on its way. Never follows a
// link and never leaves `work`.
Status put_file(int work, const guest::PutFile& file);

// Appends to the program's input, a memory file made at first use.
Status put_stdin(UniqueFd& input, BytesView content);
// A read-only descriptor on the start of the input; /dev/null if there is none.
UniqueFd open_stdin(const UniqueFd& input);

}  // namespace sandtrail::agent
