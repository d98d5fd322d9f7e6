// SPDX-License-Identifier: Apache-2.0
// One attempt of a delivery on its way: opens what is sealed, signs, sends.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "domain/state.h"
#include "http/client.h"
#include "message.h"
#include "sealing/payload.h"
#include "send_queue.h"
#include "webhooks/webhooks_role.h"

namespace sandtrail {

// What every partition's attempts share.
struct Sending {
  http::Client& client;
  Payloads& payloads;
  Executor executor;
  Random& random;
  WebhookOptions options;
  SendQueue queue;
};

struct Attempt {
  // What it needs of the state, taken on the partition's thread.
  DeliveryId delivery;
  DeliveryRow row;
  std::int64_t number = 0;
  MessageRow message;
  std::string url;  // of the endpoint; empty: the callback, see the input
  SealedPayload secret;
  PayloadPurpose secret_purpose;

  // How it went: one of these.
  std::optional<Result<http::ClientResponse>> answer;
  std::string impossible;          // nothing could be sent, and no further attempt helps
  std::optional<Error> prevented;  // nothing was sent for now: a store is away
};

// Blocks nobody: opens on the executor, sends by the client, and calls `done` once, on any thread.
void send_attempt(Sending& sending, std::shared_ptr<Attempt> attempt, UnixMs now,
                  std::function<void()> done);

}  // namespace sandtrail
