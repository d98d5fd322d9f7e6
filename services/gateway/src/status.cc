// SPDX-License-Identifier: Apache-2.0
#include "base/limits.h"
#include "gather.h"
#include "operators.h"
#include "requests.h"
#include "submit.h"
#include "wire/topics.h"

namespace sandtrail::gateway {
namespace {

json::value text(std::string_view content) {
  return json::value(content);
}

json::object to_object(const PartitionStatus& status) {
  json::array roles;
  for (const RoleStatus& role : status.roles) {
    json::object shown;
    shown["role"] = text(role.role);
    shown["assigned"] = role.assigned;
    shown["live"] = role.live;
    shown["epoch"] = role.epoch;
    shown["effects_running"] = role.effects_running;
    shown["effects_parked"] = role.effects_parked;
    roles.push_back(std::move(shown));
  }
  json::object out;
  out["partition"] = text(status.where.text());
  out["next"] = status.next.value;
  out["high"] = status.high.value;
  out["lag"] = std::max<std::int64_t>(0, status.high.value - status.next.value);
  out["log_time"] = text(rfc3339(status.log_time));
  out["caught_up"] = status.caught_up;
  if (!status.stopped.empty()) out["stopped"] = text(status.stopped);
  out["digest"] = text(status.digest);
  out["roles"] = std::move(roles);
  return out;
}

std::string_view level_text(LogHealth::Level level) {
  switch (level) {
    case LogHealth::Level::ok:
      return "ok";
    case LogHealth::Level::degraded:
      return "degraded";
    case LogHealth::Level::fatal:
      return "fatal";
  }
  return "fatal";
}

using Effects = std::vector<json::object>;

Effects parked_in(const PartitionView& view) {
  Effects out;
  for (const auto& [key, row] : view.state().parked.rows()) {
    if (out.size() > limits::kParkedShownMax) break;
    const std::size_t slash = key.find('/');
    json::object shown;
    shown["topic"] = text(view.where().topic);
    shown["partition"] = view.where().partition;
    shown["role"] = text(std::string_view(key).substr(0, slash));
    shown["effect"] = text(std::string_view(key).substr(slash + 1));
    shown["error"] = text(row.error);
    shown["since"] = text(rfc3339(row.since));
    shown["skipped"] = row.skipped;
    out.push_back(std::move(shown));
  }
  return out;
}

void respond_plain(const Call& call, int status, std::string body,
                   std::string_view type = "text/plain; charset=utf-8") {
  http::Response response;
  response.status = status;
  response.fields.set("Content-Type", std::string(type));
  response.fields.set("Cache-Control", "no-store");
  response.body = std::move(body);
  respond(call, std::move(response));
}

}  // namespace

void get_status(Context& context, const CallPtr& call) {
  json::array partitions;
  for (const auto& status : context.runtime.status()) partitions.push_back(to_object(status));
  const LogHealth health = context.log.health();
  json::object log;
  log["identity"] = text(context.log.identity());
  log["health"] = level_text(health.level);
  if (!health.reason.empty()) log["reason"] = text(health.reason);
  json::object gateway;
  gateway["waiting_requests"] = context.waits.size();
  gateway["open_streams"] = context.streams.size() + context.outputs.size();
  json::object body;
  const std::string because = context.runtime.not_ready_because();
  body["ready"] = because.empty() && health.level == LogHealth::Level::ok;
  if (!because.empty()) body["not_ready_because"] = text(because);
  body["log"] = std::move(log);
  body["partitions"] = std::move(partitions);
  body["gateway"] = std::move(gateway);
  respond_json(*call, 200, body);
}

void get_digests(Context& context, const CallPtr& call) {
  json::array data;
  for (const TopicPartition& where : context.runtime.partitions()) {
    const auto digests = context.runtime.digests(where);
    if (!digests.ok()) return respond(*call, internal_problem(*call, digests.error()));
    json::object projections;
    for (const auto& [name, digest] : digests->projections) projections[name] = text(digest);
    json::object shown;
    shown["partition"] = text(where.text());
    shown["next"] = digests->next.value;
    shown["fold"] = text(digests->fold);
    shown["core"] = text(digests->core);
    shown["projections"] = std::move(projections);
    data.push_back(std::move(shown));
  }
  json::object body;
  body["data"] = std::move(data);
  respond_json(*call, 200, body);
}

void list_effects(Context& context, const CallPtr& call) {
  gather<Effects>(context, call, true, parked_in, [call](std::vector<Effects> parts) {
    json::array data;
    bool more = false;
    for (Effects& part : parts) {
      for (json::object& shown : part) {
        more = data.size() >= limits::kParkedShownMax;
        if (!more) data.push_back(std::move(shown));
      }
    }
    json::object body;
    body["data"] = std::move(data);
    body["has_more"] = more;
    respond_json(*call, 200, body);
  });
}

std::optional<Problem> prepare_resolve(Context&, Call& call) {
  reflect::ReadContext out;
  ResolveRequest in;
  read_body_as(call.body, in, out);
  if (!out.problems.empty()) return invalid_request(std::move(out.problems));
  call.prepared = std::move(in);
  return std::nullopt;
}

void resolve_effect(Context& context, const CallPtr& call) {
  const auto& in = std::any_cast<const ResolveRequest&>(call->prepared);
  for (const TopicPartition& where : context.runtime.partitions()) {
    if (where.topic != in.topic || where.partition != in.partition) continue;
    Submission submission;
    submission.applied = [call, where](Position position) {
      json::object body;
      body["position"] = text(position_text(where, position));
      respond_json(*call, 200, body, {{"Sandtrail-Position", position_text(where, position)}});
    };
    submission.explain = [](VoidReason reason) -> std::optional<Problem> {
      if (reason != VoidReason::not_found) return std::nullopt;
      return Problem{"not_found", "no such effect is parked there", {}, {}};
    };
    return submit(context, call, where,
                  proposal_of(*call, in.effect, EffectResolved{in.role, in.effect, in.action}),
                  std::move(submission));
  }
  respond(*call, invalid_request({{"/partition", "is none of this topic"}}));
}

// Says only that the process runs: what it depends on may be away without a restart helping.
void get_livez(Context&, const CallPtr& call) {
  respond_plain(*call, 200, "ok\n");
}

void get_readyz(Context& context, const CallPtr& call) {
  const std::string runtime = context.runtime.not_ready_because();
  const LogHealth health = context.log.health();
  const bool log_ok = health.level == LogHealth::Level::ok;
  const bool ready = runtime.empty() && log_ok;
  std::string body;
  if (call->parameter("verbose")) {
    body += runtime.empty() ? "[+] fold: caught up\n" : "[-] fold: " + runtime + "\n";
    body += "[" + std::string(log_ok ? "+" : "-") +
            "] log: " + std::string(level_text(health.level)) +
            (health.reason.empty() ? "" : ", " + health.reason) + "\n";
  } else if (!ready) {
    body = (runtime.empty() ? "log: " + health.reason : runtime) + "\n";
  }
  if (ready) body += "ok\n";
  respond_plain(*call, ready ? 200 : 503, body);
}

void get_metrics(Context& context, const CallPtr& call) {
  respond_plain(*call, 200, context.options.metrics ? context.options.metrics() : "",
                "text/plain; version=0.0.4; charset=utf-8");
}

}  // namespace sandtrail::gateway
