// SPDX-License-Identifier: Apache-2.0
#include "crypto/aead.h"

#include <doctest/doctest.h>

#include <set>

using namespace sandtrail;

namespace {

// Counts up from 100.
class CountingRandom final : public Random {
 public:
  void fill(char* out, std::size_t count) override {
    for (std::size_t i = 0; i < count; ++i) out[i] = static_cast<char>(100 + i);
  }
};

SecretBytes test_key() {
  Bytes bytes;
  for (int i = 0; i < 32; ++i) bytes += static_cast<char>(i);
  return SecretBytes::take(bytes);
}

}  // namespace

TEST_CASE("seal: nonce, ciphertext and tag as another implementation computes them") {
  CountingRandom random;
  const Bytes sealed = seal(test_key(), "attack at dawn", "evt_1", random);
  CHECK(hex(sealed) ==
        "6465666768696a6b6c6d6e6f"
        "2d6daa3948df25c30e258027a2b30742853011a81b");
}

TEST_CASE("seal: test case 16 of the GCM specification opens") {
  const SecretBytes key(*unhex("feffe9928665731c6d6a8f9467308308feffe9928665731c6d6a8f9467308308"));
  const Bytes sealed = *unhex(
      "cafebabefacedbaddecaf888"
      "522dc1f099567d07f47f37a32a84427d643a8cdcbfe5c0c97598a2bd2555d1aa8cb08e48590dbb3da7b08b10"
      "56828838c5f61e6393ba7a0abcc9f662"
      "76fc6ece0f4e1768cddf8853bb2d551b");
  const Bytes aad = *unhex("feedfacedeadbeeffeedfacedeadbeefabaddad2");
  REQUIRE(open(key, aad, sealed).ok());
  CHECK(hex(*open(key, aad, sealed)) ==
        "d9313225f88406e5a55909c5aff5269a86a7a9531534f7da2e4c303d8a318a721c3c0c95956809532fcf0e24"
        "49a6b525b16aedf5aa0de657ba637b39");
}

TEST_CASE("seal: what was sealed opens, whatever its size") {
  SystemRandom random;
  const SecretBytes key = SecretBytes::random(kSealKeyBytes, random);
  for (const std::size_t size : {0u, 1u, 15u, 16u, 17u, 4096u, 100'000u}) {
    const Bytes plaintext = random.bytes(size);
    for (const Bytes& aad : {Bytes(), Bytes("place")}) {
      const Bytes sealed = seal(key, aad, plaintext, random);
      CHECK(sealed.size() == size + kSealOverheadBytes);
      const auto opened = open(key, aad, sealed);
      REQUIRE(opened.ok());
      CHECK(*opened == plaintext);
    }
  }
}

TEST_CASE("seal: nonces differ") {
  SystemRandom random;
  std::set<Bytes> nonces;
  for (int i = 0; i < 100; ++i) nonces.insert(seal(test_key(), "", "x", random).substr(0, 12));
  CHECK(nonces.size() == 100);
}

TEST_CASE("open: every other key, place, bit or length is corrupt") {
  SystemRandom random;
  const SecretBytes key = test_key();
  const Bytes sealed = seal(key, "place", "a secret message", random);
  const SecretBytes other = SecretBytes::random(kSealKeyBytes, random);
  const auto is_corrupt = [](const Result<Bytes>& result) {
    return !result.ok() && result.error().code == ErrorCode::corrupt;
  };
  CHECK(is_corrupt(open(other, "place", sealed)));
  CHECK(is_corrupt(open(key, "elsewhere", sealed)));
  CHECK(is_corrupt(open(key, "", sealed)));
  for (std::size_t i = 0; i < sealed.size() * 8; ++i) {
    Bytes changed = sealed;
    changed[i / 8] = static_cast<char>(changed[i / 8] ^ (1 << (i % 8)));
    CHECK(is_corrupt(open(key, "place", changed)));
  }
  for (std::size_t size = 0; size < sealed.size(); ++size) {
    CHECK(is_corrupt(open(key, "place", BytesView(sealed).substr(0, size))));
  }
  CHECK(is_corrupt(open(key, "place", sealed + '\0')));
}
