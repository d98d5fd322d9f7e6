// SPDX-License-Identifier: Apache-2.0
// Giving a process another store: what was folded anew beside it takes the place of its own.
//
//   store/       what the process uses
//   store.new/   what it takes at its next start: whole whenever it is there
//   store.old/   what it had, until the other one is in place
#pragma once

#include <string>

#include "base/result.h"

namespace sandtrail {

// `store`, a closed one in the same file system, becomes store.new. Durable on return.
Status offer_rebuilt_store(const std::string& data_directory, const std::string& store);

// Takes what was offered, if anything; also after a crash half-way. While nobody has the store
// open.
Status take_rebuilt_store(const std::string& data_directory);

}  // namespace sandtrail
