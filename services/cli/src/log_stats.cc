// SPDX-License-Identifier: Apache-2.0
// log stats: folds the log and counts what is in it.
#include <algorithm>
#include <map>

#include "commands.h"
#include "log_fold.h"
#include "progress.h"
#include "session.h"
#include "wire/topics.h"

namespace sandtrail::cli {
namespace {

constexpr std::int64_t kTopDefault = 10;
constexpr std::int64_t kTopMax = 1000;
constexpr std::size_t kNamesMax = 100'000;  // of types or organisations: strangers can append too

struct StatsOptions {
  std::string topic;
  std::optional<std::int64_t> top;
};

struct Count {
  std::int64_t records = 0;
  std::int64_t bytes = 0;
  void add(std::int64_t size) {
    ++records;
    bytes += size;
  }
};
using Counts = std::map<std::string, Count>;

struct Stats {
  Count all;
  std::int64_t applied = 0;
  std::int64_t judged = 0;  // in partitions that begin at their beginning
  std::map<std::string, std::int64_t> void_by_reason;
  Counts types;
  Counts organizations;
  std::optional<UnixMs> first, last;
  std::int64_t disk_bytes = 0;
  bool disk_known = true;
};

void count_name(Counts& counts, std::string name, std::int64_t size) {
  if (counts.size() >= kNamesMax && !counts.contains(name)) name = "(others)";
  counts[name].add(size);
}

void count(Stats& stats, const JudgedRecord& judged, bool whole) {
  const StoredRecord& stored = judged.stored;
  const auto size = static_cast<std::int64_t>(stored.record.size());
  stats.all.add(size);
  count_name(stats.types, std::string(stored.record.header("ce_type").value_or("(none)")), size);
  if (OrgId::parse(stored.record.key)) count_name(stats.organizations, stored.record.key, size);
  if (!stats.first || stored.stamp < *stats.first) stats.first = stored.stamp;
  if (!stats.last || stored.stamp > *stats.last) stats.last = stored.stamp;
  if (!whole) return;
  ++stats.judged;
  if (judged.judgement.applied()) {
    ++stats.applied;
  } else {
    ++stats.void_by_reason[std::string(enum_text(judged.judgement.reason))];
  }
}

Result<Stats> gather(Session& session, EventLog& log, const std::vector<std::string>& topics) {
  Stats stats;
  std::vector<std::unique_ptr<PartitionFolder>> folders;
  std::int64_t total = 0;
  for (const std::string& topic : topics) {
    ST_ASSIGN(const auto partitions, partitions_of(log, topic));
    for (const TopicPartition& where : partitions) {
      ST_ASSIGN(auto folder, PartitionFolder::open(log, where));
      if (!folder->from_beginning()) {
        session.note(where.text() + " was trimmed: its verdicts are not known");
      }
      ST_ASSIGN(const Marks marks, log.marks(where));
      total += folder->limit().value - marks.low.value;
      folders.push_back(std::move(folder));
    }
    const auto facts = log.facts(topic);
    stats.disk_known = stats.disk_known && facts.ok() && facts->bytes.has_value();
    if (stats.disk_known) stats.disk_bytes += *facts->bytes;
  }
  ProgressLine line(session);
  for (const auto& folder : folders) {
    while (true) {
      ST_ASSIGN(const JudgedRecord* judged, folder->next());
      if (judged == nullptr) break;
      count(stats, *judged, folder->from_beginning());
      line.show("reading " + folder->where().text(), stats.all.records, total);
    }
  }
  return stats;
}

json::array rows_of(const Counts& counts, std::string_view name, std::size_t at_most) {
  std::vector<std::pair<std::string, Count>> sorted(counts.begin(), counts.end());
  std::stable_sort(sorted.begin(), sorted.end(), [](const auto& a, const auto& b) {
    return a.second.records > b.second.records;
  });
  json::array out;
  for (const auto& [what, count] : sorted) {
    if (out.size() >= at_most) break;
    json::object row;
    row[name] = json::value(std::string_view(printable(what)));
    row["records"] = count.records;
    row["bytes"] = count.bytes;
    out.push_back(std::move(row));
  }
  return out;
}

json::object document_of(const Stats& stats, std::size_t top) {
  json::object out;
  out["records"] = stats.all.records;
  out["bytes"] = stats.all.bytes;
  if (stats.disk_known) out["disk_bytes"] = stats.disk_bytes;
  out["judged"] = stats.judged;
  out["applied"] = stats.applied;
  json::object voids;
  for (const auto& [reason, records] : stats.void_by_reason) voids[reason] = records;
  out["void"] = std::move(voids);
  if (stats.first) {
    const std::int64_t span_ms = (*stats.last - *stats.first).count;
    out["first"] = json::value(std::string_view(rfc3339(*stats.first)));
    out["last"] = json::value(std::string_view(rfc3339(*stats.last)));
    out["span_ms"] = span_ms;
    if (span_ms > 0) {
      out["records_per_second"] =
          static_cast<double>(stats.all.records) * 1000 / static_cast<double>(span_ms);
    }
  }
  out["types"] = rows_of(stats.types, "type", kNamesMax);
  out["organizations"] = rows_of(stats.organizations, "organization", top);
  out["organizations_in_all"] = stats.organizations.size();
  return out;
}

void show_rows(Session& session, const char* head, const json::value& rows, std::string_view name) {
  Table table({head, "RECORDS", "BYTES"});
  for (const json::value& row : rows.as_array()) {
    const json::object& its = row.as_object();
    table.add({std::string(its.at(name).as_string()), std::to_string(its.at("records").as_int64()),
               bytes_text(its.at("bytes").as_int64())});
  }
  if (table.empty()) return;
  session.line("");
  session.print(table.text());
}

void show(Session& session, const Stats& stats, const json::object& document) {
  session.line("records  " + std::to_string(stats.all.records) + ", " +
               bytes_text(stats.all.bytes));
  if (stats.disk_known && stats.all.bytes > 0) {
    session.line("on disk  " + bytes_text(stats.disk_bytes) + ", " +
                 std::to_string(stats.disk_bytes * 100 / stats.all.bytes) + " % of that");
  }
  session.line("applied  " + std::to_string(stats.applied) + " of " + std::to_string(stats.judged) +
               " judged");
  for (const auto& [reason, records] : stats.void_by_reason) {
    session.line("void     " + std::to_string(records) + " " + reason);
  }
  if (stats.first) {
    const std::int64_t span_ms = (*stats.last - *stats.first).count;
    session.line("time     " + rfc3339(*stats.first) + " to " + rfc3339(*stats.last) + ", " +
                 std::to_string(rate_of(stats.all.records, span_ms * 1000)) + " records/s");
  }
  show_rows(session, "TYPE", document.at("types"), "type");
  show_rows(session, "ORGANIZATION", document.at("organizations"), "organization");
}

int stats(Session& session, StatsOptions& o) {
  const std::int64_t top = o.top.value_or(kTopDefault);
  if (top < 0 || top > kTopMax) return session.usage("--top must be 0 to 1000");
  std::vector<std::string> topics{kEventsTopic, kPlatformTopic, kAuditTopic};
  if (!o.topic.empty()) topics = {o.topic};
  const auto log = session.open_log();
  if (!log.ok()) return session.fail(log.error());
  const auto gathered = gather(session, **log, topics);
  if (!gathered.ok()) return session.fail(gathered.error());
  const json::object document = document_of(*gathered, static_cast<std::size_t>(top));
  if (session.globals.json) {
    session.document(document);
  } else {
    show(session, *gathered, document);
  }
  return 0;
}

}  // namespace

Commands log_stats_commands() {
  return {make_command<StatsOptions>(
      "log stats", "Count records by verdict, type and organisation",
      "sandtrail log stats\nsandtrail log stats events --top 50 --json",
      [](Options& to, StatsOptions& o) {
        to.argument("TOPIC", o.topic, "events, platform or audit; all of them unless given", false);
        to.number("--top", o.top, "how many organisations; 10 unless given");
      },
      stats)};
}

}  // namespace sandtrail::cli
