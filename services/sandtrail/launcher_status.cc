// SPDX-License-Identifier: Apache-2.0
#include "launcher_status.h"

#include <future>

#include "cluster_tls.h"
#include "codec/json.h"
#include "http_beast/client.h"

namespace sandtrail {
namespace {

constexpr std::string_view kPath = "/host/v1/status";
constexpr Millis kAskTimeout = seconds(5);
constexpr std::size_t kAnswerBytesMax = 1u << 20;

http::Response answer(int status, const json::value& body) {
  http::Response response;
  response.status = status;
  response.fields.set("Content-Type", "application/json");
  response.fields.set("Cache-Control", "no-store");
  response.body = json::print(body);
  return response;
}

http::Response refusal(int status, std::string_view code, std::string_view detail) {
  json::object body;
  body["code"] = json::value(code);
  body["detail"] = json::value(detail);
  return answer(status, std::move(body));
}

}  // namespace

http::Handler with_launcher_status(std::string instance,
                                   std::function<std::vector<HostStatus>()> hosts,
                                   http::Handler others) {
  return [instance = std::move(instance), hosts = std::move(hosts), others = std::move(others)](
             http::Request request, std::shared_ptr<http::Responder> responder) {
    if (request.path != kPath) return others(std::move(request), std::move(responder));
    if (request.method != "GET") {
      return responder->respond(refusal(405, "method_not_allowed", "allowed: GET"));
    }
    if (request.peer && request.peer->role != "operator") {
      return responder->respond(
          refusal(403, "not_an_operator", "the certificate must be of the role operator"));
    }
    json::object body;
    body["launcher"] = json::value(std::string_view(instance));
    body["hosts"] = hosts_document(hosts());
    responder->respond(answer(200, std::move(body)));
  };
}

Result<Bytes> ask_launcher(const Config& config, const std::string& launcher) {
  http::ClientOptions options;
  options.policy.allow_private = true;  // our own settings name it
  use_cluster_tls(config, "launcher", options);
  ST_ASSIGN(auto client, http::make_client(std::move(options)));
  http::ClientRequest request;
  const std::string scheme = config.cluster.tls() ? "https://" : "http://";
  ST_ASSIGN(request.url, http::parse_url(scheme + launcher + std::string(kPath)));
  request.timeout = kAskTimeout;
  request.response_bytes_max = kAnswerBytesMax;
  std::promise<Result<http::ClientResponse>> promise;
  auto future = promise.get_future();
  client->send(std::move(request), [&promise](Result<http::ClientResponse> result) {
    promise.set_value(std::move(result));
  });
  ST_ASSIGN(http::ClientResponse response, future.get());
  if (response.status == 200) return std::move(response.body);
  const ErrorCode code = response.status == 403 ? ErrorCode::denied : ErrorCode::unavailable;
  return Error{code, "it answered " + std::to_string(response.status) + ": " + response.body, ""};
}

}  // namespace sandtrail
