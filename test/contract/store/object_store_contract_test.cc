// SPDX-License-Identifier: Apache-2.0
// What every ObjectStore promises, tried on each adapter that registers itself.
#include <doctest/doctest.h>

#include <atomic>
#include <thread>
#include <utility>

#include "base/limits.h"
#include "base/random.h"
#include "object_store_contract.h"

using namespace sandtrail;
using namespace sandtrail::test;

namespace {

std::vector<ObjectAdapter>& registry() {
  static std::vector<ObjectAdapter> adapters;
  return adapters;
}

struct Fixture {
  std::unique_ptr<ObjectStoreUnderTest> under_test;

  explicit Fixture(const ObjectAdapter& adapter, std::size_t capacity_bytes = 64u << 20)
      : under_test(adapter.make(capacity_bytes)) {}
  ObjectStore& store() { return under_test->store(); }
  void reopen() { under_test->reopen(); }
};

}  // namespace

namespace sandtrail::test {

ObjectRegistration::ObjectRegistration(ObjectAdapter adapter) {
  registry().push_back(std::move(adapter));
}

const std::vector<ObjectAdapter>& object_adapters() {
  return registry();
}

}  // namespace sandtrail::test

// Each test is a function that gets one adapter after the other.
#define OBJECT_TEST_OF(title, body)                          \
  static void body(const ObjectAdapter& adapter);            \
  TEST_CASE("object store: " title) {                        \
    REQUIRE_FALSE(object_adapters().empty());                \
    for (const ObjectAdapter& adapter : object_adapters()) { \
      CAPTURE(adapter.name);                                 \
      body(adapter);                                         \
    }                                                        \
  }                                                          \
  static void body(const ObjectAdapter& adapter)
#define OBJECT_TEST(title) OBJECT_TEST_OF(title, DOCTEST_ANONYMOUS(object_test_))

OBJECT_TEST("contents are found under their name until they are removed, also after opening anew") {
  Fixture fixture(adapter);
  SeededRandom random(1);
  const Bytes largest = random.bytes(limits::kObjectBytesMax);
  CHECK(fixture.store().get("a").error().code == ErrorCode::not_found);
  REQUIRE(fixture.store().put("a", Bytes("\0\n\xff", 3)).ok());
  REQUIRE(fixture.store().put("empty", "").ok());
  REQUIRE(fixture.store().put(std::string(128, 'z'), "long name").ok());
  REQUIRE(fixture.store().put("largest", largest).ok());
  for (int i = 0; i < 2; ++i) {
    CHECK(*fixture.store().get("a") == Bytes("\0\n\xff", 3));
    CHECK(*fixture.store().get("empty") == "");
    CHECK(*fixture.store().get(std::string(128, 'z')) == "long name");
    CHECK(*fixture.store().get("largest") == largest);
    fixture.reopen();
  }
  REQUIRE(fixture.store().remove("a").ok());
  CHECK(fixture.store().remove("a").ok());
  CHECK(fixture.store().remove("never_there").ok());
  CHECK(fixture.store().get("a").error().code == ErrorCode::not_found);
  CHECK(*fixture.store().get("empty") == "");
  fixture.reopen();
  CHECK(fixture.store().get("a").error().code == ErrorCode::not_found);
}

OBJECT_TEST("the same content again is fine, another is a conflict until it is removed") {
  Fixture fixture(adapter);
  REQUIRE(fixture.store().put("a", "one").ok());
  CHECK(fixture.store().put("a", "one").ok());
  CHECK(fixture.store().put("a", "two").error().code == ErrorCode::conflict);
  CHECK(fixture.store().put("a", "").error().code == ErrorCode::conflict);
  CHECK(*fixture.store().get("a") == "one");
  REQUIRE(fixture.store().remove("a").ok());
  CHECK(fixture.store().put("a", "two").ok());
  CHECK(*fixture.store().get("a") == "two");
}

