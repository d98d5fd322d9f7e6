// SPDX-License-Identifier: Apache-2.0
#include "api.h"

#include <algorithm>
#include <chrono>
#include <future>
#include <mutex>

#include "base/limits.h"

namespace sandtrail::cli {
namespace {

// The longest the server holds a request with "Prefer: wait", and what it needs besides.
constexpr Millis kAnswerTimeout = seconds(limits::kPreferWaitSecondsMax + 40);
constexpr int kResumesMax = 10;  // in a row, of an event stream without an event in between
constexpr Millis kResumeAfter = seconds(1);
// A server that starts folds the log first; so often, a second apart, it is asked again.
constexpr int kNotReadyMax = 30;

ErrorCode code_of(int status) {
  switch (status) {
    case 401:
    case 403:
      return ErrorCode::denied;
    case 404:
      return ErrorCode::not_found;
    case 409:
      return ErrorCode::conflict;
    case 429:
      return ErrorCode::overloaded;
    default:
      return status >= 500 ? ErrorCode::unavailable : ErrorCode::invalid_argument;
  }
}

json::value parsed_or_null(BytesView text) {
  auto parsed = json::parse(text);
  return parsed.ok() ? std::move(*parsed) : json::value(nullptr);
}

// RFC 9457, with our members.
Error problem_error(const http::ClientResponse& response) {
  const json::value body = parsed_or_null(response.body);
  if (!body.is_object()) {
    return {code_of(response.status),
            "the server answered " + std::to_string(response.status) + " " +
                std::string(http::reason_phrase(response.status)),
            ""};
  }
  std::string message = shown(body, "title");
  if (message.empty()) message = "status " + std::to_string(response.status);
  const std::string detail = shown(body, "detail");
  if (!detail.empty()) message += ": " + detail;
  std::string hint;
  const auto* errors = body.get_object().if_contains("errors");
  if (errors != nullptr && errors->is_array()) {
    for (const json::value& item : errors->get_array()) {
      const std::string text = shown(item, "pointer") + " " + shown(item, "detail");
      if (text != detail) hint += text + "\n";
    }
  }
  if (const auto code = shown(body, "code"); !code.empty()) hint += "code: " + code + "\n";
  std::string id = shown(body, "request_id");
  if (id.empty()) id = response.fields.get("Request-Id").value_or("");
  if (!id.empty()) hint += "request id: " + id + "\n";
  if (hint.ends_with('\n')) hint.pop_back();
  return {code_of(response.status), std::move(message), std::move(hint)};
}

bool not_ready(const Result<http::ClientResponse>& result) {
  return result.ok() && result->status == 503 &&
         shown(parsed_or_null(result->body), "code") == "not_ready";
}

Error with_advice(Error error, const Target& target) {
  if (error.code == ErrorCode::unavailable && error.hint.empty()) {
    error.hint =
        target.unix_path.empty()
            ? "is the server running? `sandtrail dev` starts one"
            : "is the server running here? This verb uses its unix socket; `sandtrail dev` "
              "starts one, --data-dir says where";
  }
  return error;
}

}  // namespace

http::ClientRequest Api::request(const std::string& method, const std::string& target) const {
  http::ClientRequest out;
  out.method = method;
  out.url = target_.base;
  out.url.target += target;
  out.unix_path = target_.unix_path;
  out.timeout = kAnswerTimeout;
  out.response_bytes_max = limits::kCliResponseBytesMax;
  out.fields.set("Accept", "application/json");
  if (!target_.api_key.empty()) out.fields.set("Authorization", "Bearer " + target_.api_key);
  return out;
}

Result<http::ClientResponse> Api::send(http::ClientRequest request) {
  auto promise = std::make_shared<std::promise<Result<http::ClientResponse>>>();
  auto answered = promise->get_future();
  session_.parts.client.send(std::move(request), [promise](Result<http::ClientResponse> result) {
    promise->set_value(std::move(result));
  });
  return answered.get();
}

Result<ApiAnswer> Api::call(const std::string& method, const std::string& target,
                            const json::value* body, const FieldList& fields) {
  http::ClientRequest request = this->request(method, target);
  for (const auto& [name, value] : fields) request.fields.set(name, value);
  if (body != nullptr) {
    request.fields.set("Content-Type", "application/json");
    request.body = json::print(*body);
  }
  auto result = send(request);
  for (int again = 0; not_ready(result) && again < kNotReadyMax; ++again) {
    session_.parts.pause(kResumeAfter);
    result = send(request);
  }
  if (!result.ok()) return with_advice(result.error(), target_);
  if (result->status == 404 && !target_.unix_path.empty() &&
      shown(parsed_or_null(result->body), "detail") == "no such path") {
    return Error{ErrorCode::unavailable, "this process does not answer that",
                 "only a gateway does: is one running here? --socket names another"};
  }
  if (result->status / 100 != 2) return problem_error(*result);
  json::value parsed = parsed_or_null(result->body);
  return ApiAnswer{result->status, std::move(result->fields), std::move(result->body),
                   std::move(parsed)};
}

Result<ApiAnswer> Api::post(const std::string& target, const json::value& body,
                            const FieldList& fields) {
  FieldList all = fields;
  const bool given = std::any_of(fields.begin(), fields.end(), [](const auto& field) {
    return field.first == "Idempotency-Key";
  });
  if (!given)
    all.emplace_back("Idempotency-Key", "cli_" + crockford(session_.parts.random.bytes(16)));
  auto first = call("POST", target, &body, all);
  if (first.ok() || first.error().code != ErrorCode::unavailable) return first;
  // It may have been done: the key makes the repeat harmless.
  session_.parts.pause(kResumeAfter);
  return call("POST", target, &body, all);
}

Result<json::array> Api::list(const std::string& target, std::int64_t count) {
  json::array out;
  std::string cursor;
  while (static_cast<std::int64_t>(out.size()) < count) {
    const std::int64_t left = count - static_cast<std::int64_t>(out.size());
    const std::string more = "limit=" + std::to_string(std::min(left, limits::kPageMax)) +
                             (cursor.empty() ? "" : "&cursor=" + query_text(cursor));
    const char* joint = target.find('?') == std::string::npos ? "?" : "&";
    ST_ASSIGN(ApiAnswer page, get(target + joint + more));
    const json::value* data =
        page.body.is_object() ? page.body.get_object().if_contains("data") : nullptr;
    if (data == nullptr || !data->is_array()) {
      return Error{ErrorCode::corrupt, "the server's answer is no list", "is the URL right?"};
    }
    for (const json::value& item : data->get_array()) out.push_back(item);
    const std::string next = shown(page.body, "next_cursor");
    if (next.empty() || next == cursor) break;
    cursor = next;
  }
  return out;
}

namespace {

// A stream that may go on on the client's thread when nobody waits for it any more.
struct Following {
  std::mutex mutex;
  http::SseParser parser;
  Api::OnEvent on_event;
  bool stopped = false;
  bool heard = false;  // an event, since it was asked last
  Status status;

