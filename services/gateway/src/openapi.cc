// SPDX-License-Identifier: Apache-2.0
#include "openapi.h"

#include "codec/schema.h"
#include "gateway/documents.h"
#include "routes.h"

namespace sandtrail {
namespace gateway {
namespace {

using json::object;

json::value text(std::string_view content) {
  return json::value(content);
}

object described(std::string_view description) {
  object out;
  out["description"] = text(description);
  return out;
}

object reference(std::string_view section, std::string_view name) {
  object out;
  out["$ref"] = text("#/components/" + std::string(section) + "/" + std::string(name));
  return out;
}

object content(std::string_view media_type, std::string_view schema) {
  object media;
  media["schema"] = reference("schemas", schema);
  object out;
  out[media_type] = std::move(media);
  return out;
}

object parameter(std::string_view in, std::string_view name, std::string_view type,
                 std::string_view description, bool required) {
  object out;
  out["name"] = text(name);
  out["in"] = text(in);
  out["required"] = required;
  out["description"] = text(description);
  out["schema"] = reflect::typed(type);
  return out;
}

// "metadata[]": metadata[key]=value, one for each pair.
object pairs_parameter(const Parameter& from) {
  const auto name = from.name.substr(0, from.name.size() - 2);
  object out = parameter("query", name, "object", from.description, false);
  out["style"] = "deepObject";
  out["schema"].as_object()["additionalProperties"] = reflect::typed("string");
  return out;
}

json::array parameters_of(const Route& route) {
  json::array out;
  std::string_view path = route.path;
  for (auto at = path.find('{'); at != std::string_view::npos; at = path.find('{')) {
    const auto end = path.find('}');
    const auto name = path.substr(at + 1, end - at - 1);
    out.push_back(parameter("path", name, "string", "Its id.", true));
    path.remove_prefix(end + 1);
  }
  for (const Parameter& query : route.parameters) {
    out.push_back(query.name.ends_with("[]")
                      ? pairs_parameter(query)
                      : parameter("query", query.name, query.type, query.description, false));
  }
  if (route.access == Access::key) out.push_back(reference("parameters", "Position"));
  if (route.idempotent) out.push_back(reference("parameters", "IdempotencyKey"));
  if (route.response == "Execution") out.push_back(reference("parameters", "Prefer"));
  if (route.response.ends_with("Stream")) out.push_back(reference("parameters", "LastEventId"));
  return out;
}

object responses_of(const Route& route, const object& schemas) {
  object success = described(route.status == 202   ? "Accepted."
                             : route.status == 201 ? "Created."
                             : route.status == 204 ? "Done."
                                                   : "Here it is.");
  if (!route.response.empty()) {
    const auto& schema = schemas.at(route.response).as_object();
    const auto* media = schema.if_contains("x-media-type");
    success["content"] = content(media != nullptr ? std::string_view(media->as_string())
                                                  : std::string_view("application/json"),
                                 route.response);
  }
  if (route.reads() && route.access == Access::key) {
    success["headers"].emplace_object()["Age"] = reference("headers", "Age");
  }
  object out;
  out[std::to_string(route.status)] = success;
  if (route.status == 202) {
    success["description"] = "It is over; the preference to wait was applied.";
    out["200"] = std::move(success);
  }
  out["default"] = reference("responses", "Problem");
  return out;
}

object receiver_operation(std::string_view summary) {
  object body;
  body["required"] = true;
  body["content"] = content("application/json", "Message");
  object responses;
  responses["2XX"] = described("Taken. Anything else is repeated with growing pauses.");
  responses["410"] = described("Nobody is here any more: nothing more is sent.");
  object operation;
  operation["summary"] = text(summary);
  operation["requestBody"] = std::move(body);
  operation["responses"] = std::move(responses);
  operation["security"] = json::array{};
  object out;
  out["post"] = std::move(operation);
  return out;
}

object operation_of(const Route& route, const object& schemas) {
  object out;
  out["operationId"] = text(route.name);
  out["summary"] = text(route.summary);
  if (route.access == Access::key) {
    out["description"] = text("Needs the role " + std::string(enum_text(route.role)) + ".");
  } else {
    out["security"] = json::array{};
  }
  auto parameters = parameters_of(route);
  if (!parameters.empty()) out["parameters"] = std::move(parameters);
  if (!route.request.empty()) {
    object body;
    body["required"] = !route.body_optional;
    body["content"] = content("application/json", route.request);
    out["requestBody"] = std::move(body);
  }
  out["responses"] = responses_of(route, schemas);
  if (route.request == "ExecutionRequest") {
    object by_url;
    by_url["{$request.body#/callback_url}"] = receiver_operation("The execution has ended.");
    object callbacks;
    callbacks["ended"] = std::move(by_url);
    out["callbacks"] = std::move(callbacks);
  }
  return out;
}

object common_parameters() {
  object out;
  out["Position"] = parameter("header", "Sandtrail-Position", "string",
                              "Answer only from a state that includes this position, as an "
                              "earlier answer gave it; 504 after 5 seconds.",
                              false);
  out["IdempotencyKey"] =
      parameter("header", "Idempotency-Key", "string",
                "A repeat with the same key and body within 24 hours gets the first one's "
                "resource; with another body 422.",
                false);
  out["Prefer"] = parameter("header", "Prefer", "string",
                            "wait=N: answer once the execution is over, after N seconds at most; "
                            "60 seconds at most.",
                            false);
  out["LastEventId"] =
      parameter("header", "Last-Event-ID", "string", "Start after the event of this id.", false);
  return out;
}

object components(object schemas) {
  object bearer;
  bearer["type"] = "http";
  bearer["scheme"] = "bearer";
  bearer["description"] = "An API key, st_…";
  object problem = described("A problem document (RFC 9457); its code is stable.");
  problem["content"] = content("application/problem+json", "Problem");
  for (auto& member : schemas) {
    if (member.value().is_object()) member.value().as_object().erase("x-media-type");
  }
  object out;
  out["securitySchemes"].emplace_object()["apiKey"] = std::move(bearer);
  object age = described(
      "How many seconds ago the server was last known to be current with the log (RFC 9111 section "
      "5.1): 0 unless it is cut from it, or is catching up.");
  age["schema"] = reflect::typed("integer");
  out["headers"].emplace_object()["Age"] = std::move(age);
  out["parameters"] = common_parameters();
  out["responses"].emplace_object()["Problem"] = std::move(problem);
  out["schemas"] = std::move(schemas);
  return out;
}

std::string lower(std::string_view text) {
  std::string out(text);
  for (char& c : out) c = static_cast<char>(c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : c);
  return out;
}

}  // namespace

void get_openapi(Context&, const CallPtr& call) {
  static const json::value document(openapi_document());
  respond_json(*call, 200, document);
}

}  // namespace gateway

json::object openapi_document() {
  using namespace gateway;
  object schemas = component_schemas();
  object paths;
  for (const Route& route : public_routes()) {
    auto& path = paths[route.path];
    if (!path.is_object()) path.emplace_object();
    path.as_object()[lower(route.method)] = operation_of(route, schemas);
  }
  object webhooks;
  for (const auto type : message_types()) {
    webhooks[type] = receiver_operation("Sent to webhook endpoints whose filters fit.");
  }
  object info;
  info["title"] = "Sandtrail";
  info["version"] = "1.0.0";
  info["summary"] = "Runs untrusted code in sandboxes; every step is an event.";
  object licence;
  licence["name"] = "Apache-2.0";
  licence["identifier"] = "Apache-2.0";
  info["license"] = std::move(licence);
  object server;
  server["url"] = "/";
  object out;
  out["openapi"] = "3.1.0";
  out["info"] = std::move(info);
  out["servers"] = json::array{std::move(server)};
  object security;
  security["apiKey"] = json::array{};
  out["security"] = json::array{std::move(security)};
  out["paths"] = std::move(paths);
  out["webhooks"] = std::move(webhooks);
  out["components"] = components(std::move(schemas));
  return out;
}

}  // namespace sandtrail
