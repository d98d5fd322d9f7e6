// SPDX-License-Identifier: Apache-2.0
#include "crypto/secret.h"

#include <doctest/doctest.h>

#include <type_traits>

using namespace sandtrail;

static_assert(!std::is_copy_constructible_v<SecretBytes>);
static_assert(!std::is_copy_assignable_v<SecretBytes>);
static_assert(!std::is_convertible_v<SecretBytes, Bytes>);

TEST_CASE("secrets: taking one clears its source") {
  Bytes source = "correct horse";
  const char* const place = source.data();
  const SecretBytes secret = SecretBytes::take(source);
  CHECK(secret.view() == "correct horse");
  CHECK(source.empty());
  // A short string is stored inside the object, so its old bytes can be looked at.
  CHECK(BytesView(place, 1) == BytesView("\0", 1));
  CHECK(BytesView(place + 1, 4) == BytesView("\0\0\0\0", 4));
}

TEST_CASE("secrets: moving empties the source, cloning does not") {
  SecretBytes a("0123456789");
  SecretBytes b = a.clone();
  CHECK(a.view() == b.view());
  SecretBytes c = std::move(a);
  CHECK(c.view() == "0123456789");
  CHECK(c.size() == 10);
  CHECK(a.empty());  // NOLINT: that is the promise
  b = std::move(c);
  CHECK(b.view() == "0123456789");
  CHECK(c.empty());  // NOLINT
  SecretBytes& same = b;
  b = std::move(same);
  CHECK(b.view() == "0123456789");
  CHECK(SecretBytes().view() == "");
  CHECK(SecretBytes("").empty());
}

TEST_CASE("secrets: random ones come from the port") {
  SeededRandom random(7);
  SeededRandom again(7);
  const SecretBytes secret = SecretBytes::random(32, random);
  CHECK(secret.size() == 32);
  CHECK(secret.view() == again.bytes(32));
}
