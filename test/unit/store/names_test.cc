// SPDX-License-Identifier: Apache-2.0
#include <doctest/doctest.h>

#include <string>

#include "base/limits.h"
#include "store/key_store.h"
#include "store/kv_store.h"
#include "store/object_store.h"

using namespace sandtrail;

TEST_CASE("prefix_end: the first key after all that start with the prefix") {
  const struct {
    Bytes prefix, end;
  } rows[] = {
      {"a", "b"},         {"ab", "ac"},     {Bytes("a\x00", 2), "a\x01"},
      {"a\x7f", "a\x80"}, {"a\xff", "b"},   {"a\xff\xff", "b"},
      {"\xff", ""},       {"\xff\xff", ""}, {"", ""},
  };
  for (const auto& row : rows) {
    CAPTURE(hex(row.prefix));
    CHECK(prefix_end(row.prefix) == row.end);
  }
}

TEST_CASE("object names: only the declared pattern passes") {
  const struct {
    std::string name;
    bool good;
  } rows[] = {
      {"a", true},
      {"evt_01h9z", true},
      {std::string(128, 'z'), true},
      {"_", true},
      {"", false},
      {std::string(129, 'z'), false},
      {"A", false},
      {"a.b", false},
      {"..", false},
      {".", false},
      {"a/b", false},
      {"../../etc/passwd", false},
      {"/etc/passwd", false},
      {"a b", false},
      {"a-b", false},
      {std::string("a\0b", 3), false},
      {"k\xc3\xa4se", false},
      {"a\n", false},
  };
  for (const auto& row : rows) {
    CAPTURE(row.name);
    CHECK(check_object_name(row.name).ok() == row.good);
  }
  CHECK(check_object_content(Bytes(limits::kObjectBytesMax, 'x')).ok());
  CHECK_FALSE(check_object_content(Bytes(limits::kObjectBytesMax + 1, 'x')).ok());
}

TEST_CASE("wrapped keys: an id and 1 to 4096 bytes") {
  WrappedKey key;
  key.id = DataKeyId::derived(Bytes(16, 'i'));
  key.wrapped = "w";
  CHECK(check_wrapped_key(key).ok());
  key.wrapped = Bytes(limits::kWrappedKeyBytesMax, 'w');
  CHECK(check_wrapped_key(key).ok());
  key.wrapped += 'w';
  CHECK_FALSE(check_wrapped_key(key).ok());
  key.wrapped.clear();
  CHECK_FALSE(check_wrapped_key(key).ok());
  key.wrapped = "w";
  key.id = DataKeyId();
  CHECK_FALSE(check_wrapped_key(key).ok());
}
