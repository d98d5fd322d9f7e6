// SPDX-License-Identifier: Apache-2.0
#include "secrets.h"

#include "crypto/secret.h"

namespace sandtrail::gateway {
namespace {

constexpr std::size_t kSecretBytes = 32;

}  // namespace

std::string make_webhook_secret(Random& random) {
  Bytes secret = random.bytes(kSecretBytes);
  std::string text = "whsec_" + base64(secret);
  wipe(secret);
  return text;
}

}  // namespace sandtrail::gateway
