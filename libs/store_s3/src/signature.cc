// SPDX-License-Identifier: Apache-2.0
#include "signature.h"

#include <algorithm>

#include "crypto/digest.h"

namespace sandtrail::s3 {
namespace {

constexpr std::string_view kAlgorithm = "AWS4-HMAC-SHA256";

// Trimmed, and each run of spaces as one.
std::string canonical_value(std::string_view value) {
  std::string out;
  for (const char c : value) {
    if (c != ' ') {
      out += c;
    } else if (!out.empty() && out.back() != ' ') {
      out += ' ';
    }
  }
  if (!out.empty() && out.back() == ' ') out.pop_back();
  return out;
}

Headers sorted(Headers headers) {
  std::sort(headers.begin(), headers.end());
  return headers;
}

std::string signed_names(const Headers& headers) {
  std::string out;
  for (const auto& [name, value] : sorted(headers)) out += (out.empty() ? "" : ";") + name;
  return out;
}

// Each key of the chain signs as well as the secret itself, within its scope.
Bytes derived(Bytes key, std::string_view data) {
  Bytes out = hmac_sha256(key, data);
  wipe(key);
  return out;
}

Bytes signing_key(const Signer& signer, std::string_view day) {
  Bytes secret = "AWS4";
  secret.reserve(secret.size() + signer.secret_access_key.size());  // no copy left behind
  secret += signer.secret_access_key.view();
  Bytes key = hmac_sha256(secret, day);
  wipe(secret);
  key = derived(std::move(key), signer.region);
  key = derived(std::move(key), signer.service);
  return derived(std::move(key), "aws4_request");
}

}  // namespace

std::string amz_date(UnixMs time) {
  std::string text = rfc3339(time);
  text.resize(text.find('.'));
  std::erase_if(text, [](char c) { return c == '-' || c == ':'; });
  return text + "Z";
}

std::string canonical_request(const RequestToSign& request) {
  std::string out = request.method + "\n" + request.path + "\n" + request.query + "\n";
  for (const auto& [name, value] : sorted(request.headers)) {
    out += name + ":" + canonical_value(value) + "\n";
  }
  return out + "\n" + signed_names(request.headers) + "\n" + request.payload_sha256;
}

std::string authorization(const RequestToSign& request, const Signer& signer,
                          std::string_view date) {
  const std::string_view day = date.substr(0, 8);
  const std::string scope =
      std::string(day) + "/" + signer.region + "/" + signer.service + "/aws4_request";
  const std::string to_sign = std::string(kAlgorithm) + "\n" + std::string(date) + "\n" + scope +
                              "\n" + hex(sha256(canonical_request(request)));
  Bytes key = signing_key(signer, day);
  const std::string signature = hex(hmac_sha256(key, to_sign));
  wipe(key);
  return std::string(kAlgorithm) + " Credential=" + signer.access_key_id + "/" + scope +
         ", SignedHeaders=" + signed_names(request.headers) + ", Signature=" + signature;
}

std::string percent_encode_path(std::string_view text) {
  static constexpr std::string_view kDigits = "0123456789ABCDEF";
  std::string out;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    const bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                       std::string_view("-._~/").find(c) != std::string_view::npos;
    if (plain) {
      out += c;
    } else {
      out += {'%', kDigits[byte >> 4], kDigits[byte & 15]};
    }
  }
  return out;
}

}  // namespace sandtrail::s3
