// SPDX-License-Identifier: Apache-2.0
// status: what one process knows of itself and of all others, and what launchers say of their
// hosts.
#include <algorithm>
#include <map>

#include "api.h"
#include "commands.h"
#include "listing.h"

namespace sandtrail::cli {
namespace {

json::value text(std::string_view content) {
  return json::value(content);
}

const json::array& list_in(const json::value& document, std::string_view name) {
  static const json::array none;
  const auto* object = document.if_object();
  const json::value* list = object == nullptr ? nullptr : object->if_contains(name);
  return list != nullptr && list->is_array() ? list->get_array() : none;
}

std::int64_t number_in(const json::value& document, std::string_view name) {
  const auto* object = document.if_object();
  const json::value* value = object == nullptr ? nullptr : object->if_contains(name);
  return value != nullptr && value->is_int64() ? value->get_int64() : 0;
}

// "events/0-15 platform/0"
class Ranges {
 public:
  void add(const std::string& where) {
    const auto slash = where.rfind('/');
    const std::string topic = where.substr(0, slash);
    const int number = slash == std::string::npos ? 0 : std::atoi(where.c_str() + slash + 1);
    if (!spans_.empty() && spans_.back().topic == topic && spans_.back().last + 1 == number) {
      spans_.back().last = number;
    } else {
      spans_.push_back({topic, number, number});
    }
  }
  std::string text() const {
    std::string out;
    std::string topic;
    for (const Span& span : spans_) {
      out += span.topic == topic ? "," : (out.empty() ? "" : " ") + span.topic + "/";
      topic = span.topic;
      out += std::to_string(span.first);
      if (span.last != span.first) out += "-" + std::to_string(span.last);
    }
    return out;
  }

