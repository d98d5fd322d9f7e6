// SPDX-License-Identifier: Apache-2.0
#include "head_text.h"

#include <algorithm>

namespace sandtrail::http {
namespace {

constexpr std::string_view kOwn[] = {"Connection", "Content-Length", "Date", "Keep-Alive",
                                     "Transfer-Encoding"};

void put(std::string& out, std::string_view name, std::string_view value) {
  out.append(name).append(": ").append(value).append("\r\n");
}

}  // namespace

std::string head_text(const Response& response, const HeadFacts& facts) {
  std::string out = "HTTP/1.1 " + std::to_string(response.status) + " ";
  out.append(reason_phrase(response.status)).append("\r\n");
  for (const auto& [name, value] : response.fields.all()) {
    const auto own = [&](std::string_view reserved) { return same_field_name(reserved, name); };
    if (std::none_of(std::begin(kOwn), std::end(kOwn), own)) put(out, name, value);
  }
  put(out, "Date", facts.date);
  if (facts.framing == BodyFraming::length) {
    put(out, "Content-Length", std::to_string(facts.body_bytes));
  } else if (facts.framing == BodyFraming::chunked) {
    put(out, "Transfer-Encoding", "chunked");
  }
  if (!facts.keep) {
    put(out, "Connection", "close");
  } else if (facts.http_1_0) {
    put(out, "Connection", "keep-alive");
  }
  out += "\r\n";
  return out;
}

bool valid_head(const Response& response) {
  const auto& fields = response.fields.all();
  return response.status >= 200 && response.status <= 599 &&
         std::all_of(fields.begin(), fields.end(), [](const auto& field) {
           return valid_field_name(field.first) && valid_field_value(field.second);
         });
}

bool bodyless(int status) {
  return status == 204 || status == 304;
}

bool wants_close(const Response& response) {
  const auto value = response.fields.get("Connection");
  return value && same_field_name(*value, "close");
}

Response rejection(const ServerOptions& options, int status, std::string detail) {
  Response response;
  if (options.reject) response = options.reject(status, detail);
  if (!options.reject || !valid_head(response)) {
    response = Response{};
    response.status = status;
    response.fields.add("Content-Type", "text/plain; charset=utf-8");
    response.body = detail + "\n";
  }
  if (response.status == 503 && !response.fields.has("Retry-After")) {
    response.fields.add("Retry-After", "1");
  }
  return response;
}

}  // namespace sandtrail::http
