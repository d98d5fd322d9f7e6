// SPDX-License-Identifier: Apache-2.0
#include "client.h"

#include <algorithm>
#include <chrono>
#include <utility>

#include "base/limits.h"
#include "crypto/digest.h"

namespace sandtrail::s3 {
namespace {

const char* name_of_method(Exchange::Method method) {
  switch (method) {
    case Exchange::Method::get:
      return "GET";
    case Exchange::Method::put:
      return "PUT";
    case Exchange::Method::remove:
      return "DELETE";
  }
  return "";
}

}  // namespace

Client::Client(Target target, S3Credentials credentials, TransferOptions transfers,
               const Clock& clock, Random& random)
    : target_(std::move(target)),
      credentials_(std::move(credentials)),
      clock_(clock),
      random_(random),
      pool_([transfers = std::move(transfers), service = target_.origin]() mutable {
        transfers.service = service;
        return make_transfer(transfers);
      }) {}

Result<Answer> Client::send(const Request& request, const Deadline& deadline,
                            const std::function<bool(const Answer&)>& accepted) const {
  const std::string payload_sha256 = hex(sha256(request.content));
  for (int tries = 1;; ++tries) {
    auto answer = try_once(request, payload_sha256, deadline);
    if (answer.ok() && accepted(*answer)) return answer;
    Error error = answer.ok() ? error_of(*answer, request.action) : answer.error();
    if (!answer.ok()) error.message = request.action + ": " + error.message;
    const bool may_help = error.code == ErrorCode::unavailable && tries < limits::kS3TriesMax;
    if (!may_help || !pause(tries, deadline)) return error;
  }
}

Result<Answer> Client::try_once(const Request& request, const std::string& payload_sha256,
                                const Deadline& deadline) const {
  Exchange exchange;
  exchange.method = request.method;
  exchange.url = target_.origin + target_.base_path + request.name;
  exchange.body = request.content;
  ST_ASSIGN(auto transfer, pool_.take(std::max(deadline.left(), Millis{0})));
  exchange.timeout = deadline.left();
  if (exchange.timeout <= Millis{0}) {
    return Error{ErrorCode::unavailable, "no answer in time", ""};
  }
  exchange.headers = signed_headers(request, payload_sha256);
  return transfer->run(exchange);
}

std::vector<std::string> Client::signed_headers(const Request& request,
                                                const std::string& payload_sha256) const {
  const std::string date = amz_date(clock_.now());
  Headers headers{{"x-amz-content-sha256", payload_sha256}, {"x-amz-date", date}};
  if (!credentials_.session_token.empty()) {
    headers.emplace_back("x-amz-security-token", credentials_.session_token.view());
  }
  if (request.method == Exchange::Method::put) headers.emplace_back(kDigestHeader, payload_sha256);
  if (request.if_absent) headers.emplace_back("if-none-match", "*");
  std::vector<std::string> out;
  for (const auto& [name, value] : headers) out.push_back(name + ": " + value);
  headers.emplace_back("host", target_.authority);  // which libcurl sends by itself
  const RequestToSign to_sign{name_of_method(request.method), target_.base_path + request.name, "",
                              std::move(headers), payload_sha256};
  const Signer signer{credentials_.access_key_id, credentials_.secret_access_key, target_.region,
                      "s3"};
  out.push_back("authorization: " + authorization(to_sign, signer, date));
  return out;
}

// Waits before another try. False if there is no time for one.
bool Client::pause(int tries, const Deadline& deadline) const {
  std::int64_t delay_ms = limits::kS3RetryDelay.count;
  for (int i = 1; i < tries; ++i) delay_ms *= 4;
  // Half of it by chance, so that those who failed together do not come back together.
  delay_ms = delay_ms / 2 +
             static_cast<std::int64_t>(random_.below(static_cast<std::uint64_t>(delay_ms / 2) + 1));
  if (deadline.left() <= Millis{delay_ms}) return false;
  std::mutex mutex;
  std::condition_variable never;  // nobody tells when a service is well again
  std::unique_lock lock(mutex);
  never.wait_for(lock, std::chrono::milliseconds(delay_ms), [] { return false; });
  return true;
}

}  // namespace sandtrail::s3
