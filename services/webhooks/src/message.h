// SPDX-License-Identifier: Apache-2.0
// What a receiver gets: {"type", "timestamp", "data"} (Standard Webhooks, "payload structure").
#pragma once

#include <optional>
#include <string>

#include "domain/event.h"
#include "domain/payloads.h"

namespace sandtrail {

// Kept by the projection for each execution that somebody may have to be told of.
struct MessageRow {
  std::string language;
  SealedPayload input;
  UnixMs requested;
  UnixMs ended;
  std::string reason;  // of a rejected or lost one
  std::string detail;
  std::optional<ExecutionFinished> finished;
  template <typename Self, typename V>
  static void fields(Self& s, V& v) {
    v.with_default("language", s.language);
    v("input", s.input);
    v("requested", s.requested);
    v("ended", s.ended);
    v.with_default("reason", s.reason);
    v.with_default("detail", s.detail);
    v("finished", s.finished);
  }
};

// Everything a message is made of. Pure, so the body of every attempt of a delivery is the same.
struct MessageParts {
  std::string type;  // "execution.finished"
  ExecutionId execution;
  OrgId org;
  MessageRow row;
  ExecutionInput input;
  ExecutionOutput output;  // empty unless finished
  std::string public_url;
};

// UTF-8 JSON. Output over limits::kWebhookBodyOutputBytesMax is left out, with a link to it.
std::string message_body(const MessageParts& parts);

}  // namespace sandtrail
