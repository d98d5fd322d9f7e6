// SPDX-License-Identifier: Apache-2.0
// projection status, rebuild: what a server has folded, and folding it anew beside it.
#include "api.h"
#include "commands.h"
#include "event_log/log_copy.h"
#include "listing.h"
#include "poison.h"
#include "progress.h"
#include "rebuild.h"
#include "server_digests.h"
#include "wire/topics.h"

namespace sandtrail::cli {
namespace {

// In the data directory, until it is whole.
constexpr const char* kRebuilding = "store.rebuilding";

int status(Session& session, NoOptions&) {
  const auto found = ask_server(session);
  if (!found.ok()) return session.fail(found.error());
  const auto log = session.open_log();
  if (!log.ok()) return session.fail(log.error());
  json::array items;
  for (const ServerDigests& one : *found) {
    const auto marks = (*log)->marks(one.where);
    if (!marks.ok()) return session.fail(marks.error());
    const auto* object = one.digests.if_object();
    const json::value* projections =
        object == nullptr ? nullptr : object->if_contains("projections");
    json::object rows{{"core", json::value(std::string_view(shown(one.digests, "core")))}};
    if (projections != nullptr && projections->is_object()) {
      for (const auto& [name, digest] : projections->get_object()) rows[name] = digest;
    }
    for (const auto& [name, digest] : rows) {
      json::object item;
      item["partition"] = json::value(std::string_view(one.where.text()));
      item["projection"] = json::value(std::string_view(name));
      item["next"] = one.next.value;
      item["behind"] = std::max<std::int64_t>(0, marks->high.value - one.next.value);
      item["digest"] = digest;
      items.push_back(std::move(item));
    }
  }
  return show_list(session, items,
                   {{"PARTITION", "partition"},
                    {"PROJECTION", "projection"},
                    {"NEXT", "next"},
                    {"BEHIND", "behind"},
                    {"DIGEST", "digest"}});
}

struct Rebuilt {
  std::vector<PartitionDigests> partitions;
  std::vector<std::string> differences;  // "events/2: the rows of …"
  bool compared = false;
  std::int64_t records = 0;
  std::int64_t span_us = 0;
};

// Up to where a running server is, so that both can be compared; else to the end of the log.
Result<std::map<TopicPartition, Position>> ends_of(
    EventLog& log, const Result<std::vector<ServerDigests>>& server) {
  std::map<TopicPartition, Position> ends;
  if (server.ok()) {
    for (const ServerDigests& one : *server) ends[one.where] = one.next;
    return ends;
  }
  ST_ASSIGN(const auto parts, parts_of(log, {kEventsTopic, kPlatformTopic, kAuditTopic}));
  for (const CopyReport::Part& part : parts) ends[part.where] = part.marks.high;
  return ends;
}

Result<Rebuilt> rebuild_beside(Session& session, const std::string& directory,
                               const std::string& path) {
  const auto server = ask_server(session);
  if (!server.ok()) session.note("no server to compare with: " + server.error().message);
  ST_ASSIGN(const auto log, session.open_log());
  ST_ASSIGN(auto ends, ends_of(*log, server));
  Rebuilt out;
  for (const auto& [where, end] : ends) out.records += end.value;
  const std::int64_t began_us = session.parts.clock.monotonic_us();
  {
    // One that was not finished goes on where it was.
    ST_ASSIGN(const auto store, session.parts.open_store(path));
    ST_ASSIGN(out.partitions, rebuild(session, *log, std::move(ends), *store));
    ST_CHECK_OK(store->write({}, KvStore::Sync::yes));
  }
  out.span_us = session.parts.clock.monotonic_us() - began_us;
  if (server.ok()) {
    out.compared = true;
    for (const ServerDigests& one : *server) {
      const std::string problem = difference(one, out.partitions);
      if (!problem.empty()) out.differences.push_back(one.where.text() + ": " + problem);
    }
  }
  ST_CHECK_OK(session.parts.offer_store(directory, path));
  return out;
}

int rebuild_store(Session& session, NoOptions&) {
  const auto directory = session.data_directory();
  if (!directory.ok()) return session.fail(directory.error());
  const auto rebuilt = rebuild_beside(session, *directory, *directory + "/" + kRebuilding);
  if (!rebuilt.ok()) return session.fail(rebuilt.error());
  json::object out;
  out["records"] = rebuilt->records;
  out["records_per_second"] = rate_of(rebuilt->records, rebuilt->span_us);
  out["compared"] = rebuilt->compared;
  json::array differences;
  for (const std::string& one : rebuilt->differences) {
    differences.push_back(json::value(std::string_view(one)));
  }
  out["differences"] = std::move(differences);
  if (session.globals.json) {
    session.document(out);
    return 0;
  }
  session.line("rebuilt   " + std::to_string(rebuilt->records) + " records, " +
               std::to_string(rate_of(rebuilt->records, rebuilt->span_us)) + "/s");
  for (const std::string& one : rebuilt->differences) session.line("differed  " + printable(one));
  if (rebuilt->compared && rebuilt->differences.empty()) {
    session.line("compared  every row is the same as the server's");
  }
  session.note("The server takes the new store at its next start.");
  return 0;
}

void no_options(Options&, NoOptions&) {}

}  // namespace

Commands projection_commands() {
  return {
      make_command<NoOptions>("projection status", "How far each projection is, and its digest",
                              "sandtrail projection status\nsandtrail projection status --json",
                              no_options, status),
      make_command<NoOptions>(
          "projection rebuild",
          "Fold the log into a new store beside the server's, compare, and switch",
          "sandtrail projection rebuild --data-dir /var/lib/sandtrail", no_options, rebuild_store),
      poison_command(),
  };
}

}  // namespace sandtrail::cli