  bool take(BytesView bytes) {
    const std::lock_guard lock(mutex);
    if (stopped) return false;
    status = parser.feed(bytes, [this](const http::SseEvent& event) {
      heard = true;
      if (!stopped) stopped = !on_event(event);
    });
    return status.ok() && !stopped;
  }
};

using Answered = std::future<Result<http::ClientResponse>>;

// nullopt: not within that time; nothing is taken any more.
std::optional<Result<http::ClientResponse>> answer_within(Following& following, Answered& answered,
                                                          std::optional<Millis> time) {
  if (!time) return answered.get();
  const auto span = std::chrono::milliseconds(time->count);
  if (answered.wait_for(span) == std::future_status::ready) return answered.get();
  const std::lock_guard lock(following.mutex);
  following.stopped = true;
  return std::nullopt;
}

}  // namespace

Status Api::events(const std::string& target, const OnEvent& on_event, EventOptions options) {
  const std::int64_t start_us = session_.parts.clock.monotonic_us();
  const auto time_left = [&]() -> std::optional<Millis> {
    if (!options.time) return std::nullopt;
    const auto passed_ms = (session_.parts.clock.monotonic_us() - start_us) / 1000;
    return Millis{std::max<std::int64_t>(0, options.time->count - passed_ms)};
  };
  const auto following = std::make_shared<Following>();
  following->on_event = on_event;
  for (int resumes = 0; resumes < kResumesMax; ++resumes) {
    http::ClientRequest request = this->request("GET", target);
    request.fields.set("Accept", "text/event-stream");
    for (const auto& [name, value] : options.fields) request.fields.set(name, value);
    if (const auto& last = following->parser.last_event_id(); !last.empty()) {
      request.fields.set("Last-Event-ID", last);
    }
    auto promise = std::make_shared<std::promise<Result<http::ClientResponse>>>();
    Answered answered = promise->get_future();
    session_.parts.client.stream(
        std::move(request), [following](BytesView bytes) { return following->take(bytes); },
        [promise](Result<http::ClientResponse> result) { promise->set_value(std::move(result)); });
    const auto result = answer_within(*following, answered, time_left());
    if (!result) return Error{ErrorCode::timeout, "it goes on", ""};
    ST_CHECK_OK(following->status);
    if (following->stopped) return {};
    if (result->ok() && (*result)->status / 100 == 2) return {};
    if (result->ok()) return problem_error(**result);
    if (!result->error().retryable()) return result->error();
    if (std::exchange(following->heard, false)) resumes = 0;
    if (resumes + 1 == kResumesMax) return with_advice(result->error(), target_);
    session_.parts.pause(following->parser.retry().value_or(kResumeAfter));
  }
  return {};
}

Result<Api> server_api(Session& session) {
  ST_ASSIGN(Target target, find_server(session));
  return Api(session, std::move(target));
}

Result<Api> operator_api(Session& session) {
  ST_ASSIGN(Target target, find_operator(session));
  return Api(session, std::move(target));
}

std::string query_text(std::string_view text) {
  std::string out;
  for (const char c : text) {
    const bool plain = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
                       c == '-' || c == '.' || c == '_' || c == '~';
    out += plain ? std::string(1, c) : "%" + hex(std::string_view(&c, 1));
  }
  return out;
}

std::string query_of(const FieldList& parameters) {
  std::string out;
  for (const auto& [name, value] : parameters) {
    if (value.empty()) continue;
    out += (out.empty() ? "?" : "&") + query_text(name) + "=" + query_text(value);
  }
  return out;
}

std::string shown(const json::value& document, std::string_view name) {
  const auto* object = document.if_object();
  const json::value* member = object == nullptr ? nullptr : object->if_contains(name);
  if (member == nullptr || member->is_null()) return "";
  if (member->is_string()) return std::string(std::string_view(member->get_string()));
  return json::print(*member);
}

std::string shown_at(const json::value& document, std::string_view path) {
  const auto point = path.find('.');
  if (point == std::string_view::npos) return shown(document, path);
  const auto* object = document.if_object();
  const json::value* member =
      object == nullptr ? nullptr : object->if_contains(path.substr(0, point));
  return member == nullptr ? "" : shown_at(*member, path.substr(point + 1));
}

}  // namespace sandtrail::cli
