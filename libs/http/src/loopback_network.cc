// SPDX-License-Identifier: Apache-2.0
#include "http/loopback_network.h"

#include <algorithm>
#include <limits>
#include <optional>

namespace sandtrail::http {
namespace {

constexpr std::int64_t kNever = std::numeric_limits<std::int64_t>::max();

Request request_of(const ClientRequest& sent, const std::string& place) {
  Request request;
  request.method = sent.method;
  request.target = sent.url.target;
  const std::size_t mark = std::min(sent.url.target.find('?'), sent.url.target.size());
  request.path = sent.url.target.substr(0, mark);
  if (mark < sent.url.target.size()) request.query = sent.url.target.substr(mark + 1);
  request.fields = sent.fields;
  request.body = sent.body;
  request.peer_address = place;
  return request;
}

// An answer that is never streamed here.
class NoStream final : public Stream {
 public:
  bool write(Bytes) override { return false; }
  void finish() override {}
  void on_closed(std::function<void()> closed) override { closed(); }
};

}  // namespace

struct LoopbackNetwork::State : std::enable_shared_from_this<LoopbackNetwork::State> {
  State(const Clock& c, Latency l) : clock(c), latency(std::move(l)) {}

  const Clock& clock;
  const Latency latency;
  mutable std::mutex mutex;
  std::map<std::string, Handler> servers;
  std::set<std::pair<std::string, std::string>> cuts;
  std::set<std::string> frozen;             // places and authorities
  std::map<std::uint64_t, Flight> flights;  // by order of sending
  std::uint64_t last_id = 0;

  std::int64_t after_latency() const {
    return clock.monotonic_us() + (latency ? latency().count * 1000 : 0);
  }
  // When something happens to it next.
  std::int64_t due_us(const Flight& flight) const {
    const bool to_server = flight.stage == Flight::to_server;
    const bool waits = frozen.contains(to_server ? flight.authority : flight.place);
    const std::int64_t arrives_us = waits ? kNever : flight.due_us;
    return frozen.contains(flight.place) ? arrives_us : std::min(arrives_us, flight.deadline_us);
  }
  void respond(std::uint64_t id, Response response);
  bool on_closed(std::uint64_t id, std::function<void()>& closed);
  using Calls = std::vector<std::function<void()>>;
  bool step(Calls& calls);
  void end(std::map<std::uint64_t, Flight>::iterator at, Result<ClientResponse> result,
           Calls& calls);
};

class LoopbackNetwork::Answering final : public Responder {
 public:
  Answering(std::shared_ptr<State> state, std::uint64_t id) : state_(std::move(state)), id_(id) {}
  ~Answering() override {
    Response failed;
    failed.status = 500;
    state_->respond(id_, std::move(failed));
  }
  void respond(Response response) override { state_->respond(id_, std::move(response)); }
  std::shared_ptr<Stream> start_stream(Response) override {
    Response unsupported;
    unsupported.status = 501;
    state_->respond(id_, std::move(unsupported));
    return std::make_shared<NoStream>();
  }
  void on_closed(std::function<void()> closed) override {
    if (state_->on_closed(id_, closed)) closed();
  }

 private:
  std::shared_ptr<State> state_;
  std::uint64_t id_;
};

class LoopbackNetwork::Place final : public Client {
 public:
  Place(std::shared_ptr<State> state, std::string name)
      : state_(std::move(state)), name_(std::move(name)) {}
  ~Place() override;
  void send(ClientRequest request, Done done) override;
  void stream(ClientRequest, std::function<bool(BytesView)>, Done done) override {
    done(Error{ErrorCode::unavailable, "this network has no streams", ""});
  }

