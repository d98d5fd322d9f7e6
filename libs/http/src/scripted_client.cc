// SPDX-License-Identifier: Apache-2.0
#include "http/scripted_client.h"

#include <algorithm>

namespace sandtrail::http {
namespace {

// What a ClientResponse over the wire would have looked like to this request.
Result<ClientResponse> bounded(Result<ClientResponse> result, const ClientRequest& request) {
  if (!result || result->body.size() <= request.response_bytes_max) return result;
  if (!request.truncate_response) {
    return Error{ErrorCode::unavailable, "the response is longer than its limit", ""};
  }
  result->body.resize(request.response_bytes_max);
  result->truncated = true;
  return result;
}

bool literal(std::string_view host) {
  return host.find(':') != std::string_view::npos ||
         host.find_first_not_of("0123456789.") == std::string_view::npos;
}

}  // namespace

ScriptedClient::ScriptedClient(const Clock& clock, Answerer answerer)
    : ScriptedClient(clock, std::move(answerer), Options{}) {}

ScriptedClient::ScriptedClient(const Clock& clock, Answerer answerer, Options options)
    : clock_(clock), answerer_(std::move(answerer)), options_(std::move(options)) {}

ScriptedClient::~ScriptedClient() {
  for (Flight& flight : flights_) {
    flight.done(Error{ErrorCode::cancelled, "the client was closed", ""});
  }
}

void ScriptedClient::send(ClientRequest request, Done done) {
  stream(std::move(request), {}, std::move(done));
}

void ScriptedClient::stream(ClientRequest request, std::function<bool(BytesView)> on_data,
                            Done done) {
  ScriptedAnswer answer;
  const std::int64_t now_us = clock_.monotonic_us();
  std::unique_lock lock(mutex_);
  requests_.push_back(request);
  if (auto status = check_request(request); !status) {
    answer.result = status.error();
  } else if (literal(request.url.host) && !address_allowed(options_.policy, request.url.host)) {
    answer.result = Error{ErrorCode::denied, "the address of the host is not allowed", ""};
  } else if (flights_.size() >= options_.in_flight_max) {
    answer.result = Error{ErrorCode::overloaded, "too many requests in flight", ""};
  } else if (!script_.empty()) {
    answer = std::move(script_.front());
    script_.pop_front();
  } else if (answerer_) {
    lock.unlock();
    answer = answerer_(request);
    lock.lock();
  } else {
    answer.result = Error{ErrorCode::unavailable, "nothing answers at this address", ""};
  }
  if (answer.delay >= request.timeout) {
    answer = {Error{ErrorCode::timeout, "no answer in time", ""}, request.timeout, {}};
  }
  answer.result = bounded(std::move(answer.result), request);
  const std::int64_t due_us = now_us + answer.delay.count * 1000;
  const auto place =
      std::upper_bound(flights_.begin(), flights_.end(), due_us,
                       [](std::int64_t due, const Flight& f) { return due < f.due_us; });
  flights_.insert(place, Flight{due_us, std::move(answer), std::move(on_data), std::move(done)});
}

void ScriptedClient::push(ScriptedAnswer answer) {
  const std::lock_guard lock(mutex_);
  script_.push_back(std::move(answer));
}

std::size_t ScriptedClient::deliver() {
  std::size_t count = 0;
  for (;; ++count) {
    const std::int64_t now_us = clock_.monotonic_us();
    std::unique_lock lock(mutex_);
    if (flights_.empty() || flights_.front().due_us > now_us) return count;
    Flight flight = std::move(flights_.front());
    flights_.pop_front();
    lock.unlock();
    give(std::move(flight));
  }
}

void ScriptedClient::give(Flight flight) {
  auto& result = flight.answer.result;
  if (flight.on_data && (!result || result->status / 100 == 2)) {
    for (const Bytes& piece : flight.answer.pieces) {
      if (flight.on_data(piece)) continue;
      // Whatever would have come of the rest: the caller had enough.
      ClientResponse head = result ? std::move(*result) : ClientResponse();
      if (!result) head.status = 200;
      head.truncated = true;
      result = std::move(head);
      break;
    }
  }
  flight.done(std::move(result));
}

std::optional<Millis> ScriptedClient::next_due() const {
  const std::int64_t now_us = clock_.monotonic_us();
  const std::lock_guard lock(mutex_);
  if (flights_.empty()) return std::nullopt;
  const std::int64_t wait_us = std::max<std::int64_t>(0, flights_.front().due_us - now_us);
  return Millis{(wait_us + 999) / 1000};
}

std::size_t ScriptedClient::in_flight() const {
  const std::lock_guard lock(mutex_);
  return flights_.size();
}

std::vector<ClientRequest> ScriptedClient::requests() const {
  const std::lock_guard lock(mutex_);
  return requests_;
}

}  // namespace sandtrail::http
