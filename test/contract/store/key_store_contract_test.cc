// SPDX-License-Identifier: Apache-2.0
// What every KeyStore promises, tried on each adapter and on the twin: KEY_FIXTURES_HEADER names
// the header that declares them, and the list KEY_FIXTURES.
#include <doctest/doctest.h>

#include <atomic>
#include <chrono>
#include <future>
#include <map>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "base/limits.h"
#include "base/random.h"
#include "store/key_store.h"
#include KEY_FIXTURES_HEADER

using namespace sandtrail;
using namespace sandtrail::test;

namespace {

WrappedKey new_key(Random& random, std::size_t wrapped_bytes = 60) {
  WrappedKey key;
  key.id = DataKeyId::derived(random.bytes(16));
  key.org = OrgId::derived(random.bytes(16));
  key.created.count = static_cast<std::int64_t>(random.below(1ull << 42));
  key.wrapped = random.bytes(wrapped_bytes);
  return key;
}

// Turns the callback into something to wait for.
class Answer {
 public:
  KeyStore::Done done() {
    return [promise = promise_](Status status) { promise->set_value(std::move(status)); };
  }
  Status wait() {
    auto future = promise_->get_future();
    REQUIRE(future.wait_for(std::chrono::seconds(60)) == std::future_status::ready);
    return future.get();
  }

 private:
  std::shared_ptr<std::promise<Status>> promise_ = std::make_shared<std::promise<Status>>();
};

Status put(KeyStore& store, const WrappedKey& key) {
  Answer answer;
  store.put(key, answer.done());
  return answer.wait();
}

Status destroy(KeyStore& store, const DataKeyId& id) {
  Answer answer;
  store.destroy(id, answer.done());
  return answer.wait();
}

std::map<DataKeyId, WrappedKey> list(const KeyStore& store) {
  std::map<DataKeyId, WrappedKey> out;
  REQUIRE(store
              .list([&out](const WrappedKey& key) {
                CHECK(out.emplace(key.id, key).second);
                return true;
              })
              .ok());
  return out;
}

}  // namespace

#define KEY_TEST(name) TEST_CASE_TEMPLATE("key store: " name, Fixture, KEY_FIXTURES)

KEY_TEST("a key is found with all its parts, until it is destroyed") {
  Fixture fixture;
  SeededRandom random(1);
  const WrappedKey key = new_key(random);
  const WrappedKey largest = new_key(random, limits::kWrappedKeyBytesMax);
  CHECK(fixture.store().get(key.id).error().code == ErrorCode::not_found);
  REQUIRE(put(fixture.store(), key).ok());
  REQUIRE(put(fixture.store(), largest).ok());
  CHECK(*fixture.store().get(key.id) == key);
  CHECK(*fixture.store().get(largest.id) == largest);
  REQUIRE(destroy(fixture.store(), key.id).ok());
  CHECK(fixture.store().get(key.id).error().code == ErrorCode::not_found);
  CHECK(*fixture.store().get(largest.id) == largest);
}

KEY_TEST("the same key again is fine, another under its id is a conflict") {
  Fixture fixture;
  SeededRandom random(2);
  const WrappedKey key = new_key(random);
  REQUIRE(put(fixture.store(), key).ok());
  CHECK(put(fixture.store(), key).ok());
  WrappedKey other = key;
  other.wrapped[0] = static_cast<char>(other.wrapped[0] ^ 1);
  CHECK(put(fixture.store(), other).error().code == ErrorCode::conflict);
  other = key;
  other.created.count += 1;
  CHECK(put(fixture.store(), other).error().code == ErrorCode::conflict);
  CHECK(*fixture.store().get(key.id) == key);
}

KEY_TEST("keys without id, without bytes or too long are refused") {
  Fixture fixture;
  SeededRandom random(3);
  WrappedKey key = new_key(random, limits::kWrappedKeyBytesMax + 1);
  CHECK(put(fixture.store(), key).error().code == ErrorCode::invalid_argument);
  key.wrapped.clear();
  CHECK(put(fixture.store(), key).error().code == ErrorCode::invalid_argument);
  key = new_key(random);
  key.id = DataKeyId();
  CHECK(put(fixture.store(), key).error().code == ErrorCode::invalid_argument);
  CHECK(list(fixture.store()).empty());
}

