// SPDX-License-Identifier: Apache-2.0
// Clients and handlers in one process without sockets or threads: for simulations, and for tests of
// what speaks HTTP on both sides. It can be slow, and cut.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "http/client.h"
#include "http/server.h"

namespace sandtrail::http {

// Thread-safe. Handlers and callbacks run in deliver(), on the thread that calls it, outside of any
// lock, in an order that follows from the clock and the order of calls.
class LoopbackNetwork {
 public:
  // How long the next message takes, one way; asked once for each. Empty: no time.
  using Latency = std::function<Millis()>;
  explicit LoopbackNetwork(const Clock& clock, Latency latency = {});
  ~LoopbackNetwork();

  // Serves "host:port". Requests to others are refused, as by a machine where nobody listens.
  void serve(const std::string& authority, Handler handler);
  // The server dies: whoever waits for an answer of it notices at once.
  void die(const std::string& authority);
  // A client at a place of that name. What is in flight when it is destroyed ends as cancelled.
  std::unique_ptr<Client> client(const std::string& place);
  // Nothing passes between them, either way; nobody is told, so time-outs have to notice.
  void cut(const std::string& place, const std::string& authority, bool is_cut);
  // The process at that place, or that serves that authority, stands still: what arrives for it
  // waits, and so do its time-outs.
  void freeze(const std::string& name, bool is_frozen);

  // Does one thing that is due; false if none is.
  bool step();
  // Does all that is due, also what becomes due meanwhile; returns how much.
  std::size_t deliver();
  // How long until deliver() has something to do; nullopt if nothing is in flight.
  std::optional<Millis> next_due() const;
  // Requests that no answer came for yet.
  std::size_t in_flight() const;

 private:
  class Place;
  class Answering;
  struct Flight {
    std::string place;
    std::string authority;
    ClientRequest request;
    Client::Done done;
    std::int64_t deadline_us = 0;
    std::int64_t due_us = 0;  // of what is under way; while it is handled: never
    enum { to_server, handled, to_client } stage = to_server;
    bool reset = false;  // its server died
    Response answer;
    std::vector<std::function<void()>> on_closed;
  };
  struct State;

  std::shared_ptr<State> state_;
};

}  // namespace sandtrail::http