OBJECT_TEST("names that are no names, or lead elsewhere, are refused by every call") {
  Fixture fixture(adapter);
  const std::string names[] = {"",
                               ".",
                               "..",
                               "../x",
                               "../../tmp/sandtrail",
                               "/x",
                               "a/b",
                               "A",
                               "a.b",
                               "a b",
                               std::string("a\0b", 3),
                               "a\n",
                               "~",
                               "k\xc3\xa4se",
                               std::string(129, 'a')};
  for (const std::string& name : names) {
    CAPTURE(name);
    CHECK(fixture.store().put(name, "x").error().code == ErrorCode::invalid_argument);
    CHECK(fixture.store().get(name).error().code == ErrorCode::invalid_argument);
    CHECK(fixture.store().remove(name).error().code == ErrorCode::invalid_argument);
  }
}

OBJECT_TEST("content over the limit is refused and leaves nothing") {
  Fixture fixture(adapter);
  const Bytes content(limits::kObjectBytesMax + 1, 'x');
  CHECK(fixture.store().put("a", content).error().code == ErrorCode::invalid_argument);
  CHECK(fixture.store().get("a").error().code == ErrorCode::not_found);
}

OBJECT_TEST("of many who put one name with other contents, one wins and all know") {
  Fixture fixture(adapter);
  for (int round = 0; round < 10; ++round) {
    const std::string name = "n" + std::to_string(round);
    std::atomic<int> won = 0;
    std::atomic<int> lost = 0;
    std::vector<std::thread> users;
    for (int u = 0; u < 4; ++u) {
      users.emplace_back([&, u] {
        const Status status = fixture.store().put(name, Bytes(1000, static_cast<char>('a' + u)));
        if (status.ok()) ++won;
        if (!status.ok() && status.error().code == ErrorCode::conflict) ++lost;
      });
    }
    for (auto& user : users) user.join();
    CHECK(won == 1);
    CHECK(lost == 3);
    CHECK(fixture.store().get(name)->size() == 1000);
  }
}

OBJECT_TEST("many users at a time, with the same and with other names") {
  Fixture fixture(adapter);
  std::atomic<int> wrong = 0;
  std::vector<std::thread> users;
  for (int u = 0; u < 4; ++u) {
    users.emplace_back([&, u] {
      for (int i = 0; i < 20; ++i) {
        const std::string own = "u" + std::to_string(u) + "_" + std::to_string(i);
        if (!fixture.store().put(own, own).ok()) ++wrong;
        if (!fixture.store().put("shared_" + std::to_string(i), "same").ok()) ++wrong;
        const auto found = fixture.store().get(own);
        if (!found.ok() || *found != own) ++wrong;
        if (i % 2 == 0 && !fixture.store().remove(own).ok()) ++wrong;
      }
    });
  }
  for (auto& user : users) user.join();
  CHECK(wrong == 0);
  for (int i = 0; i < 20; ++i) {
    CHECK(*fixture.store().get("shared_" + std::to_string(i)) == "same");
    CHECK(fixture.store().get("u3_" + std::to_string(i)).ok() == (i % 2 == 1));
  }
}

OBJECT_TEST("a full disk is an answer, keeps what is there, and passes") {
  Fixture fixture(adapter, 4u << 20);
  SeededRandom random(2);
  REQUIRE(fixture.store().put("small", "1").ok());
  REQUIRE(fixture.store().put("middle", random.bytes(1u << 20)).ok());
  const Bytes big = random.bytes(3u << 20);
  for (int i = 0; i < 5; ++i) {  // a failed try must not use up space
    const Status status = fixture.store().put("big", big);
    REQUIRE_FALSE(status.ok());
    CHECK(status.error().code == ErrorCode::disk_full);
    CHECK(fixture.store().get("big").error().code == ErrorCode::not_found);
  }
  CHECK(*fixture.store().get("small") == "1");
  REQUIRE(fixture.store().remove("middle").ok());
  CHECK(fixture.store().put("big", Bytes(1u << 20, 'x')).ok());
}
