// SPDX-License-Identifier: Apache-2.0
// log accept-loss: goes on with an embedded log that has lost acknowledged records.
#include "commands.h"
#include "session.h"

namespace sandtrail::cli {
namespace {

struct LossOptions {
  bool yes = false;
  std::string reason;
};

json::array rows_of(const LogLoss& loss) {
  json::array out;
  for (const LogLoss::Partition& one : loss.partitions) {
    json::object row;
    row["topic"] = json::value(std::string_view(one.where.topic));
    row["partition"] = one.where.partition;
    row["expected"] = one.expected.value;
    row["found"] = one.found.value;
    out.push_back(std::move(row));
  }
  return out;
}

void say_what_is_missing(Session& session, const LogLoss& loss) {
  session.note(loss.what);
  if (loss.partitions.empty()) {
    session.note("no record is missing as far as it can be told");
    return;
  }
  Table table({"PARTITION", "ENDED AT", "ENDS AT", "LOST"});
  for (const LogLoss::Partition& one : loss.partitions) {
    table.add({one.where.text(), std::to_string(one.expected.value),
               std::to_string(one.found.value),
               std::to_string(one.expected.value - one.found.value)});
  }
  session.note(table.text());
}

int report(Session& session, const LogLoss& loss, const LossAccepted& accepted) {
  if (session.globals.json) {
    json::object out;
    out["old_identity"] = json::value(std::string_view(accepted.old_identity));
    out["new_identity"] = json::value(std::string_view(accepted.new_identity));
    out["partitions"] = rows_of(loss);
    out["kept_store"] = json::value(std::string_view(accepted.kept_store));
    session.document(out);
    return 0;
  }
  session.line("the log goes on under the identity " + accepted.new_identity);
  if (!accepted.kept_store.empty()) {
    session.line("the rows of the old one are kept in " + accepted.kept_store +
                 "; remove it when nobody wants to look at it any more");
  }
  session.line("start the server: it folds what is left anew");
  return 0;
}

int accept_loss(Session& session, LossOptions& o) {
  if (o.reason.empty()) return session.usage("give a --reason: it stands in the audit log");
  const auto directory = session.data_directory();
  if (!directory.ok()) return session.fail(directory.error());
  const auto loss = session.parts.find_loss(*directory);
  if (!loss.ok()) return session.fail(loss.error());
  if (loss->what.empty()) {
    session.note("nothing is missing: the log is as it was left");
    return 0;
  }
  say_what_is_missing(session, *loss);
  session.note(
      "A backup may still hold it. Going on makes another log of this one, says so in it, "
      "and cannot be undone.");
  if (!o.yes && !session.parts.confirm("Go on without what is missing? (yes/no) ")) {
    session.note("nothing was changed; --yes answers for you");
    return kExitFailure;
  }
  const auto accepted = session.parts.accept_loss(*directory, o.reason);
  return accepted.ok() ? report(session, *loss, *accepted) : session.fail(accepted.error());
}

}  // namespace

Commands log_loss_commands() {
  return {make_command<LossOptions>(
      "log accept-loss",
      "Go on with an embedded log that has lost records (operator, server stopped)",
      "sandtrail log accept-loss --data-dir /var/lib/sandtrail --reason 'disk replaced'",
      [](Options& to, LossOptions& o) {
        to.text("--reason", o.reason, "why, for the audit log");
        to.flag("--yes", o.yes, "without asking");
      },
      accept_loss)};
}

}  // namespace sandtrail::cli
