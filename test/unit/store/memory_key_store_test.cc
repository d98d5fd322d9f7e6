// SPDX-License-Identifier: Apache-2.0
#include "store/memory_key_store.h"

#include <doctest/doctest.h>

#include <vector>

using namespace sandtrail;

namespace {

WrappedKey key_of(char id, Bytes wrapped = "wrapped") {
  WrappedKey key;
  key.id = DataKeyId::derived(Bytes(16, id));
  key.wrapped = std::move(wrapped);
  return key;
}

// Collects answers in order.
struct Answers {
  std::vector<Status> list;
  KeyStore::Done next() {
    return [this](Status status) { list.push_back(std::move(status)); };
  }
};

}  // namespace

TEST_CASE("memory key store: held requests are neither applied nor answered") {
  MemoryKeyStore store;
  Answers answers;
  store.put(key_of('a'), answers.next());
  store.hold();
  store.put(key_of('b'), answers.next());
  store.destroy(key_of('a').id, answers.next());
  CHECK(answers.list.size() == 1);
  CHECK(store.get(key_of('a').id).ok());
  CHECK(store.get(key_of('b').id).error().code == ErrorCode::not_found);
  store.release();
  CHECK(answers.list.size() == 3);
  CHECK(store.get(key_of('a').id).error().code == ErrorCode::not_found);
  CHECK(store.get(key_of('b').id).ok());
}

TEST_CASE("memory key store: a crash forgets what was held and keeps what was answered") {
  MemoryKeyStore store;
  Answers answers;
  store.put(key_of('a'), answers.next());
  store.hold();
  store.put(key_of('b'), answers.next());
  store.crash();
  store.release();
  CHECK(answers.list.size() == 1);
  CHECK(store.get(key_of('a').id).ok());
  CHECK(store.get(key_of('b').id).error().code == ErrorCode::not_found);
  store.put(key_of('b'), answers.next());
  CHECK(answers.list.size() == 2);
}

TEST_CASE("memory key store: injected errors reach every call, and what is held at its release") {
  MemoryKeyStore store;
  Answers answers;
  store.hold();
  store.put(key_of('a'), answers.next());
  store.fail(Error{ErrorCode::unavailable, "away", ""});
  store.release();
  store.put(key_of('b'), answers.next());
  store.destroy(key_of('b').id, answers.next());
  REQUIRE(answers.list.size() == 3);
  for (const Status& status : answers.list) {
    CHECK(status.error().code == ErrorCode::unavailable);
  }
  CHECK(store.get(key_of('a').id).error().code == ErrorCode::unavailable);
  CHECK(store.list([](const WrappedKey&) { return true; }).error().code == ErrorCode::unavailable);
  store.fail(std::nullopt);
  CHECK(store.get(key_of('a').id).error().code == ErrorCode::not_found);
}