KEY_TEST("destroying what is not there succeeds, once or twice") {
  Fixture fixture;
  SeededRandom random(4);
  const WrappedKey key = new_key(random);
  CHECK(destroy(fixture.store(), key.id).ok());
  REQUIRE(put(fixture.store(), key).ok());
  CHECK(destroy(fixture.store(), key.id).ok());
  CHECK(destroy(fixture.store(), key.id).ok());
}

KEY_TEST("requests in flight together take effect in their order") {
  Fixture fixture;
  SeededRandom random(5);
  const WrappedKey key = new_key(random);
  WrappedKey other = key;
  other.wrapped = random.bytes(60);
  std::vector<Answer> answers(6);
  fixture.store().put(key, answers[0].done());
  fixture.store().put(other, answers[1].done());
  fixture.store().destroy(key.id, answers[2].done());
  fixture.store().put(other, answers[3].done());
  fixture.store().put(other, answers[4].done());
  fixture.store().put(key, answers[5].done());
  const bool expected[] = {true, false, true, true, true, false};
  for (std::size_t i = 0; i < answers.size(); ++i) CHECK(answers[i].wait().ok() == expected[i]);
  CHECK(*fixture.store().get(key.id) == other);
}

KEY_TEST("once a destroy is answered, no file holds the wrapped bytes") {
  Fixture fixture;
  SeededRandom random(6);
  std::vector<WrappedKey> keys;
  for (int i = 0; i < 60; ++i) {
    keys.push_back(new_key(random));
    REQUIRE(put(fixture.store(), keys.back()).ok());
    // Some of them in older files, the others in the write-ahead log.
    if (i == 20 || i == 40) fixture.reopen();
    if (i == 30) REQUIRE(destroy(fixture.store(), keys[0].id).ok());
  }
  for (std::size_t i = 1; i < keys.size(); ++i) REQUIRE(fixture.holds(keys[i].wrapped));
  CHECK_FALSE(fixture.holds(keys[0].wrapped));

  REQUIRE(destroy(fixture.store(), keys[10].id).ok());
  CHECK_FALSE(fixture.holds(keys[10].wrapped));
  REQUIRE(destroy(fixture.store(), keys[59].id).ok());
  CHECK_FALSE(fixture.holds(keys[59].wrapped));

  // Many together, while puts go on.
  std::vector<Answer> answers(keys.size());
  std::vector<WrappedKey> added;
  for (std::size_t i = 0; i < 50; i += 2) {
    fixture.store().destroy(keys[i].id, answers[i].done());
    added.push_back(new_key(random));
    REQUIRE(put(fixture.store(), added.back()).ok());
  }
  for (std::size_t i = 0; i < 50; i += 2) {
    REQUIRE(answers[i].wait().ok());
    CHECK_FALSE(fixture.holds(keys[i].wrapped));
  }
  for (std::size_t i = 1; i < 50; i += 2) CHECK(*fixture.store().get(keys[i].id) == keys[i]);
  for (const WrappedKey& key : added) CHECK(*fixture.store().get(key.id) == key);
  fixture.reopen();
  for (std::size_t i = 0; i < 50; i += 2) CHECK_FALSE(fixture.holds(keys[i].wrapped));
  for (std::size_t i = 1; i < 50; i += 2) CHECK(*fixture.store().get(keys[i].id) == keys[i]);
}

KEY_TEST("a list visits every key, may stop, and may use the store") {
  Fixture fixture;
  SeededRandom random(7);
  std::map<DataKeyId, WrappedKey> expected;
  std::vector<Answer> answers(700);  // more than one chunk
  for (Answer& answer : answers) {
    const WrappedKey key = new_key(random);
    expected[key.id] = key;
    fixture.store().put(key, answer.done());
  }
  for (Answer& answer : answers) REQUIRE(answer.wait().ok());
  CHECK(list(fixture.store()) == expected);
  int visits = 0;
  REQUIRE(fixture.store()
              .list([&](const WrappedKey& key) {
                ++visits;
                CHECK(fixture.store().get(key.id).ok());
                if (visits == 1) CHECK(destroy(fixture.store(), key.id).ok());
                return visits < 300;
              })
              .ok());
  CHECK(visits == 300);
  CHECK(list(fixture.store()).size() == 699);
}

