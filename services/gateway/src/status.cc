// SPDX-License-Identifier: Apache-2.0
#include "base/limits.h"
#include "gather.h"
#include "log_away.h"
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
  out["behind_ms"] = status.behind.count;
  out["log_time"] = text(rfc3339(status.log_time));
  out["void_records"] = status.void_records;
  out["caught_up"] = status.caught_up;
  if (!status.stopped.empty()) out["stopped"] = text(status.stopped);
  out["digest"] = text(status.digest);
  out["roles"] = std::move(roles);
  json::array owners;
  for (const OwnerStatus& owner : status.owners) {
    json::object one;
    one["role"] = text(owner.role);
    one["process"] = text(owner.instance);
    one["epoch"] = owner.epoch;
    one["since"] = text(rfc3339(owner.since));
    one["effects_parked"] = owner.effects_parked;
    owners.push_back(std::move(one));
  }
  out["owners"] = std::move(owners);
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

json::object log_shown(const Context& context) {
  const LogHealth health = context.log.health();
  json::object out;
  out["identity"] = text(context.log.identity());
  out["health"] = level_text(health.level);
  if (!health.reason.empty()) out["reason"] = text(health.reason);
  if (health.since != UnixMs{}) out["since"] = text(rfc3339(health.since));
  return out;
}

// How far each process is, by what it reported a moment ago.
void add_processes(const Context& context, const std::vector<PartitionStatus>& partitions,
                   json::object& body) {
  const auto reported = context.log.reported();
  if (!reported.ok()) {
    body["processes_unknown_because"] = text(reported.error().message);
    return;
  }
  json::array out;
  for (const auto& [process, positions] : *reported) {
    std::int64_t lag = 0;
    Millis behind;
    for (const PartitionStatus& partition : partitions) {
      const auto at = positions.find(partition.where);
      if (at == positions.end() || at->second >= partition.high) continue;
      lag += partition.high.value - at->second.value;
      const auto passed = context.runtime.passed(partition.where, at->second);
      const UnixMs since = passed.value_or(partition.log_time);
      behind = std::max(behind, context.clock.now() - since);
    }
    json::object shown;
    shown["process"] = text(process);
    shown["partitions"] = positions.size();
    shown["lag"] = lag;
    shown["behind_ms"] = behind.count;
    out.push_back(std::move(shown));
  }
  body["processes"] = std::move(out);
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
  const std::vector<PartitionStatus> partitions = context.runtime.status();
  json::object body;
  const std::string because = not_ready_because(context);
  body["ready"] = because.empty();
  if (!because.empty()) body["not_ready_because"] = text(because);
  if (!context.options.instance.empty()) body["process"] = text(context.options.instance);
  body["log"] = log_shown(context);
  json::array shown;
  for (const PartitionStatus& status : partitions) shown.push_back(to_object(status));
  body["partitions"] = std::move(shown);
  add_processes(context, partitions, body);
  if (context.options.hosts) body["hosts"] = hosts_document(context.options.hosts());
  json::object gateway;
  gateway["waiting_requests"] = context.waits.size();
  gateway["open_streams"] = context.streams.size() + context.outputs.size();
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
  const std::string because = not_ready_because(context);
  const bool ready = because.empty();
  std::string body;
  if (call->parameter("verbose")) {
    body += runtime.empty() ? "[+] fold: caught up\n" : "[-] fold: " + runtime + "\n";
    body += "[" + std::string(log_ok ? "+" : "-") +
            "] log: " + std::string(level_text(health.level)) +
            (log_ok ? "" : " since " + rfc3339(health.since) + ", " + health.reason) + "\n";
  } else if (!ready) {
    body = because + "\n";
  }
  if (ready) body += "ok\n";
  respond_plain(*call, ready ? 200 : 503, body);
}

void get_metrics(Context& context, const CallPtr& call) {
  respond_plain(*call, 200, context.options.metrics ? context.options.metrics() : "",
                "text/plain; version=0.0.4; charset=utf-8");
}

}  // namespace sandtrail::gateway

namespace sandtrail {

json::array hosts_document(const std::vector<HostStatus>& hosts) {
  json::array out;
  for (const HostStatus& host : hosts) {
    json::object shown;
    shown["id"] = json::value(std::string_view(host.id.text()));
    if (!host.address.empty()) shown["address"] = json::value(std::string_view(host.address));
    shown["connected"] = host.connected;
    shown["slots"] = host.slots;
    shown["busy"] = host.busy;
    shown["isolation"] = json::value(std::string_view(host.isolation));
    json::array languages;
    for (const std::string& language : host.languages)
      languages.push_back(json::value(std::string_view(language)));
    shown["languages"] = std::move(languages);
    out.push_back(std::move(shown));
  }
  return out;
}

}  // namespace sandtrail
