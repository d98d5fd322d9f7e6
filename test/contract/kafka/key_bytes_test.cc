// SPDX-License-Identifier: Apache-2.0
// That a destroyed key's bytes leave the broker's files: SANDTRAIL_TEST_KAFKA_DATA names its data
// directory.
#include <doctest/doctest.h>

#include <filesystem>
#include <fstream>
#include <future>
#include <iterator>
#include <mutex>
#include <string>

#include "base/random.h"
#include "kafka/kafka_key_store.h"
#include "kafka_broker.h"

using namespace sandtrail;
using namespace sandtrail::test;

namespace {

Status wait(const std::function<void(KeyStore::Done)>& request) {
  auto answer = std::make_shared<std::promise<Status>>();
  auto future = answer->get_future();
  request([answer](Status status) { answer->set_value(std::move(status)); });
  REQUIRE(future.wait_for(std::chrono::seconds(60)) == std::future_status::ready);
  return future.get();
}

// Kafka makes and removes files meanwhile: what is gone holds nothing.
bool files_hold(const std::string& directory, const std::string& needle) {
  std::error_code ignored;
  for (const auto& entry : std::filesystem::directory_iterator(directory, ignored)) {
    if (!entry.path().filename().string().ends_with(".log")) continue;
    std::ifstream file(entry.path(), std::ios::binary);
    const std::string content((std::istreambuf_iterator<char>(file)),
                              std::istreambuf_iterator<char>());
    if (content.find(needle) != std::string::npos) return true;
  }
  return false;
}

}  // namespace

TEST_CASE("a destroyed key leaves the broker's files, and other processes hear of it") {
  const char* data = std::getenv("SANDTRAIL_TEST_KAFKA_DATA");
  REQUIRE_MESSAGE(data != nullptr, "SANDTRAIL_TEST_KAFKA_DATA is not set: scripts/test does");
  const SystemClock clock;
  KafkaKeyStoreOptions options;
  options.connection = kafka_connection(fresh_kafka_prefix("bytes"));
  options.compaction_lag = seconds(1);
  auto store = open_kafka_key_store(options, clock);
  auto other = open_kafka_key_store(options, clock);
  REQUIRE(store.ok());
  REQUIRE(other.ok());
  std::promise<DataKeyId> heard;
  (*other)->watch([&heard](const DataKeyId& id) { heard.set_value(id); });
  SystemRandom random;
  WrappedKey kept;
  kept.id = DataKeyId::fresh(clock, random);
  kept.wrapped = "kept-" + hex(random.bytes(24));
  WrappedKey gone = kept;
  gone.id = DataKeyId::fresh(clock, random);
  gone.wrapped = "gone-" + hex(random.bytes(24));
  const std::int64_t until_us = clock.monotonic_us() + 60'000'000;
  while (!(*store)->list([](const WrappedKey&) { return true; }).ok()) {
    REQUIRE(clock.monotonic_us() < until_us);
  }
  for (const WrappedKey& key : {kept, gone}) {
    REQUIRE(wait([&](KeyStore::Done done) { (*store)->put(key, std::move(done)); }).ok());
  }
  CHECK(*(*other)->get(gone.id) == gone);
  const std::string directory =
      std::string(data) + "/" + options.connection.topic_prefix + "keys-0";
  const auto stored = [](const WrappedKey& key) { return base64(key.wrapped); };
  REQUIRE(files_hold(directory, stored(gone)));
  REQUIRE(wait([&](KeyStore::Done done) { (*store)->destroy(gone.id, std::move(done)); }).ok());
  auto told = heard.get_future();
  REQUIRE(told.wait_for(std::chrono::seconds(60)) == std::future_status::ready);
  CHECK(told.get() == gone.id);
  CHECK((*other)->get(gone.id).error().code == ErrorCode::not_found);
  // While files are swapped neither is found for a moment.
  while (files_hold(directory, stored(gone)) || !files_hold(directory, stored(kept))) {
    REQUIRE(clock.monotonic_us() < until_us);
  }
  CHECK_FALSE(files_hold(directory, stored(gone)));
  CHECK(*(*other)->get(kept.id) == kept);
}
