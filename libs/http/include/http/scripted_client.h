// SPDX-License-Identifier: Apache-2.0
// The twin of Client: answers by script or function, at times its owner decides. For simulations
// and tests; it opens no socket and starts no thread.
#pragma once

#include <deque>
#include <functional>
#include <mutex>
#include <optional>
#include <vector>

#include "base/clock.h"
#include "http/client.h"

namespace sandtrail::http {

struct ScriptedAnswer {
  Result<ClientResponse> result = ClientResponse{};
  Millis delay;               // from send() on; at the request's timeout or later it is a timeout
  // Of a stream: given to on_data one after the other, then `result`; an error: it broke there.
  std::vector<Bytes> pieces;
};

// Thread-safe. Answers are given only by deliver(), on the thread that calls it, so a seed
// reproduces a run. Like the real one it refuses malformed requests, addresses (literal hosts) that
// the policy forbids, and more than `in_flight_max` at once; it cuts bodies to response_bytes_max.
class ScriptedClient final : public Client {
 public:
  using Answerer = std::function<ScriptedAnswer(const ClientRequest&)>;
  struct Options {
    AddressPolicy policy{.allow_private = true, .allow_cidrs = {}};
    std::size_t in_flight_max = 1'000'000;
  };
  // `clock` must outlive it. `answerer` is asked when the script is empty, on the thread of send();
  // without one such a request fails as unavailable.
  explicit ScriptedClient(const Clock& clock, Answerer answerer = {});
  ScriptedClient(const Clock& clock, Answerer answerer, Options options);
  // Everything in flight ends as cancelled.
  ~ScriptedClient() override;

  void send(ClientRequest request, Done done) override;
  void stream(ClientRequest request, std::function<bool(BytesView)> on_data, Done done) override;

  // The answer to the next request that finds the script at this place.
  void push(ScriptedAnswer answer);
  // Gives every answer that is due by the clock, in the order of their due times (equal ones in the
  // order of send()), also those that become due while it runs; returns how many.
  std::size_t deliver();
  // How long until deliver() has something to do; nullopt if nothing is in flight.
  std::optional<Millis> next_due() const;

  std::size_t in_flight() const;
  // Every request so far, in the order of send().
  std::vector<ClientRequest> requests() const;

 private:
  struct Flight {
    std::int64_t due_us = 0;
    ScriptedAnswer answer;
    std::function<bool(BytesView)> on_data;
    Done done;
  };
  void give(Flight flight);

  const Clock& clock_;
  const Answerer answerer_;
  const Options options_;
  mutable std::mutex mutex_;
  std::deque<ScriptedAnswer> script_;
  std::deque<Flight> flights_;  // by due_us
  std::vector<ClientRequest> requests_;
};

}  // namespace sandtrail::http