 private:
  std::shared_ptr<State> state_;
  std::string name_;
};

LoopbackNetwork::Place::~Place() {
  State::Calls calls;
  {
    const std::lock_guard lock(state_->mutex);
    for (auto it = state_->flights.begin(); it != state_->flights.end();) {
      const auto next = std::next(it);
      if (it->second.place == name_) {
        state_->end(it, Error{ErrorCode::cancelled, "the client ended", ""}, calls);
      }
      it = next;
    }
  }
  for (const auto& call : calls) call();
}

void LoopbackNetwork::Place::send(ClientRequest request, Done done) {
  const std::lock_guard lock(state_->mutex);
  Flight flight;
  flight.place = name_;
  flight.authority = request.url.host + ":" + std::to_string(request.url.port);
  flight.deadline_us = state_->clock.monotonic_us() + request.timeout.count * 1000;
  flight.due_us = state_->after_latency();
  flight.request = std::move(request);
  flight.done = std::move(done);
  state_->flights.emplace(++state_->last_id, std::move(flight));
}

void LoopbackNetwork::State::respond(std::uint64_t id, Response response) {
  const std::lock_guard lock(mutex);
  const auto found = flights.find(id);
  const bool waits = found != flights.end() && found->second.stage == Flight::handled;
  if (!waits || found->second.reset) return;
  found->second.stage = Flight::to_client;
  found->second.answer = std::move(response);
  found->second.due_us = after_latency();
  found->second.on_closed.clear();
}

// True if the connection has ended already.
bool LoopbackNetwork::State::on_closed(std::uint64_t id, std::function<void()>& closed) {
  const std::lock_guard lock(mutex);
  const auto found = flights.find(id);
  if (found == flights.end()) return true;
  if (found->second.stage == Flight::handled) found->second.on_closed.push_back(std::move(closed));
  return false;
}

// Under the lock; `calls` are for after it.
void LoopbackNetwork::State::end(std::map<std::uint64_t, Flight>::iterator at,
                                 Result<ClientResponse> result, Calls& calls) {
  for (auto& closed : at->second.on_closed) calls.push_back(std::move(closed));
  auto shared = std::make_shared<Result<ClientResponse>>(std::move(result));
  calls.push_back([done = std::move(at->second.done), shared] { done(std::move(*shared)); });
  flights.erase(at);
}

// One thing that is due, the earliest; false if none is. Under the lock.
bool LoopbackNetwork::State::step(Calls& calls) {
  const std::int64_t now_us = clock.monotonic_us();
  const auto next = std::min_element(
      flights.begin(), flights.end(),
      [this](const auto& a, const auto& b) { return due_us(a.second) < due_us(b.second); });
  if (next == flights.end() || due_us(next->second) > now_us) return false;
  Flight& flight = next->second;
  if (due_us(flight) == flight.deadline_us && flight.deadline_us != flight.due_us) {
    end(next, Error{ErrorCode::timeout, "no answer in time", ""}, calls);
    return true;
  }
  flight.due_us = kNever;
  if (cuts.contains({flight.place, flight.authority})) return true;  // lost
  if (flight.reset) {
    end(next, Error{ErrorCode::unavailable, "the connection was closed", ""}, calls);
    return true;
  }
  if (flight.stage == Flight::to_client) {
    ClientResponse response;
    response.status = flight.answer.status;
    response.fields = std::move(flight.answer.fields);
    response.body = std::move(flight.answer.body);
    const bool fits = response.body.size() <= flight.request.response_bytes_max;
    end(next,
        fits ? Result<ClientResponse>(std::move(response))
             : Result<ClientResponse>(Error{ErrorCode::unavailable, "too long", ""}),
        calls);
    return true;
  }
  const auto server = servers.find(flight.authority);
  if (server == servers.end()) {
    end(next, Error{ErrorCode::unavailable, "nobody listens there", ""}, calls);
    return true;
  }
  flight.stage = Flight::handled;
  calls.push_back([handler = server->second, request = request_of(flight.request, flight.place),
                   answering = std::make_shared<Answering>(shared_from_this(), next->first)] {
    handler(request, answering);
  });
  return true;
}

LoopbackNetwork::LoopbackNetwork(const Clock& clock, Latency latency)
    : state_(std::make_shared<State>(clock, std::move(latency))) {}

LoopbackNetwork::~LoopbackNetwork() = default;

void LoopbackNetwork::serve(const std::string& authority, Handler handler) {
  const std::lock_guard lock(state_->mutex);
  state_->servers[authority] = std::move(handler);
}

void LoopbackNetwork::die(const std::string& authority) {
  const std::lock_guard lock(state_->mutex);
  state_->servers.erase(authority);
  for (auto& [id, flight] : state_->flights) {
    if (flight.authority != authority || flight.stage == Flight::to_server) continue;
    flight.reset = true;
    flight.due_us = state_->after_latency();
    flight.on_closed.clear();
  }
}

std::unique_ptr<Client> LoopbackNetwork::client(const std::string& place) {
  return std::make_unique<Place>(state_, place);
}

void LoopbackNetwork::cut(const std::string& place, const std::string& authority, bool is_cut) {
  const std::lock_guard lock(state_->mutex);
  if (is_cut) {
    state_->cuts.emplace(place, authority);
  } else {
    state_->cuts.erase({place, authority});
  }
}

void LoopbackNetwork::freeze(const std::string& name, bool is_frozen) {
  const std::lock_guard lock(state_->mutex);
  if (is_frozen) {
    state_->frozen.insert(name);
  } else {
    state_->frozen.erase(name);
  }
}

bool LoopbackNetwork::step() {
  State::Calls calls;
  bool any = false;
  {
    const std::lock_guard lock(state_->mutex);
    any = state_->step(calls);
  }
  for (const auto& call : calls) call();
  return any;
}

std::size_t LoopbackNetwork::deliver() {
  std::size_t count = 0;
  while (step()) ++count;
  return count;
}

std::optional<Millis> LoopbackNetwork::next_due() const {
  const std::lock_guard lock(state_->mutex);
  std::optional<Millis> next;
  const std::int64_t now_us = state_->clock.monotonic_us();
  for (const auto& [id, flight] : state_->flights) {
    const std::int64_t due_us = state_->due_us(flight);
    if (due_us == kNever) continue;
    const Millis wait{std::max<std::int64_t>(0, (due_us - now_us + 999) / 1000)};
    if (!next || wait < *next) next = wait;
  }
  return next;
}

std::size_t LoopbackNetwork::in_flight() const {
  const std::lock_guard lock(state_->mutex);
  return state_->flights.size();
}

}  // namespace sandtrail::http
