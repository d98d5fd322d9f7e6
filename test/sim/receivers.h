// SPDX-License-Identifier: Apache-2.0
// Those who are told of the end of executions: the world outside, which answers late, wrongly, not
// at all, or after it has acted.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>

#include "base/clock.h"
#include "base/random.h"
#include "http/client.h"

namespace sandtrail::sim {

// Chances in a thousand, of requests.
struct ReceiverFaults {
  unsigned fails = 0;   // answers 503
  unsigned silent = 0;  // answers after the request's time is over
  unsigned breaks = 0;  // takes it, and the answer is lost
  unsigned gone = 0;    // answers 410, from then on always
};

// One message as it arrived.
struct Message {
  std::string id;  // webhook-id
  std::string url;
  Bytes body;
  bool signature_right = false;
  bool answered_well = false;  // and the sender will hear it, if it lives
};

// Not thread-safe.
class Receivers {
 public:
  Receivers(const Clock& clock, std::uint64_t seed) : clock_(clock), random_(seed) {}

  // What is sent to `url` is signed with this secret ("whsec_…").
  void listen(const std::string& url, std::string secret) { secrets_[url] = std::move(secret); }
  void set_faults(const ReceiverFaults& faults) { faults_ = faults; }
  // Called with each request when it is sent.
  void on_message(std::function<void(const Message&)> tell) { tell_ = std::move(tell); }

  // One process' way to them. What is in flight when it is destroyed is never heard of again.
  class Line;
  std::unique_ptr<Line> connect();

 private:
  struct Answer {
    Result<http::ClientResponse> result = http::ClientResponse{};
    Millis after;
  };
  Answer receive(const http::ClientRequest& request);

  const Clock& clock_;
  SeededRandom random_;
  std::map<std::string, std::string> secrets_;  // by URL
  std::map<std::string, bool> gone_;
  ReceiverFaults faults_;
  std::function<void(const Message&)> tell_;
};

class Receivers::Line final : public http::Client {
 public:
  explicit Line(Receivers& receivers) : receivers_(receivers) {}
  void send(http::ClientRequest request, Done done) override;
  void stream(http::ClientRequest request, std::function<bool(BytesView)> on_data,
              Done done) override;
  // Gives the answers that are due; true if there were any.
  bool tick();

 private:
  struct Flight {
    Result<http::ClientResponse> result;
    Done done;
  };
  Receivers& receivers_;
  std::multimap<std::int64_t, Flight> flights_;  // by when they are due, monotonic microseconds
};

}  // namespace sandtrail::sim
