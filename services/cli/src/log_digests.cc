// SPDX-License-Identifier: Apache-2.0
// log digests: folds a log from its beginning and prints the digests of all rows, so that two logs,
// or two versions of the program, can be compared without a server.
#include "commands.h"
#include "event_log/log_copy.h"
#include "progress.h"
#include "rebuild.h"
#include "wire/topics.h"

namespace sandtrail::cli {
namespace {

struct DigestOptions {
  std::string at;
};

struct Digested {
  std::vector<PartitionDigests> partitions;
  std::int64_t records = 0;
  std::int64_t span_us = 0;
};

Result<Digested> fold(Session& session, const DigestOptions& o) {
  std::unique_ptr<EventLog> log;
  if (o.at.empty()) {
    ST_ASSIGN(log, session.open_log());
  } else {
    ST_ASSIGN(const auto settings, session.config());
    ST_ASSIGN(log, session.parts.places.open(o.at, settings));
  }
  Digested out;
  std::map<TopicPartition, Position> ends;
  ST_ASSIGN(const auto parts, parts_of(*log, {kEventsTopic, kPlatformTopic, kAuditTopic}));
  for (const CopyReport::Part& part : parts) {
    ends[part.where] = part.marks.high;
    out.records += part.marks.high.value - part.marks.low.value;
  }
  const std::int64_t began_us = session.parts.clock.monotonic_us();
  ST_ASSIGN(out.partitions, rebuild(session, *log, std::move(ends)));
  out.span_us = session.parts.clock.monotonic_us() - began_us;
  return out;
}

json::object document_of(const Digested& digested) {
  json::array shown;
  for (const PartitionDigests& digests : digested.partitions) {
    json::object one;
    one["partition"] = json::value(std::string_view(digests.where.text()));
    one["next"] = digests.next.value;
    one["fold"] = json::value(std::string_view(digests.fold));
    one["core"] = json::value(std::string_view(digests.core));
    json::object projections;
    for (const auto& [name, digest] : digests.projections) {
      projections[name] = json::value(std::string_view(digest));
    }
    one["projections"] = std::move(projections);
    shown.push_back(std::move(one));
  }
  json::object out;
  out["records"] = digested.records;
  out["fold_ms"] = digested.span_us / 1000;
  out["partitions"] = std::move(shown);
  return out;
}

int digests(Session& session, DigestOptions& o) {
  const auto digested = fold(session, o);
  if (!digested.ok()) return session.fail(digested.error());
  if (session.globals.json) {
    session.document(document_of(*digested));
    return 0;
  }
  Table table({"PARTITION", "NEXT", "OF", "DIGEST"});
  for (const PartitionDigests& digests : digested->partitions) {
    const std::string where = digests.where.text();
    const std::string next = std::to_string(digests.next.value);
    table.add({where, next, "fold", digests.fold});
    table.add({where, next, "core", digests.core});
    for (const auto& [name, digest] : digests.projections) table.add({where, next, name, digest});
  }
  session.print(table.text());
  session.note(std::to_string(digested->records) + " records, " +
               std::to_string(rate_of(digested->records, digested->span_us)) + "/s");
  return 0;
}

}  // namespace

Commands log_digests_commands() {
  return {make_command<DigestOptions>(
      "log digests", "Fold a log from its beginning and print the digests of all rows",
      "sandtrail log digests --data-dir ./data\n"
      "sandtrail log digests --at kafka://127.0.0.1:29092 --json",
      [](Options& to, DigestOptions& o) {
        to.text("--at", o.at, "embedded:DATA_DIR or kafka://HOST:PORT,…; else as other verbs");
      },
      digests)};
}

}  // namespace sandtrail::cli
