// SPDX-License-Identifier: Apache-2.0
#include "crypto/ed25519.h"

#include <doctest/doctest.h>

using namespace sandtrail;

TEST_CASE("ed25519: the examples of RFC 8032 section 7.1") {
  const struct {
    const char *seed, *public_key, *message, *signature;
  } rows[] = {
      {"9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60",
       "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a", "",
       "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701c"
       "f9b46bd25bf5f0595bbe24655141438e7a100b"},
      {"4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb",
       "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c", "72",
       "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d0"
       "f11d8c387b2eaeb4302aeeb00d291612bb0c00"},
      {"c5aa8df43f9f837bedb7442f31dcb7b166d38535076f094b85ce3a2e0b4458f7",
       "fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025", "af82",
       "6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac18ff9b538d16f290ae67f760984"
       "dc6594a7c15e9716ed28dc027beceea1ec40a"},
  };
  for (const auto& row : rows) {
    const auto key = Ed25519Key::from_seed(SecretBytes(*unhex(row.seed)));
    REQUIRE(key.ok());
    CHECK(hex(key->public_key()) == row.public_key);
    CHECK(hex(key->sign(*unhex(row.message))) == row.signature);
    CHECK(ed25519_verify(key->public_key(), *unhex(row.message), *unhex(row.signature)));
  }
}

TEST_CASE("ed25519: wrong signatures, messages, keys and lengths do not verify") {
  const auto key = Ed25519Key::from_seed(SecretBytes(Bytes(32, 'k')));
  const auto other = Ed25519Key::from_seed(SecretBytes(Bytes(32, 'o')));
  REQUIRE(key.ok());
  REQUIRE(other.ok());
  const Bytes signature = key->sign("message");
  CHECK(ed25519_verify(key->public_key(), "message", signature));
  CHECK_FALSE(ed25519_verify(key->public_key(), "Message", signature));
  CHECK_FALSE(ed25519_verify(other->public_key(), "message", signature));
  CHECK_FALSE(ed25519_verify("", "message", signature));
  CHECK_FALSE(ed25519_verify(key->public_key() + "x", "message", signature));
  CHECK_FALSE(ed25519_verify(key->public_key(), "message", ""));
  CHECK_FALSE(ed25519_verify(key->public_key(), "message", signature + "x"));
  for (std::size_t i = 0; i < signature.size(); ++i) {
    Bytes changed = signature;
    changed[i] = static_cast<char>(changed[i] ^ 1);
    CHECK_FALSE(ed25519_verify(key->public_key(), "message", changed));
  }
  for (const std::size_t size : {0u, 31u, 33u}) {
    CHECK(Ed25519Key::from_seed(SecretBytes(Bytes(size, 'k'))).error().code ==
          ErrorCode::invalid_argument);
  }
}
