// SPDX-License-Identifier: Apache-2.0
// The two keys that stand in files. Everything else that is secret is wrapped under the first.
//
//   root key   0600  32 bytes in hex: without it nothing can be read
//   audit key  0600  the note key that signs checkpoints (PRIVATE+KEY+ form); its public half, for
//                    verifiers, stands beside it (0644) with .vkey in place of .key
#pragma once

#include <string>

#include "base/random.h"
#include "base/result.h"
#include "crypto/note.h"
#include "crypto/secret.h"

namespace sandtrail {

// What to do about a key file that is not there.
enum class MissingKey {
  make,    // nothing depends on it yet
  lost,    // there is data under it: it must come back from its backup
  shared,  // all processes of a cluster have the same one: a person makes it, once
};

Result<SecretBytes> open_root_key(const std::string& path, MissingKey missing, Random& random);
// `origin` is the name the key must be of. A key whose public half stands is lost, not missing.
Result<NoteSigner> open_audit_key(const std::string& path, const std::string& origin,
                                  MissingKey missing, Random& random);
std::string public_half_of(const std::string& audit_key_path);

}  // namespace sandtrail
