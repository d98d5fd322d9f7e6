// SPDX-License-Identifier: Apache-2.0
// Calls of the client under test that wait for their result.
#pragma once

#include <future>
#include <memory>
#include <stdexcept>
#include <string>

#include "http_beast/client.h"
#include "raw_peer.h"
#include "test_certificates.h"

namespace sandtrail::http::test {

inline ClientOptions open_options() {
  ClientOptions out;
  out.policy.allow_private = true;
  use_certificate(out);
  return out;
}

inline std::unique_ptr<Client> client_with(ClientOptions options) {
  auto made = make_client(std::move(options));
  if (!made) throw std::runtime_error(made.error().text());
  return std::move(*made);
}

inline ClientRequest request_to(const std::string& url, std::string method = "GET",
                                Bytes body = "") {
  ClientRequest out;
  out.url = *parse_url(url);
  out.method = std::move(method);
  out.body = std::move(body);
  out.timeout = Millis{kPatienceMs};
  out.response_bytes_max = 1u << 20;
  return out;
}

// The result of a call, which must come within twice the patience.
class Pending {
 public:
  Client::Done done() {
    return [promise = promise_](Result<ClientResponse> result) {
      promise->set_value(std::move(result));  // throws if called twice
    };
  }
  Result<ClientResponse> wait() {
    if (future_.wait_for(std::chrono::milliseconds(2 * kPatienceMs)) != std::future_status::ready) {
      throw std::runtime_error("the request never ended");
    }
    return future_.get();
  }

 private:
  std::shared_ptr<std::promise<Result<ClientResponse>>> promise_ =
      std::make_shared<std::promise<Result<ClientResponse>>>();
  std::future<Result<ClientResponse>> future_ = promise_->get_future();
};

inline Result<ClientResponse> call(Client& client, ClientRequest request) {
  Pending pending;
  client.send(std::move(request), pending.done());
  return pending.wait();
}

inline std::string name_of_result(const Result<ClientResponse>& result) {
  return result ? std::to_string(result->status) : std::string(name_of(result.error().code));
}

}  // namespace sandtrail::http::test
