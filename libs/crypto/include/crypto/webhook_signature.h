// SPDX-License-Identifier: Apache-2.0
// Standard Webhooks 1.0.0, scheme v1 (symmetric):
// https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/bytes.h"
#include "base/result.h"
#include "crypto/secret.h"

namespace sandtrail {

inline constexpr std::size_t kWebhookSecretBytesMin = 24;
inline constexpr std::size_t kWebhookSecretBytesMax = 64;

// The bytes of "whsec_" + standard base64 of 24 to 64 bytes; else invalid_argument, whose message
// does not repeat the text.
Result<SecretBytes> parse_webhook_secret(std::string_view text);
// The inverse, to be shown to the owner once.
std::string webhook_secret_text(const SecretBytes& secret);

// One item of the webhook-signature header: "v1," + base64(HMAC-SHA256(id.timestamp.body)).
// Several items (old and new secret during a rotation) are joined by one space.
// `id` is the webhook-id header, which must not be empty or contain '.' (asserted: the receiver
// could not tell it from the timestamp); `timestamp_s` is the webhook-timestamp header, the Unix
// time of this attempt in seconds; `body` the exact bytes sent. Thread-safe.
std::string sign_webhook(const SecretBytes& secret, std::string_view id, std::int64_t timestamp_s,
                         BytesView body);

}  // namespace sandtrail
