// SPDX-License-Identifier: Apache-2.0
// That all who share a key store have the same root key: a reserved entry of it holds a digest that
// tells root keys apart without telling anything of them.
#pragma once

#include <string>

#include "base/clock.h"
#include "crypto/secret.h"
#include "store/key_store.h"

namespace sandtrail {

// No data key has this id, and whoever looks for keys that nothing uses passes it by.
const DataKeyId& root_check_id();

// 32 hex digits.
std::string root_check_text(const SecretBytes& root);

// Conflict: not the key that the data is under.
Error other_root_key(const std::string& key_path);

enum class NoRootCheck {
  make,    // nothing was ever stored
  accept,  // others make it: nothing to compare with yet
  lost,    // it was there
};

// Compares `text`, as above, with the entry; true if there is one. Without one: see `missing`.
// Conflict: as above, or what was stored is gone. Whatever else the store says, a retryable error
// as long as it is away. Blocks.
Result<bool> check_root_key(const std::string& text, const std::string& key_path, KeyStore& store,
                            NoRootCheck missing, const Clock& clock);

}  // namespace sandtrail