KEY_TEST("an answer may use the store") {
  Fixture fixture;
  SeededRandom random(8);
  const WrappedKey first = new_key(random);
  const WrappedKey second = new_key(random);
  Answer answer;
  fixture.store().put(first, [&](Status status) {
    if (!status.ok() || !fixture.store().get(first.id).ok()) return answer.done()(status);
    fixture.store().put(second, answer.done());
  });
  REQUIRE(answer.wait().ok());
  CHECK(fixture.store().get(second.id).ok());
}

KEY_TEST("many users at a time") {
  Fixture fixture;
  std::atomic<int> wrong = 0;
  std::vector<std::thread> users;
  for (std::uint64_t u = 0; u < 4; ++u) {
    users.emplace_back([&, u] {
      SeededRandom random(100 + u);
      for (int i = 0; i < 40; ++i) {
        const WrappedKey key = new_key(random);
        Answer answer;
        fixture.store().put(key, answer.done());
        if (!answer.wait().ok()) ++wrong;
        const auto found = fixture.store().get(key.id);
        if (!found.ok() || *found != key) ++wrong;
        if (i % 8 != 0) continue;
        Answer destroyed;
        fixture.store().destroy(key.id, destroyed.done());
        if (!destroyed.wait().ok() || fixture.store().get(key.id).ok()) ++wrong;
      }
    });
  }
  for (auto& user : users) user.join();
  CHECK(wrong == 0);
  CHECK(list(fixture.store()).size() == 4 * 35);
}

KEY_TEST("a store that does not keep up refuses at once, and answers what it took") {
  Fixture fixture;
  SeededRandom random(11);
  const DataKeyId id = DataKeyId::derived(random.bytes(16));
  std::atomic<std::size_t> answered = 0;
  std::atomic<std::size_t> failed = 0;
  const auto count = [&](const Status& status) {
    if (!status.ok()) ++failed;
    ++answered;
  };
  fixture.stall();
  for (std::size_t i = 1; i < limits::kKeyStoreQueueMax; ++i) fixture.store().destroy(id, count);
  CHECK(answered == 0);
  Answer last;
  fixture.store().destroy(id, last.done());
  Status refused;
  fixture.store().put(new_key(random), [&refused](Status status) { refused = status; });
  REQUIRE_FALSE(refused.ok());
  CHECK(refused.error().code == ErrorCode::overloaded);
  CHECK(refused.error().retryable());
  fixture.resume();
  CHECK(last.wait().ok());
  CHECK(put(fixture.store(), new_key(random)).ok());
  fixture.reopen();
  CHECK(answered == limits::kKeyStoreQueueMax - 1);
  CHECK(failed == 0);
}

KEY_TEST("what was answered is there after opening anew") {
  Fixture fixture;
  SeededRandom random(9);
  const WrappedKey kept = new_key(random);
  const WrappedKey gone = new_key(random);
  REQUIRE(put(fixture.store(), kept).ok());
  REQUIRE(put(fixture.store(), gone).ok());
  REQUIRE(destroy(fixture.store(), gone.id).ok());
  fixture.reopen();
  CHECK(*fixture.store().get(kept.id) == kept);
  CHECK(fixture.store().get(gone.id).error().code == ErrorCode::not_found);
}

#ifdef KEY_FIXTURES_WITH_DISK
KEY_TEST("a full disk is an answer, and nothing answered is lost") {
  Fixture fixture;
  SeededRandom random(10);
  std::vector<WrappedKey> kept;
  for (int i = 0; i < 20; ++i) {
    kept.push_back(new_key(random));
    REQUIRE(put(fixture.store(), kept.back()).ok());
  }
  fixture.fill_disk();
  Status status;
  for (int i = 0; status.ok() && i < 2000; ++i) {
    const WrappedKey key = new_key(random, limits::kWrappedKeyBytesMax);
    status = put(fixture.store(), key);
    if (status.ok()) kept.push_back(key);
  }
  REQUIRE_FALSE(status.ok());
  CHECK(status.error().code == ErrorCode::disk_full);
  CHECK_FALSE(put(fixture.store(), new_key(random)).ok());
  CHECK_FALSE(destroy(fixture.store(), kept[0].id).ok());
  fixture.empty_disk();
  fixture.reopen();
  for (const WrappedKey& key : kept) REQUIRE(*fixture.store().get(key.id) == key);
  CHECK(put(fixture.store(), new_key(random)).ok());
  CHECK(destroy(fixture.store(), kept[0].id).ok());
  CHECK_FALSE(fixture.holds(kept[0].wrapped));
}
#endif
