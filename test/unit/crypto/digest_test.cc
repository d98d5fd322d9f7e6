// SPDX-License-Identifier: Apache-2.0
#include "crypto/digest.h"

#include <doctest/doctest.h>

#include <thread>
#include <vector>

#include "crypto/hkdf.h"

using namespace sandtrail;

TEST_CASE("sha256: the examples of FIPS 180-4") {
  const struct {
    Bytes data;
    const char* digest;
  } rows[] = {
      {"", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"},
      {"abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"},
      {"abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
       "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1"},
      {Bytes(1'000'000, 'a'), "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0"},
  };
  for (const auto& row : rows) {
    CHECK(hex(sha256(row.data)) == row.digest);
    Sha256 pieces;
    for (std::size_t i = 0; i < row.data.size(); i += 1000) {
      pieces.update(BytesView(row.data).substr(i, 1000));
    }
    CHECK(hex(pieces.finish()) == row.digest);
  }
  CHECK(sha256_of({"a", "", "bc"}) == sha256("abc"));
}

TEST_CASE("sha256: finishing starts anew, and moving carries the state") {
  Sha256 a;
  a.update("ab");
  Sha256 b = std::move(a);
  b.update("c");
  CHECK(b.finish() == sha256("abc"));
  CHECK(b.finish() == sha256(""));
}

TEST_CASE("sha256: threads do not disturb each other") {
  const Bytes expected = sha256("same");
  std::vector<int> wrong(4, 0);
  std::vector<std::thread> threads;
  for (std::size_t t = 0; t < wrong.size(); ++t) {
    threads.emplace_back([&, t] {
      for (int i = 0; i < 2000; ++i) wrong[t] += sha256_of({"sa", "me"}) == expected ? 0 : 1;
    });
  }
  for (auto& thread : threads) thread.join();
  CHECK(wrong == std::vector<int>(4, 0));
}

TEST_CASE("hmac_sha256: RFC 4231 section 4") {
  const struct {
    Bytes key, data;
    const char* mac;
  } rows[] = {
      {Bytes(20, '\x0b'), "Hi There",
       "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7"},
      {"Jefe", "what do ya want for nothing?",
       "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"},
      {Bytes(20, '\xaa'), Bytes(50, '\xdd'),
       "773ea91e36800e46854db8ebd09181a72959098b3ef8c122d9635514ced565fe"},
      {Bytes(131, '\xaa'), "Test Using Larger Than Block-Size Key - Hash Key First",
       "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54"},
      {"", "", "b613679a0814d9ec772f95d778c35fc5ff1697c493715653c6c712144292c5ad"},
  };
  for (const auto& row : rows) CHECK(hex(hmac_sha256(row.key, row.data)) == row.mac);
  // The key of an earlier call must not stick.
  CHECK(hex(hmac_sha256({}, {})) == rows[4].mac);
}

TEST_CASE("hkdf_sha256: RFC 5869 appendix A") {
  const auto derive = [](const char* secret, const char* salt, const char* info, std::size_t size) {
    const SecretBytes key(*unhex(secret));
    return hex(hkdf_sha256(key, *unhex(salt), *unhex(info), size).view());
  };
  CHECK(derive("0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b", "000102030405060708090a0b0c",
               "f0f1f2f3f4f5f6f7f8f9", 42) ==
        "3cb25f25faacd57a90434f64d0362f2a2d2d0a90cf1a5a4c5db02d56ecc4c5bf34007208d5b887185865");
  std::string secret;
  std::string salt;
  std::string info;
  for (int i = 0; i < 0x50; ++i) {
    secret += static_cast<char>(i);
    salt += static_cast<char>(0x60 + i);
    info += static_cast<char>(0xb0 + i);
  }
  CHECK(derive(hex(secret).c_str(), hex(salt).c_str(), hex(info).c_str(), 82) ==
        "b11e398dc80327a1c8e7f78c596a49344f012eda2d4efad8a050cc4c19afa97c59045a99cac7827271cb41c65e"
        "590e09da3275600c2f09b8367793a9aca3db71cc30c58179ec3e87c14c01d5c1f3434f1d87");
  CHECK(derive("0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b", "", "", 42) ==
        "8da4e775a563c18f715f802a063c5a31b8a11f5c5ee1879ec3454e5f3c738d2d9d201395faa4b61a96c8");
}
