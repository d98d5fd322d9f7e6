// SPDX-License-Identifier: Apache-2.0
#include <charconv>

#include "api.h"
#include "base/limits.h"
#include "commands.h"
#include "execution_output.h"
#include "listing.h"

namespace sandtrail::cli {
namespace {

const std::vector<Column> kListColumns{{"ID", "id"},
                                       {"STATUS", "status"},
                                       {"VERDICT", "verdict"},
                                       {"LANGUAGE", "language"},
                                       {"CREATED", "created_at"},
                                       {"WALL", "usage.wall_us"},
                                       {"CREDITS", "cost.credits"}};

const std::vector<Column> kFields{{"id", "id"},
                                  {"status", "status"},
                                  {"verdict", "verdict"},
                                  {"cause", "cause"},
                                  {"decided by", "decided_by"},
                                  {"exit code", "exit_code"},
                                  {"signal", "signal"},
                                  {"rejected", "rejection.reason"},
                                  {"detail", "rejection.detail"},
                                  {"lost", "lost_reason"},
                                  {"language", "language"},
                                  {"created", "created_at"},
                                  {"started", "started_at"},
                                  {"ended", "ended_at"},
                                  {"wall", "usage.wall_us"},
                                  {"cpu", "usage.cpu_us"},
                                  {"memory peak bytes", "usage.memory_peak_bytes"},
                                  {"stdout bytes", "stdout_bytes"},
                                  {"stderr bytes", "stderr_bytes"},
                                  {"attempt", "attempt"},
                                  {"credits", "cost.credits"},
                                  {"isolation", "isolation"},
                                  {"controls", "controls"},
                                  {"missing", "controls_missing"},
                                  {"evidence", "evidence"},
                                  {"retention", "retention"},
                                  {"expires", "expires_at"},
                                  {"thread", "thread"},
                                  {"metadata", "metadata"},
                                  {"request id", "request_id"},
                                  {"position", "position"}};

struct ListOptions {
  std::optional<std::int64_t> count;
  std::string status, verdict, thread;
  std::vector<std::string> metadata;
};

void list_options(Options& to, ListOptions& o) {
  to.number("-n,--limit", o.count, "how many at most; 20 unless given");
  to.text("--status", o.status, "only those in this state");
  to.text("--verdict", o.verdict, "only those with this verdict");
  to.text("--thread", o.thread, "only those of this thread");
  to.texts("-m,--metadata", o.metadata, "KEY=VALUE: only those with this pair");
}

int list(Session& session, ListOptions& o) {
  FieldList query{{"status", o.status}, {"verdict", o.verdict}, {"thread", o.thread}};
  for (const std::string& pair : o.metadata) {
    const auto equals = pair.find('=');
    if (equals == std::string::npos) return session.usage("must be KEY=VALUE: " + pair);
    query.emplace_back("metadata[" + pair.substr(0, equals) + "]", pair.substr(equals + 1));
  }
  auto api = server_api(session);
  if (!api.ok()) return session.fail(api.error());
  const auto items =
      api->list("/v1/executions" + query_of(query), o.count.value_or(limits::kPageDefault));
  return items.ok() ? show_list(session, *items, kListColumns) : session.fail(items.error());
}

struct OneOptions {
  std::string id;
  bool output = false;
  bool follow = false;
};

std::string path_of(const OneOptions& o) {
  return "/v1/executions/" + query_text(o.id);
}

int get(Session& session, OneOptions& o) {
  auto api = server_api(session);
  if (!api.ok()) return session.fail(api.error());
  const auto answer = api->get(path_of(o));
  if (!answer.ok()) return session.fail(answer.error());
  if (!o.output) return show_one(session, answer->body, kFields);
  write_streams(session, answer->body);
  // There is no output to give, which a script must be able to tell from an empty one.
  return shown(answer->body, "erased") == "true" ? kExitFailure : 0;
}

int output(Session& session, OneOptions& o) {
  auto api = server_api(session);
  if (!api.ok()) return session.fail(api.error());
  LiveOutput live(session);
  const Status status = live.follow(*api, o.id, {});
  if (!status.ok()) return session.fail(status.error());
  note_gone(session, live.end());
  return shown(live.end(), "erased") == "true" ? kExitFailure : 0;
}

int cancel(Session& session, OneOptions& o) {
  auto api = server_api(session);
  if (!api.ok()) return session.fail(api.error());
  const auto answer = api->post_once(path_of(o) + "/cancel", nullptr);
  if (!answer.ok()) return session.fail(answer.error());
  return show_one(session, answer->body, {{"id", "id"}, {"status", "status"}});
}

// Members that are not shown as facts of an event.
constexpr std::string_view kEnvelope[] = {"event", "time", "position", "execution"};

std::string facts_of(const json::value& data) {
  std::string out;
  if (!data.is_object()) return out;
  for (const auto& member : data.get_object()) {
    const std::string_view name = member.key();
    if (std::find(std::begin(kEnvelope), std::end(kEnvelope), name) != std::end(kEnvelope))
      continue;
    if (member.value().is_object() || member.value().is_array()) continue;
    const std::string fact = shown(data, name);
    if (!fact.empty()) out += " " + std::string(name) + "=" + fact;
  }
  return out;
}

std::int64_t number_after(std::string_view text, char mark) {
  std::int64_t value = -1;
  const auto at = text.rfind(mark);
  const auto digits = at == std::string_view::npos ? text : text.substr(at + 1);
  std::from_chars(digits.data(), digits.data() + digits.size(), value);
  return value;
}

int events(Session& session, OneOptions& o) {
  auto api = server_api(session);
  if (!api.ok()) return session.fail(api.error());
  // Without -f the stream is left at its newest event, which only the document names.
  std::int64_t last = -1;
  if (!o.follow) {
    const auto answer = api->get(path_of(o));
    if (!answer.ok()) return session.fail(answer.error());
    last = number_after(shown(answer->body, "position"), '/');
  }
  const Status status = api->events(path_of(o) + "/events", [&](const http::SseEvent& event) {
    const auto parsed = json::parse(event.data);
    const json::value data = parsed.ok() ? *parsed : json::value(nullptr);
    bool more = false;
    if (session.globals.json) {
      json::object line;
      line["type"] = json::value(std::string_view(event.event));
      if (data.is_object()) {
        for (const auto& member : data.get_object()) line[member.key()] = member.value();
      }
      more = session.line(json::print(line));
    } else {
      more = session.line(shown(data, "time") + "  " + printable(event.event) +
                          session.painted(printable(facts_of(data)), Color::dim));
    }
    return more && (o.follow || number_after(event.id, '/') < last);
  });
  return status.ok() ? 0 : session.fail(status.error());
}

void id_only(Options& to, OneOptions& o) {
  to.argument("ID", o.id, "of the execution");
}

}  // namespace

Commands execution_commands() {
  return {
      make_command<ListOptions>("executions ls", "List executions, newest first",
                                "sandtrail executions ls --status finished --verdict timeout\n"
                                "sandtrail executions ls -n 500 --json",
                                list_options, list),
      make_command<OneOptions>(
          "executions get", "Show one execution",
          "sandtrail executions get exe_…\nsandtrail executions get exe_… --output",
          [](Options& to, OneOptions& o) {
            id_only(to, o);
            to.flag("--output", o.output, "write its stdout and stderr to ours instead");
          },
          get),
      make_command<OneOptions>(
          "executions output",
          "Write the output of an execution to ours, while it runs or after it",
          "sandtrail executions output exe_…", id_only, output),
      make_command<OneOptions>("executions cancel", "Ask for the end of an execution",
                               "sandtrail executions cancel exe_…", id_only, cancel),
      make_command<OneOptions>(
          "executions events", "Show the events of an execution",
          "sandtrail executions events exe_… -f",
          [](Options& to, OneOptions& o) {
            id_only(to, o);
            to.flag("-f,--follow", o.follow, "go on until it is over");
          },
          events),
  };
}

}  // namespace sandtrail::cli