 private:
  struct Span {
    std::string topic;
    int first;
    int last;
  };
  std::vector<Span> spans_;
};

// What one process does for one role.
struct Share {
  Ranges partitions;
  std::int64_t epoch_min = 0;
  std::int64_t epoch_max = 0;
  std::string since;  // the last claim
  std::int64_t parked = 0;
  bool here = false;        // the process that was asked
  std::size_t waiting = 0;  // partitions it was given and does not act on yet
};

using Shares = std::map<std::pair<std::string, std::string>, Share>;  // role, process

Shares shares_of(const json::value& status) {
  Shares out;
  const std::string here = shown(status, "process");
  for (const json::value& partition : list_in(status, "partitions")) {
    for (const json::value& owner : list_in(partition, "owners")) {
      Share& share = out[{shown(owner, "role"), shown(owner, "process")}];
      share.partitions.add(shown(partition, "partition"));
      const std::int64_t epoch = number_in(owner, "epoch");
      share.epoch_min = share.epoch_min == 0 ? epoch : std::min(share.epoch_min, epoch);
      share.epoch_max = std::max(share.epoch_max, epoch);
      share.since = std::max(share.since, shown(owner, "since"));
      share.parked += number_in(owner, "effects_parked");
      share.here = shown(owner, "process") == here;
    }
    for (const json::value& role : list_in(partition, "roles")) {
      if (shown(role, "assigned") != "true" || shown(role, "live") == "true") continue;
      ++out[{shown(role, "role"), here}].waiting;
    }
  }
  return out;
}

json::array rows_of(const Shares& shares) {
  json::array out;
  for (const auto& [who, share] : shares) {
    json::object row;
    row["role"] = text(who.first);
    row["process"] = text(who.second + (share.here ? " (this one)" : ""));
    row["partitions"] = text(share.partitions.text());
    row["epoch"] =
        text(std::to_string(share.epoch_min) +
             (share.epoch_max == share.epoch_min ? "" : "-" + std::to_string(share.epoch_max)));
    row["since"] = text(share.since);
    if (share.parked > 0) row["parked"] = share.parked;
    if (share.waiting > 0) row["waiting"] = share.waiting;
    out.push_back(std::move(row));
  }
  return out;
}

// Of processes and partitions: milliseconds as seconds.
json::array with_seconds(const json::array& rows) {
  json::array out = rows;
  for (json::value& row : out) {
    if (!row.is_object()) continue;
    const std::int64_t behind_ms = number_in(row, "behind_ms");
    std::string seconds = std::to_string(behind_ms / 1000);
    seconds += "." + std::to_string(behind_ms % 1000 / 100);
    row.get_object()["behind"] = text(seconds);
  }
  return out;
}

bool remarkable(const json::value& partition) {
  return number_in(partition, "lag") > 0 || !shown(partition, "stopped").empty() ||
         shown(partition, "caught_up") != "true";
}

void show_section(Session& session, const json::array& rows, const std::vector<Column>& columns) {
  if (rows.empty()) return;
  session.line("");
  show_list(session, rows, columns);
}

void show_partitions(Session& session, const json::value& status) {
  json::array rows;
  for (const json::value& partition : list_in(status, "partitions")) {
    if (session.globals.verbose || remarkable(partition)) rows.push_back(partition);
  }
  show_section(session, with_seconds(rows),
               {{"PARTITION", "partition"},
                {"NEXT", "next"},
                {"LAG", "lag"},
                {"SECONDS", "behind"},
                {"VOID", "void_records"},
                {"LOG TIME", "log_time"},
                {"STOPPED", "stopped"}});
}

void show_hosts(Session& session, const json::value& status) {
  show_section(session, list_in(status, "hosts"),
               {{"HOST", "id"},
                {"LAUNCHER", "launcher"},
                {"ADDRESS", "address"},
                {"CONNECTED", "connected"},
                {"SLOTS", "slots"},
                {"BUSY", "busy"},
                {"ISOLATION", "isolation"},
                {"LANGUAGES", "languages"}});
}

// With what all partitions have in common as one number.
json::value with_sums(const json::value& status) {
  json::value out = status;
  std::int64_t voids = 0;
  for (const json::value& partition : list_in(status, "partitions")) {
    voids += number_in(partition, "void_records");
  }
  if (out.is_object()) out.get_object()["void_records"] = voids;
  return out;
}

int show_status(Session& session, const json::value& status) {
  show_one(session, with_sums(status),
           {{"ready", "ready"},
            {"because", "not_ready_because"},
            {"process", "process"},
            {"log", "log.identity"},
            {"health", "log.health"},
            {"since", "log.since"},
            {"reason", "log.reason"},
            {"void records", "void_records"}});
  show_section(session, rows_of(shares_of(status)),
               {{"ROLE", "role"},
                {"PROCESS", "process"},
                {"PARTITIONS", "partitions"},
                {"EPOCH", "epoch"},
                {"SINCE", "since"},
                {"PARKED", "parked"},
                {"WAITING", "waiting"}});
  show_section(session, with_seconds(list_in(status, "processes")),
               {{"PROCESS", "process"}, {"LAG", "lag"}, {"SECONDS", "behind"}});
  show_hosts(session, status);
  show_partitions(session, status);
  return 0;
}

// Adds what each launcher of the settings says; one that cannot be asked is named.
void ask_launchers(Session& session, const Config& config, json::value& status) {
  json::array hosts = list_in(status, "hosts");
  for (const std::string& launcher : config.cluster.launchers) {
    const auto answer = session.parts.ask_launcher(config, launcher);
    const auto parsed = answer.ok() ? json::parse(*answer) : Result<json::value>(answer.error());
    if (!parsed.ok()) {
      session.note("launcher " + launcher + ": " + parsed.error().message);
      continue;
    }
    for (const json::value& host : list_in(*parsed, "hosts")) {
      if (!host.is_object()) continue;
      json::object row = host.get_object();
      row["launcher"] = text(launcher);
      hosts.push_back(std::move(row));
    }
  }
  if (status.is_object() && !hosts.empty()) status.get_object()["hosts"] = std::move(hosts);
}

void no_options(Options&, NoOptions&) {}

int status(Session& session, NoOptions&) {
  auto api = operator_api(session);
  if (!api.ok()) return session.fail(api.error());
  const auto answer = api->get("/operator/status");
  if (!answer.ok()) return session.fail(answer.error());
  const auto config = session.config();
  if (!config.ok()) return session.fail(config.error());
  json::value found = answer->body;
  if (*config) ask_launchers(session, **config, found);
  return session.globals.json ? show_one(session, found, {}) : show_status(session, found);
}

}  // namespace

Commands status_commands() {
  return {
      make_command<NoOptions>("status", "Show who does what, how far everyone is, and the hosts",
                              "sandtrail status\nsandtrail status --config /etc/sandtrail.toml\n"
                              "sandtrail status --data-dir /var/lib/sandtrail/launcher --json",
                              no_options, status)};
}

}  // namespace sandtrail::cli
