// SPDX-License-Identifier: Apache-2.0
// log trim: through the operator's socket, as only a process that has the log may change it.
#include "api.h"
#include "commands.h"
#include "session.h"

namespace sandtrail::cli {
namespace {

struct TrimOptions {
  std::string topic;
  std::optional<std::int64_t> partition, before;
  bool dry_run = false;
  bool without_base = false;
  bool yes = false;
};

int show(Session& session, const TrimOptions& o, const json::value& answer) {
  if (session.globals.json) {
    session.document(answer);
    return 0;
  }
  const std::string held_by = shown(answer, "held_by");
  session.line(shown(answer, "partition") + " holds " + shown(answer, "low") + " to " +
               shown(answer, "high"));
  if (shown(answer, "trimmed") == "true") return 0;
  if (!held_by.empty()) {
    session.line("held back: " + printable(held_by));
    return 0;
  }
  session.line("records below " + std::to_string(*o.before) + " would be dropped for good");
  if (!o.dry_run) session.note("nothing was done: give --yes to do it");
  return 0;
}

int trim(Session& session, TrimOptions& o) {
  if (o.topic.empty() || !o.partition || !o.before) {
    return session.usage("give --topic, --partition and --before");
  }
  json::object body;
  body["topic"] = json::value(std::string_view(o.topic));
  body["partition"] = *o.partition;
  body["before"] = *o.before;
  body["dry_run"] = o.dry_run || !o.yes;
  body["without_base"] = o.without_base;
  auto api = operator_api(session);
  if (!api.ok()) return session.fail(api.error());
  const json::value sent(std::move(body));
  const auto answer = api->post_once("/operator/log/trim", &sent);
  if (!answer.ok()) return session.fail(answer.error());
  return show(session, o, answer->body);
}

}  // namespace

Commands log_trim_commands() {
  return {make_command<TrimOptions>(
      "log trim", "Drop the oldest records of a partition for good",
      "sandtrail log trim --topic events --partition 2 --before 1000 --dry-run\n"
      "sandtrail log trim --topic events --partition 2 --before 1000 --without-base --yes",
      [](Options& to, TrimOptions& o) {
        to.text("--topic", o.topic, "events, platform or audit");
        to.number("--partition", o.partition, "which one");
        to.number("--before", o.before, "the first position to be kept");
        to.flag("--dry-run", o.dry_run, "only say what would be dropped, and what holds it back");
        to.flag("--without-base", o.without_base,
                "although no store can be folded anew then, nor log or audit be verified");
        to.flag("--yes", o.yes, "do it");
      },
      trim)};
}

}  // namespace sandtrail::cli
