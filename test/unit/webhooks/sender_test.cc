// SPDX-License-Identifier: Apache-2.0
#include "sender.h"

#include <doctest/doctest.h>

#include "base/limits.h"
#include "crypto/webhook_signature.h"
#include "http/scripted_client.h"
#include "store/memory_key_store.h"
#include "store/memory_object_store.h"

using namespace sandtrail;

namespace {

constexpr std::string_view kSecret = "whsec_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=";

// One delivery to a callback, over the twins.
struct World {
  World() {
    keyring.create(OrgId::fresh(clock, random), {}, [this](const Result<DataKeyId>& made) {
      REQUIRE(made.ok());
      key = *made;
    });
    ExecutionInput input;
    input.callback_url = "https://receiver.example/hook";
    attempt->delivery = DeliveryId::fresh(clock, random);
    attempt->row.execution = ExecutionId::fresh(clock, random);
    attempt->row.message_type = "execution.finished";
    attempt->number = 1;
    attempt->secret_purpose = {"callback_secret", ""};
    attempt->message.input = payloads.seal_json(key, {"input", ""}, input).value();
    attempt->secret = payloads.seal(key, attempt->secret_purpose, kSecret).value();
  }
  void send() { send_with(payloads); }
  // Another process, which has no key in memory.
  void send_afresh() {
    Keyring other(root(), store, clock, random);
    Payloads others(other, objects);
    send_with(others);
  }
  void send_with(Payloads& opener) {
    Sending sending{client, opener, [](auto task) { task(); }, random, {}, {}};
    send_attempt(sending, attempt, clock.now(), [this] { ++done; });
    client.deliver();
  }
  static SecretBytes root() { return SecretBytes(Bytes(32, 'r')); }

  ManualClock clock;
  SeededRandom random{3};
  MemoryKeyStore store;
  MemoryObjectStore objects;
  Keyring keyring{root(), store, clock, random};
  Payloads payloads{keyring, objects};
  DataKeyId key;
  http::ScriptedClient client{clock, [](const http::ClientRequest&) {
                                http::ScriptedAnswer answer;
                                answer.result->status = 204;
                                return answer;
                              }};
  std::shared_ptr<Attempt> attempt = std::make_shared<Attempt>();
  int done = 0;
};

}  // namespace

TEST_CASE("a message is signed under the delivery's id and the time of the attempt") {
  World world;
  world.send();
  CHECK(world.done == 1);
  REQUIRE(world.attempt->answer.has_value());
  CHECK((*world.attempt->answer)->status == 204);
  const auto requests = world.client.requests();
  REQUIRE(requests.size() == 1);
  const auto& fields = requests[0].fields;
  const std::string id = world.attempt->delivery.text();
  const std::int64_t timestamp_s = world.clock.now().count / 1000;
  CHECK(fields.get("webhook-id") == id);
  CHECK(fields.get("webhook-timestamp") == std::to_string(timestamp_s));
  CHECK(fields.get("webhook-signature") ==
        sign_webhook(parse_webhook_secret(kSecret).value(), id, timestamp_s, requests[0].body));
}

TEST_CASE("a store that is away prevents an attempt; it isn't one") {
  World world;
  world.store.fail(Error{ErrorCode::unavailable, "the device is away", ""});
  world.send_afresh();
  CHECK(world.done == 1);
  REQUIRE(world.attempt->prevented.has_value());
  CHECK(world.attempt->prevented->code == ErrorCode::unavailable);
  CHECK(world.attempt->impossible.empty());
  CHECK(world.client.requests().empty());
}

TEST_CASE("what cannot be sent is closed with its reason") {
  World world;
  SUBCASE("erased") {
    world.keyring.destroy(world.key, [](const Status& status) { REQUIRE(status.ok()); });
    world.send();
    CHECK(world.attempt->impossible == "erased");
  }
  SUBCASE("damaged") {
    world.attempt->secret_purpose.name = "another";
    world.send();
    CHECK(world.attempt->impossible == "unreadable");
  }
  SUBCASE("no URL") {
    world.attempt->url = "no url";
    world.send();
    CHECK(world.attempt->impossible == "invalid_endpoint");
  }
  CHECK(world.done == 1);
  CHECK(world.client.requests().empty());
}
