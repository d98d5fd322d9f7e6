// SPDX-License-Identifier: Apache-2.0
#include "crypto/webhook_signature.h"

#include <doctest/doctest.h>

using namespace sandtrail;

TEST_CASE("webhook signatures: the published vector of Standard Webhooks") {
  const auto secret = parse_webhook_secret("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw");
  REQUIRE(secret.ok());
  CHECK(sign_webhook(*secret, "msg_p5jXN8AQM9LWM0D4loKWxJek", 1614265330,
                     R"({"test": 2432232314})") ==
        "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=");
  CHECK(webhook_secret_text(*secret) == "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw");
}

TEST_CASE("webhook signatures: id, time, body and secret all count") {
  const SecretBytes secret(Bytes(24, 's'));
  const std::string base = sign_webhook(secret, "msg", 1, "body");
  CHECK(sign_webhook(secret, "msg2", 1, "body") != base);
  CHECK(sign_webhook(secret, "msg", 2, "body") != base);
  CHECK(sign_webhook(secret, "msg", 1, "body ") != base);
  CHECK(sign_webhook(SecretBytes(Bytes(24, 't')), "msg", 1, "body") != base);
}

TEST_CASE("webhook secrets: only whsec_ and 24 to 64 bytes of base64 are taken") {
  const struct {
    std::string text;
    bool good;
  } rows[] = {
      {"whsec_" + base64(Bytes(24, 'x')), true},
      {"whsec_" + base64(Bytes(64, 'x')), true},
      {"whsec_" + base64(Bytes(23, 'x')), false},
      {"whsec_" + base64(Bytes(65, 'x')), false},
      {"whsec_", false},
      {"", false},
      {base64(Bytes(24, 'x')), false},
      {"WHSEC_" + base64(Bytes(24, 'x')), false},
      {"whsec_" + base64(Bytes(24, 'x')) + "\n", false},
      {"whsec_" + std::string(32, '-'), false},
  };
  for (const auto& row : rows) {
    CAPTURE(row.text);
    const auto secret = parse_webhook_secret(row.text);
    CHECK(secret.ok() == row.good);
    if (secret.ok()) {
      CHECK(webhook_secret_text(*secret) == row.text);
    } else {
      CHECK(secret.error().code == ErrorCode::invalid_argument);
      // Nothing of what may be a real secret with a typing error.
      CHECK(secret.error().text().find("eHh4") == std::string::npos);
    }
  }
}
