// SPDX-License-Identifier: Apache-2.0
#include "crypto/webhook_signature.h"

#include "base/assert.h"
#include "crypto/digest.h"

namespace sandtrail {
namespace {

constexpr std::string_view kPrefix = "whsec_";

}  // namespace

Result<SecretBytes> parse_webhook_secret(std::string_view text) {
  const Error malformed{ErrorCode::invalid_argument, "malformed webhook secret",
                        "expected whsec_ and the base64 of 24 to 64 random bytes"};
  if (!text.starts_with(kPrefix)) return malformed;
  auto bytes = unbase64(text.substr(kPrefix.size()));
  if (!bytes) return malformed;
  SecretBytes secret = SecretBytes::take(*bytes);
  if (secret.size() < kWebhookSecretBytesMin) return malformed;
  if (secret.size() > kWebhookSecretBytesMax) return malformed;
  return secret;
}

std::string webhook_secret_text(const SecretBytes& secret) {
  return std::string(kPrefix) + base64(secret.view());
}

std::string sign_webhook(const SecretBytes& secret, std::string_view id, std::int64_t timestamp_s,
                         BytesView body) {
  ST_ASSERT(!id.empty() && id.find('.') == std::string_view::npos);
  Bytes content;
  content.reserve(id.size() + 22 + body.size());
  content += id;
  content += '.';
  content += std::to_string(timestamp_s);
  content += '.';
  content += body;
  return "v1," + base64(hmac_sha256(secret.view(), content));
}

}  // namespace sandtrail
