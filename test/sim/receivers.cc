// SPDX-License-Identifier: Apache-2.0
#include "receivers.h"

#include "crypto/webhook_signature.h"

namespace sandtrail::sim {
namespace {

bool signed_by(const std::string& secret, const http::ClientRequest& request) {
  const auto key = parse_webhook_secret(secret);
  const auto id = request.fields.get("webhook-id");
  const auto time = request.fields.get("webhook-timestamp");
  const auto signature = request.fields.get("webhook-signature");
  if (!key.ok() || !id || !time || !signature) return false;
  return sign_webhook(*key, *id, std::stoll(std::string(*time)), request.body) == *signature;
}

}  // namespace

std::unique_ptr<Receivers::Line> Receivers::connect() {
  return std::make_unique<Line>(*this);
}

Receivers::Answer Receivers::receive(const http::ClientRequest& request) {
  Message message;
  message.url = request.url.text();
  message.id = request.fields.get("webhook-id").value_or("");
  message.body = request.body;
  const auto secret = secrets_.find(message.url);
  message.signature_right = secret != secrets_.end() && signed_by(secret->second, request);
  // Drawn whatever comes of it.
  const std::uint64_t what = random_.below(1000);
  const bool leaves = random_.below(1000) < faults_.gone;
  Answer answer;
  answer.after = Millis{static_cast<std::int64_t>(random_.below(300))};
  http::ClientResponse response;
  response.status = 204;
  if (gone_[message.url] || leaves) {
    gone_[message.url] = true;
    response.status = 410;
  } else if (what < faults_.fails) {
    response.status = 503;
  } else if (what < faults_.fails + faults_.silent) {
    answer.after = request.timeout;
    answer.result = Error{ErrorCode::timeout, "no answer in time", ""};
  } else if (what < faults_.fails + faults_.silent + faults_.breaks) {
    answer.result = Error{ErrorCode::unavailable, "the connection broke", ""};
  }
  if (answer.result.ok()) answer.result = response;
  message.answered_well = answer.result.ok() && response.status == 204;
  if (tell_) tell_(message);
  return answer;
}

void Receivers::Line::send(http::ClientRequest request, Done done) {
  Answer answer = receivers_.receive(request);
  const std::int64_t due_us = receivers_.clock_.monotonic_us() + answer.after.count * 1000;
  flights_.emplace(due_us, Flight{std::move(answer.result), std::move(done)});
}

void Receivers::Line::stream(http::ClientRequest, std::function<bool(BytesView)>, Done done) {
  done(Error{ErrorCode::unavailable, "nobody streams here", ""});
}

bool Receivers::Line::tick() {
  bool any = false;
  while (!flights_.empty() && flights_.begin()->first <= receivers_.clock_.monotonic_us()) {
    Flight flight = std::move(flights_.begin()->second);
    flights_.erase(flights_.begin());
    flight.done(std::move(flight.result));
    any = true;
  }
  return any;
}

}  // namespace sandtrail::sim
