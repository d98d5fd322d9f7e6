// SPDX-License-Identifier: Apache-2.0
// The key store of a cluster, for the suite, over the broker at SANDTRAIL_TEST_KAFKA.
#pragma once

#include <doctest/doctest.h>

#include <future>
#include <memory>
#include <string>

#include "../kafka/kafka_broker.h"
#include "base/clock.h"
#include "kafka/kafka_key_store.h"

namespace sandtrail::test {

struct KafkaKeys {
  SystemClock clock;
  std::string prefix = fresh_kafka_prefix("keys");
  std::promise<void> resumed;
  std::unique_ptr<KeyStore> adapter;  // last: its threads use what stands above

  KafkaKeys() { open(); }
  void open() {
    KafkaKeyStoreOptions options;
    options.connection = kafka_connection(prefix);
    auto opened = open_kafka_key_store(options, clock);
    REQUIRE_MESSAGE(opened.ok(), (opened.ok() ? std::string() : opened.error().text()));
    adapter = std::move(*opened);
    // Ready as soon as the topic is there and folded.
    const std::int64_t until_us = clock.monotonic_us() + 30'000'000;
    Status ready = Error{};
    while (!ready.ok() && clock.monotonic_us() < until_us) {
      ready = adapter->list([](const WrappedKey&) { return true; });
    }
    REQUIRE(ready.ok());
  }
  KeyStore& store() { return *adapter; }
  void reopen() {
    adapter.reset();
    open();
  }
  // The broker's files are another test's matter: they are rewritten later.
  bool holds(BytesView needle) {
    bool found = false;
    (void)adapter->list([&](const WrappedKey& key) {
      found = found || key.wrapped == needle;
      return true;
    });
    return found;
  }
  // Whoever answers slowly holds up the thread that answers.
  void stall() {
    std::promise<void> stalled;
    WrappedKey key;
    key.id = DataKeyId::derived(Bytes(16, 's'));
    key.wrapped = "stalls";
    adapter->put(key, [this, &stalled](Status) {
      stalled.set_value();
      resumed.get_future().wait();
    });
    stalled.get_future().wait();
  }
  void resume() { resumed.set_value(); }
};

}  // namespace sandtrail::test

#define KEY_FIXTURES sandtrail::test::KafkaKeys
