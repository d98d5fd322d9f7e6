// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <charconv>

#include "base/limits.h"
#include "crypto/digest.h"
#include "log_away.h"
#include "routes.h"
#include "submit.h"
#include "wire/topics.h"

namespace sandtrail::gateway {
namespace {

std::vector<std::string_view> split(std::string_view text, char separator) {
  std::vector<std::string_view> out;
  while (true) {
    const std::size_t end = text.find(separator);
    out.push_back(text.substr(0, end));
    if (end == std::string_view::npos) return out;
    text.remove_prefix(end + 1);
  }
}

// What stands for "{…}", decoded; nullopt if the path is another.
std::optional<std::vector<std::string>> match(std::string_view pattern,
                                              const std::vector<std::string_view>& path) {
  const auto wanted = split(pattern, '/');
  if (wanted.size() != path.size()) return std::nullopt;
  std::vector<std::string> captured;
  for (std::size_t i = 0; i < wanted.size(); ++i) {
    if (!wanted[i].starts_with('{')) {
      if (wanted[i] != path[i]) return std::nullopt;
      continue;
    }
    auto decoded = http::percent_decode(path[i]);
    if (!decoded || decoded->empty()) return std::nullopt;
    captured.push_back(std::move(*decoded));
  }
  return captured;
}

// The route, or the problem: 404, or 405 with the methods that are allowed.
std::optional<Problem> find_route(std::span<const Route> routes, Call& call) {
  const auto path = split(call.request.path, '/');
  std::string allowed;
  for (const Route& route : routes) {
    auto captured = match(route.path, path);
    if (!captured) continue;
    if (route.method == call.request.method) {
      call.route = &route;
      call.path = std::move(*captured);
      return std::nullopt;
    }
    allowed += (allowed.empty() ? "" : ", ") + std::string(route.method);
  }
  if (allowed.empty()) return Problem{"not_found", "no such path", {}, {}};
  return Problem{"method_not_allowed", "allowed: " + allowed, {}, {{"Allow", allowed}}};
}

std::optional<Problem> read_query(Call& call) {
  auto query = http::parse_query(call.request.query);
  if (!query) return invalid_parameter("the query", "is not percent-encoded UTF-8");
  const auto& known = call.route->parameters;
  for (const auto& [name, value] : *query) {
    const bool found = std::any_of(known.begin(), known.end(), [&](const Parameter& parameter) {
      if (!parameter.name.ends_with("[]")) return parameter.name == name;
      // "metadata[]" stands for metadata[…].
      const auto stem = parameter.name.substr(0, parameter.name.size() - 1);
      return name.starts_with(stem) && name.ends_with("]") && name.size() > stem.size() + 1;
    });
    if (!found) return invalid_parameter(name, "is not a parameter of this path");
  }
  call.query = std::move(*query);
  return std::nullopt;
}

bool is_json(std::string_view media_type) {
  std::string_view kind = media_type.substr(0, media_type.find(';'));
  while (kind.ends_with(' ')) kind.remove_suffix(1);
  return http::same_field_name(kind, "application/json");
}

std::optional<Problem> read_body(Call& call) {
  const Route& route = *call.route;
  const Bytes body = std::move(call.request.body);
  call.request.body.clear();
  if (route.body_bytes_max == 0 || (body.empty() && route.body_optional)) return std::nullopt;
  if (body.size() > route.body_bytes_max) {
    return Problem{
        "body_too_large", "at most " + std::to_string(route.body_bytes_max) + " bytes", {}, {}};
  }
  if (!is_json(call.request.fields.get("Content-Type").value_or(""))) {
    return Problem{"unsupported_media_type", "send Content-Type: application/json", {}, {}};
  }
  auto parsed = json::parse(body);
  if (!parsed.ok()) return Problem{"malformed_json", parsed.error().message, {}, {}};
  call.body = std::move(parsed).value();
  call.body_digest = sha256(body);
  return std::nullopt;
}

std::optional<Problem> read_position(Call& call) {
  const auto field = call.request.fields.get("Sandtrail-Position");
  if (!field) return std::nullopt;
  const auto parts = split(*field, '/');
  const auto number = [](std::string_view text) -> std::optional<std::int64_t> {
    std::int64_t value = 0;
    const auto end = text.data() + text.size();
    const auto parsed = std::from_chars(text.data(), end, value);
    if (text.empty() || parsed.ec != std::errc() || parsed.ptr != end) return std::nullopt;
    return value;
  };
  const auto partition = parts.size() == 3 ? number(parts[1]) : std::nullopt;
  const auto position = parts.size() == 3 ? number(parts[2]) : std::nullopt;
  constexpr std::int64_t position_max = std::int64_t{1} << 62;
  if (!partition || !position || *partition < 0 || *partition >= limits::kPartitionsMax ||
      *position < 0 || *position > position_max) {
    return invalid_parameter("Sandtrail-Position", "must look like events/2/17");
  }
  const auto topic = topic_kind(parts[0]);
  if (!topic || (*topic != TopicKind::events && *partition != 0)) {
    return invalid_parameter("Sandtrail-Position", "names no partition of the log");
  }
  call.position_where = {std::string(parts[0]), static_cast<std::int32_t>(*partition)};
  call.position = {*position};
  return std::nullopt;
}

bool is_request_id(std::string_view text) {
  return !text.empty() && text.size() <= limits::kRequestIdBytesMax &&
         std::all_of(text.begin(), text.end(), [](char c) {
           return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
                  c == '-' || c == '_' || c == '.';
         });
}

// W3C Trace Context, version 00.
bool is_traceparent(std::string_view text) {
  if (text.size() != 55 || !text.starts_with("00-") || text[35] != '-' || text[52] != '-') {
    return false;
  }
  const auto lower_hex = [](std::string_view part) {
    return part.find_first_not_of("0123456789abcdef") == std::string_view::npos;
  };
  const auto zero = [](std::string_view part) {
    return part.find_first_not_of('0') == std::string_view::npos;
  };
  const auto trace = text.substr(3, 32);
  const auto span = text.substr(36, 16);
  return lower_hex(trace) && lower_hex(span) && lower_hex(text.substr(53)) && !zero(trace) &&
         !zero(span);
}

void introduce(Context& context, Call& call) {
  const auto id = call.request.fields.get("Request-Id");
  call.request_id = id && is_request_id(*id) ? std::string(*id) : fresh_request_id(context.random);
  const auto trace = call.request.fields.get("traceparent");
  if (trace && is_traceparent(*trace)) call.traceparent = *trace;
  call.actor.address = call.request.peer_address;
  const auto agent = call.request.fields.get("User-Agent").value_or("");
  if (is_utf8(agent)) call.actor.user_agent = utf8_prefix(agent, limits::kUserAgentBytesMax);
}

// Waits until what the caller has seen is folded here too.
void at_position(Context& context, const CallPtr& call, const PartitionView& view) {
  const Route& route = *call->route;
  if (route.reads()) {
    call->behind = [&context, where = view.where()] { return context.runtime.behind(where); };
  } else if (const auto problem = away_problem(context, context.runtime.away(view.where()))) {
    // Before anything is sealed or stored for it.
    return respond(*call, *problem);
  }
  if (!call->position_where || call->position_where->topic != view.where().topic) {
    return route.run_at_home(context, call, view);
  }
  if (*call->position_where != view.where()) {
    return respond(*call, invalid_parameter("Sandtrail-Position",
                                            "is of a partition of another organisation"));
  }
  if (view.next() > call->position) return route.run_at_home(context, call, view);
  query_at(context, call, view.where(), call->position.next(),
           [&context, call, &route](const PartitionView& later) {
             route.run_at_home(context, call, later);
           });
}

void run_for_operator(Context& context, const CallPtr& call) {
  call->actor.kind = ActorKind::op;
  call->actor.name = context.options.operator_name;
  call->actor.auth_method = "socket";
  const Route& route = *call->route;
  if (route.run_anywhere != nullptr) {
    if (route.reads()) {
      call->behind = [&context] { return context.runtime.behind(); };
    } else if (const auto problem = away_problem(context, context.runtime.away())) {
      return respond(*call, *problem);
    }
    return context.executor([&context, call, &route] { route.run_anywhere(context, call); });
  }
  const auto org = OrgId::parse(call->path.front());
  if (!org) return respond(*call, Problem{"not_found", "no such organisation", {}, {}});
  call->org = *org;
  query(context, call, context.runtime.home(*org), [&context, call](const PartitionView& view) {
    if (view.state().orgs.find(call->org) == nullptr) {
      return respond(*call, Problem{"not_found", "no such organisation", {}, {}});
    }
    at_position(context, call, view);
  });
}

std::optional<Problem> prepare(Context& context, Call& call) {
  if (auto problem = read_query(call)) return problem;
  if (auto problem = read_position(call)) return problem;
  if (auto problem = read_body(call)) return problem;
  if (call.route->idempotent) {
    if (auto problem = read_idempotency_key(call)) return problem;
  }
  if (call.route->prepare != nullptr) return call.route->prepare(context, call);
  return std::nullopt;
}

}  // namespace

void dispatch(Context& context, std::span<const Route> routes, http::Request request,
              std::shared_ptr<http::Responder> responder) {
  const auto call = std::make_shared<Call>();
  call->request = std::move(request);
  call->responder = std::move(responder);
  introduce(context, *call);
  if (const auto problem = find_route(routes, *call)) return respond(*call, *problem);
  const Route& route = *call->route;
  if (!route.while_starting && !context.runtime.started()) {
    return respond(
        *call,
        Problem{"not_ready", context.runtime.not_ready_because(), {}, {{"Retry-After", "1"}}});
  }
  if (route.access == Access::key) {
    // Checked here, so that no partition's thread parses; said only to those who may know.
    auto problem = std::make_shared<std::optional<Problem>>();
    if (call->request.fields.has("Authorization")) *problem = prepare(context, *call);
    return authenticate(context, call, [&context, call, problem](const PartitionView& view) {
      if (*problem) return respond(*call, **problem);
      at_position(context, call, view);
    });
  }
  if (const auto problem = prepare(context, *call)) return respond(*call, *problem);
  if (route.access == Access::op) return run_for_operator(context, call);
  route.run_anywhere(context, call);
}

}  // namespace sandtrail::gateway
