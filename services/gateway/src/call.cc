// SPDX-License-Identifier: Apache-2.0
#include "call.h"

#include "base/limits.h"

namespace sandtrail::gateway {

std::optional<std::string> Call::parameter(std::string_view name) const {
  for (const auto& [key, value] : query) {
    if (key == name) return value;
  }
  return std::nullopt;
}

Context::Context(GatewayOptions options_in, GatewayParts parts)
    : options(std::move(options_in)),
      runtime(parts.runtime),
      log(parts.log),
      clock(parts.clock),
      random(parts.random),
      executor(std::move(parts.executor)),
      timers(clock, options.threads),
      denied(runtime, clock, timers, options.denied_flush),
      waits(timers),
      streams(timers, options.heartbeat),
      outputs({parts.live_output, timers, executor, parts.payloads}, options.heartbeat),
      open_bases(std::move(parts.open_bases)),
      keyring_(parts.keyring),
      payloads_(parts.payloads) {}

void add_age(const Call& call, http::Response& response) {
  if (!call.behind) return;
  response.fields.set("Age", std::to_string(call.behind().count / 1000));
}

void respond(const Call& call, http::Response response) {
  response.fields.set("Request-Id", call.request_id);
  add_age(call, response);
  call.responder->respond(std::move(response));
}

void respond(const Call& call, const Problem& problem) {
  respond(call, to_response(problem, call.request.path, call.request_id));
}

void respond_json(const Call& call, int status, const json::value& body,
                  std::vector<std::pair<std::string, std::string>> fields) {
  http::Response response;
  response.status = status;
  response.fields.set("Content-Type", "application/json");
  response.fields.set("Cache-Control", "no-store");
  for (auto& [name, value] : fields) response.fields.set(std::move(name), std::move(value));
  response.body = json::print(body);
  respond(call, std::move(response));
}

std::string position_text(const TopicPartition& where, Position position) {
  return where.text() + "/" + std::to_string(position.value);
}

namespace {

void respond_overloaded(const Call& call) {
  respond(call, Problem{"overloaded",
                        "the partition has too much to do or is stopping",
                        {},
                        {{"Retry-After", "1"}}});
}

}  // namespace

void query(Context& context, const CallPtr& call, const TopicPartition& where,
           std::function<void(const PartitionView&)> read) {
  if (!context.runtime.query(where, std::move(read))) respond_overloaded(*call);
}

void query_at(Context& context, const CallPtr& call, const TopicPartition& where, Position at_least,
              std::function<void(const PartitionView&)> read) {
  if (context.position_waits.fetch_add(1) >= limits::kPositionWaitersMax) {
    --context.position_waits;
    return respond_overloaded(*call);
  }
  const auto then = [&context, call, read = std::move(read)](const PartitionView& view,
                                                             bool reached) {
    --context.position_waits;
    if (reached) return read(view);
    respond(*call, Problem{"not_yet",
                           "folded up to " + position_text(view.where(), view.next()),
                           {},
                           {{"Retry-After", "1"}}});
  };
  if (!context.runtime.query_at(where, at_least, context.options.position_wait, then)) {
    --context.position_waits;
    respond_overloaded(*call);
  }
}

}  // namespace sandtrail::gateway
