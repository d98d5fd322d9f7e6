// SPDX-License-Identifier: Apache-2.0
// log verify: folds the log from its beginning into an empty store, and compares the digests of
// all rows with those of the running server at the same positions.
#include "commands.h"
#include "rebuild.h"
#include "server_digests.h"
#include "store/memory_kv_store.h"

namespace sandtrail::cli {
namespace {

int report(Session& session, const std::vector<ServerDigests>& expected,
           const std::vector<PartitionDigests>& found) {
  json::array shown_partitions;
  std::string first;
  for (const ServerDigests& one : expected) {
    const std::string problem = difference(one, found);
    json::object item;
    item["partition"] = json::value(std::string_view(one.where.text()));
    item["next"] = one.next.value;
    item["same"] = problem.empty();
    if (!problem.empty()) item["difference"] = json::value(std::string_view(problem));
    if (!problem.empty() && first.empty()) first = one.where.text() + ": " + problem;
    if (!session.globals.json) {
      session.line(one.where.text() + "  " + std::to_string(one.next.value) + " records  " +
                   (problem.empty() ? "same" : "different: " + problem));
    }
    shown_partitions.push_back(std::move(item));
  }
  if (session.globals.json) {
    json::object out;
    out["same"] = first.empty();
    out["partitions"] = std::move(shown_partitions);
    session.document(out);
  }
  if (first.empty()) return 0;
  session.note(session.painted_error("different:", Color::red) + " " + first);
  return kExitDifference;
}

int verify(Session& session, NoOptions&) {
  // The server first: the log only grows.
  const auto expected = ask_server(session);
  if (!expected.ok()) return session.fail(expected.error());
  const auto log = session.open_log();
  if (!log.ok()) return session.fail(log.error());
  std::map<TopicPartition, Position> ends;
  for (const ServerDigests& one : *expected) ends[one.where] = one.next;
  MemoryKvStore store;
  const auto found = rebuild(session, **log, std::move(ends), store);
  return found.ok() ? report(session, *expected, *found) : session.fail(found.error());
}

void no_options(Options&, NoOptions&) {}

}  // namespace

Commands log_verify_commands() {
  const auto named = [](const char* verb) {
    return make_command<NoOptions>(
        verb, "Fold the log anew and compare every row with the running server's",
        "sandtrail " + std::string(verb) + "\nsandtrail " + verb + " --data-dir /var/lib/sandtrail",
        no_options, verify);
  };
  return {named("log verify"), named("log replay"), named("projection compare")};
}

}  // namespace sandtrail::cli
