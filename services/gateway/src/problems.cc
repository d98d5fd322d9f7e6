// SPDX-License-Identifier: Apache-2.0
#include "problems.h"

#include <algorithm>

#include "gateway/documents.h"

namespace sandtrail {
namespace gateway {

const std::vector<ProblemKind>& problem_kinds() {
  static const std::vector<ProblemKind> kinds{
      {"bad_request", 400, "The request is not HTTP as it should be"},
      {"malformed_json", 400, "The body is not valid JSON"},
      {"invalid_parameter", 400, "A parameter or field of the request is not valid"},
      {"unauthenticated", 401, "An API key is needed"},
      {"key_unknown", 401, "The API key is not known"},
      {"key_revoked", 401, "The API key was revoked"},
      {"key_expired", 401, "The API key has expired"},
      {"insufficient_credits", 402, "The credits do not cover the worst case"},
      {"missing_role", 403, "The API key's role does not allow this"},
      {"not_found", 404, "There is no such thing"},
      {"no_checkpoint", 404, "There is no checkpoint yet"},
      {"method_not_allowed", 405, "The method is not allowed here"},
      {"request_timeout", 408, "The request did not arrive in time"},
      {"already_exists", 409, "It exists already"},
      {"limit_reached", 409, "A limit of the organisation is reached"},
      {"version_mismatch", 409, "It has changed in the meantime"},
      {"wrong_state", 409, "Its state does not allow this"},
      {"body_too_large", 413, "The body is too large"},
      {"target_too_long", 414, "The target of the request is too long"},
      {"unsupported_media_type", 415, "The body must be application/json"},
      {"expectation_failed", 417, "The expectation cannot be met"},
      {"idempotency_conflict", 422, "The Idempotency-Key was used with another body"},
      {"invalid", 422, "The log refused a value"},
      {"invalid_request", 422, "The body does not describe a valid request"},
      {"queue_full", 429, "Too many executions of the organisation wait"},
      {"headers_too_large", 431, "The header fields are too large"},
      {"internal", 500, "The server failed"},
      {"not_implemented", 501, "The server does not know this"},
      {"log_away", 503, "The log is away"},
      {"not_ready", 503, "The server is not ready for this yet"},
      {"overloaded", 503, "The server has too much to do"},
      {"storage_full", 503, "The server's disk is full"},
      {"unavailable", 503, "A part of the server is away"},
      {"not_yet", 504, "The read model has not come so far yet"},
      {"outcome_unknown", 504, "Nobody knows yet whether it was done"},
      {"http_version", 505, "This version of HTTP is not spoken here"}};
  return kinds;
}

const ProblemKind& problem_kind(std::string_view code) {
  const auto& kinds = problem_kinds();
  const auto found = std::find_if(kinds.begin(), kinds.end(),
                                  [code](const ProblemKind& kind) { return kind.code == code; });
  ST_ASSERT(found != kinds.end());
  return *found;
}

Problem invalid_request(std::vector<reflect::Problem> errors) {
  Problem problem{"invalid_request", "", {}, {}};
  if (!errors.empty()) {
    const auto& first = errors.front();
    problem.detail = (first.pointer.empty() ? "the body" : first.pointer) + " " + first.detail;
  }
  problem.errors = std::move(errors);
  return problem;
}

Problem invalid_parameter(std::string_view name, std::string detail) {
  return {"invalid_parameter", std::string(name) + " " + std::move(detail), {}, {}};
}

Problem problem_of(VoidReason reason) {
  const std::string name(enum_text(reason));
  switch (reason) {
    case VoidReason::key_unknown:
    case VoidReason::key_revoked:
    case VoidReason::key_expired:
      return {problem_kind(name).code,
              "the key was checked where the request stands in the log",
              {},
              {{"WWW-Authenticate", "Bearer error=\"invalid_token\""}}};
    case VoidReason::missing_role:
    case VoidReason::idempotency_conflict:
    case VoidReason::version_mismatch:
    case VoidReason::already_exists:
    case VoidReason::not_found:
    case VoidReason::wrong_state:
    case VoidReason::limit_reached:
    case VoidReason::insufficient_credits:
    case VoidReason::invalid:
      return {problem_kind(name).code, "void in the log: " + name, {}, {}};
    case VoidReason::unknown_organization:
      return {"not_found", "the organisation does not exist", {}, {}};
    case VoidReason::stale:
    case VoidReason::ahead:
      return {"unavailable",
              "the log took the request too late; nothing was done",
              {},
              {{"Retry-After", "5"}}};
    default:
      return {"internal", "void in the log: " + name, {}, {}};
  }
}

Problem problem_of(const Error& error) {
  const std::vector<std::pair<std::string, std::string>> soon{{"Retry-After", "1"}};
  switch (error.code) {
    case ErrorCode::overloaded:
      return {"overloaded", error.message, {}, soon};
    case ErrorCode::disk_full:
      return {"storage_full", error.message, {}, {}};
    case ErrorCode::unavailable:
      return {"unavailable", error.message, {}, soon};
    case ErrorCode::unknown_outcome:
    case ErrorCode::timeout:
    case ErrorCode::cancelled:
      return {
          "outcome_unknown",
          error.message + "; repeat it with the same Idempotency-Key to learn what became of it",
          {},
          soon};
    case ErrorCode::invalid_argument:
      return {"invalid", error.message, {}, {}};
    case ErrorCode::not_found:
      return {"not_found", error.message, {}, {}};
    default:
      return {"internal", "see the server's log, by the request id", {}, {}};
  }
}

http::Response to_response(const Problem& problem, std::string_view instance,
                           std::string_view request_id) {
  const ProblemKind& kind = problem_kind(problem.code);
  json::object body;
  body["type"] = json::value(std::string_view("/problems/" + std::string(kind.code)));
  body["title"] = json::value(kind.title);
  body["status"] = kind.status;
  if (!problem.detail.empty()) body["detail"] = json::value(std::string_view(problem.detail));
  if (!instance.empty()) body["instance"] = json::value(instance);
  body["code"] = json::value(kind.code);
  if (!request_id.empty()) body["request_id"] = json::value(request_id);
  if (!problem.errors.empty()) {
    json::array errors;
    for (const auto& error : problem.errors) {
      json::object item;
      item["pointer"] = json::value(std::string_view(error.pointer));
      item["detail"] = json::value(std::string_view(error.detail));
      errors.push_back(std::move(item));
    }
    body["errors"] = std::move(errors);
  }
  http::Response response;
  response.status = kind.status;
  response.fields.set("Content-Type", "application/problem+json");
  response.fields.set("Cache-Control", "no-store");
  for (const auto& [name, value] : problem.fields) response.fields.set(name, value);
  response.body = json::print(body);
  return response;
}

}  // namespace gateway

std::vector<std::string_view> problem_codes() {
  std::vector<std::string_view> codes;
  for (const auto& kind : gateway::problem_kinds()) codes.push_back(kind.code);
  return codes;
}

}  // namespace sandtrail
