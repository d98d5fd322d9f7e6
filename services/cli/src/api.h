// SPDX-License-Identifier: Apache-2.0
// The HTTP API, one blocking call at a time.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "http/client.h"
#include "http/sse.h"
#include "session.h"
#include "target.h"

namespace sandtrail::cli {

using FieldList = std::vector<std::pair<std::string, std::string>>;

struct ApiAnswer {
  int status = 0;
  http::Fields fields;
  Bytes text;
  json::value body;  // null if it is empty or not JSON
};

// An error status is an Error: its message is the problem's title, detail, pointers and request id,
// ready to print. Codes: not_found (404), denied (401, 403), conflict (409), invalid_argument
// (other 4xx), unavailable (5xx); of the client as it says.
class Api {
 public:
  Api(Session& session, Target target) : session_(session), target_(std::move(target)) {}

  Result<ApiAnswer> get(const std::string& target, const FieldList& fields = {}) {
    return call("GET", target, nullptr, fields);
  }
  // For routes that honour Idempotency-Key: sent with one, so it can be repeated after a broken
  // connection; it is, once.
  Result<ApiAnswer> post(const std::string& target, const json::value& body,
                         const FieldList& fields = {});
  // For the others. `body` null: none.
  Result<ApiAnswer> post_once(const std::string& target, const json::value* body) {
    return call("POST", target, body, {});
  }
  Result<ApiAnswer> remove(const std::string& target) {
    return call("DELETE", target, nullptr, {});
  }
  // Up to `count` items of a list, over as many pages as it takes. `target` may have a query.
  Result<json::array> list(const std::string& target, std::int64_t count);
  // Server-sent events until the stream ends or `on_event` returns false; a broken connection is
  // resumed behind the last event. timeout: it has not ended within `time`. `on_event` is called on
  // another thread, but never after the return.
  struct EventOptions {
    FieldList fields = {};
    std::optional<Millis> time = {};
  };
  using OnEvent = std::function<bool(const http::SseEvent&)>;
  Status events(const std::string& target, const OnEvent& on_event, EventOptions options);
  Status events(const std::string& target, const OnEvent& on_event) {
    return events(target, on_event, {});
  }

 private:
  Result<ApiAnswer> call(const std::string& method, const std::string& target,
                         const json::value* body, const FieldList& fields);
  http::ClientRequest request(const std::string& method, const std::string& target) const;
  Result<http::ClientResponse> send(http::ClientRequest request);

  Session& session_;
  const Target target_;
};

// The API as the verbs of organisations and of operators use it.
Result<Api> server_api(Session& session);
Result<Api> operator_api(Session& session);

// Percent-encodes what may not stand in a query (RFC 3986 section 2.3).
std::string query_text(std::string_view text);
// "a=1&b=2" of those that are not empty, with "?" before it; "" if there is none.
std::string query_of(const FieldList& parameters);

// The member as people read it: text as it is, numbers and flags as JSON, "" if absent or null.
std::string shown(const json::value& document, std::string_view name);
// Through nested objects: "cost.credits".
std::string shown_at(const json::value& document, std::string_view path);

}  // namespace sandtrail::cli
