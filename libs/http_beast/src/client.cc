// SPDX-License-Identifier: Apache-2.0
#include "http_beast/client.h"

#include <algorithm>
#include <boost/asio/post.hpp>
#include <functional>
#include <system_error>

#include "call.h"
#include "client_loop.h"

namespace sandtrail::http {
namespace {

Result<std::unique_ptr<TlsSettings>> open_tls(const ClientOptions& options) {
  if (options.cert_file.empty() != options.key_file.empty()) {
    return Error{ErrorCode::invalid_argument, "a certificate and its key go together", ""};
  }
  // Who may issue a role is known of our own authority only.
  if (!options.peer_role.empty() && (!options.verify_peer || options.ca_file.empty())) {
    return Error{ErrorCode::invalid_argument,
                 "to ask for a role needs the authority that issues roles", ""};
  }
  TlsPlan plan;
  plan.cert_file = options.cert_file;
  plan.key_file = options.key_file;
  plan.ca_file = options.ca_file;
  plan.verify_peer = options.verify_peer;
  plan.peer_role = options.peer_role;
  plan.clock = options.clock;
  plan.on_reload = options.on_reload;
  return TlsSettings::open(std::move(plan));
}

class BeastClient final : public Client {
 public:
  BeastClient(ClientOptions options, std::unique_ptr<TlsSettings> tls) {
    const int threads = options.threads;
    state_.options = std::move(options);
    state_.tls = std::move(tls);
    state_.resolver.emplace(state_.options.look_up ? state_.options.look_up : system_look_up);
    for (int i = 0; i < threads; ++i) loops_.push_back(std::make_unique<ClientLoop>(state_));
  }
  ~BeastClient() override;

  Status start();
  void send(ClientRequest request, Done done) override {
    stream(std::move(request), {}, std::move(done));
  }
  void stream(ClientRequest request, std::function<bool(BytesView)> on_data, Done done) override;

 private:
  ClientState state_;
  std::vector<std::unique_ptr<ClientLoop>> loops_;
};

Status BeastClient::start() {
  try {
    for (const auto& loop : loops_) loop->start();
  } catch (const std::system_error&) {
    return Error{ErrorCode::unavailable, "cannot start a thread for HTTP", "raise the task limit"};
  }
  return {};
}

BeastClient::~BeastClient() {
  for (const auto& loop : loops_) loop->stop();
  for (const auto& loop : loops_) loop->join();
  // Callbacks of the cancelled may have sent anew, also to another loop.
  for (std::size_t ran = 1; ran != 0;) {
    ran = 0;
    for (const auto& loop : loops_) ran += loop->run_rest();
  }
  state_.resolver.reset();
}

void BeastClient::stream(ClientRequest request, std::function<bool(BytesView)> on_data, Done done) {
  const Url& url = request.url;
  const std::size_t origin = std::hash<std::string>{}(request.unix_path + url.scheme + url.host +
                                                      ":" + std::to_string(url.port));
  // One origin, one thread: its pool needs no lock.
  ClientLoop& loop = *loops_[origin % loops_.size()];
  const auto refuse = [&](Error error) {
    asio::post(loop.context(), [done = std::move(done), error = std::move(error)] { done(error); });
  };
  if (const auto status = check_request(request); !status) return refuse(status.error());
  if (state_.in_flight++ >= state_.options.in_flight_max) {
    --state_.in_flight;
    return refuse({ErrorCode::overloaded, "too many requests in flight", ""});
  }
  loop.submit(
      std::make_shared<Call>(loop, std::move(request), std::move(on_data), std::move(done)));
}

}  // namespace

Result<std::unique_ptr<Client>> make_client(ClientOptions options) {
  const auto& cidrs = options.policy.allow_cidrs;
  const auto bad = std::find_if_not(cidrs.begin(), cidrs.end(),
                                    [](const std::string& cidr) { return valid_cidr(cidr); });
  if (bad != cidrs.end()) {
    return Error{ErrorCode::invalid_argument, "not an address range: " + *bad,
                 "write it like 10.1.0.0/16"};
  }
  if (options.threads < 1 || !options.clock || !valid_field_value(options.user_agent)) {
    return Error{ErrorCode::invalid_argument,
                 "a client needs a thread, a clock and a printable name", ""};
  }
  ST_ASSIGN(auto tls, open_tls(options));
  auto client = std::make_unique<BeastClient>(std::move(options), std::move(tls));
  ST_CHECK_OK(client->start());
  return std::unique_ptr<Client>(std::move(client));
}

}  // namespace sandtrail::http
