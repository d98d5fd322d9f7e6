// SPDX-License-Identifier: Apache-2.0
// log copy, log compare: moving a log to another place, and proving that it is the same there.
#include <algorithm>

#include "commands.h"
#include "event_log/log_copy.h"
#include "progress.h"
#include "sealing/root_check.h"
#include "session.h"
#include "store/key_copy.h"
#include "wire/topics.h"

namespace sandtrail::cli {
namespace {

struct CopyOptions {
  std::string from;
  std::string to;
  bool keys = false;
};

const std::vector<std::string>& log_topics() {
  // `events` is the last to be finished: until then no process takes the copy for a log.
  static const std::vector<std::string> topics{kEventsTopic, kPlatformTopic, kAuditTopic};
  return topics;
}

OpenReader reader_of(EventLog& log) {
  return
      [&log](const TopicPartition& where, Position from) { return log.open_reader(where, from); };
}

json::object document_of(const LogDifference& difference) {
  json::object out;
  out["partition"] = json::value(std::string_view(difference.where.text()));
  out["position"] = difference.position.value;
  out["what"] = json::value(std::string_view(difference.what));
  return out;
}

int report_difference(Session& session, const LogDifference& difference) {
  session.note(session.painted_error("different:", Color::red) + " " + difference.where.text() +
               " at " + std::to_string(difference.position.value) + ": " +
               printable(difference.what));
  return kExitDifference;
}

// A key store over Kafka is folded a moment after it was opened.
template <typename Call>
auto once_there(Session& session, const Call& call) {
  constexpr int kPausesMax = 150;
  constexpr Millis kPause{200};
  for (int pauses = 0;; ++pauses) {
    auto answer = call();
    if (answer.ok() || !answer.error().retryable() || pauses == kPausesMax) return answer;
    session.parts.pause(kPause);
  }
}

Result<std::int64_t> take_keys(Session& session, const CopyOptions& o,
                               const std::optional<Config>& settings) {
  const LogPlaces& places = session.parts.places;
  ST_ASSIGN(const auto from, places.keys(o.from, settings, true));
  ST_ASSIGN(const auto to, places.keys(o.to, settings, false));
  ST_CHECK_OK(
      once_there(session, [&] { return to->list([](const WrappedKey&) { return false; }); }));
  std::string check;
  const auto is_data_key = [&check](const WrappedKey& key) {
    if (key.id != root_check_id()) return true;
    check = key.wrapped;
    return false;
  };
  ST_ASSIGN(const std::int64_t copied,
            once_there(session, [&] { return copy_keys(*from, *to, is_data_key); }));
  if (check.empty()) {
    ST_ASSIGN(check, places.root_check(o.from));
  }
  if (check.empty()) return copied;
  if (o.to.starts_with("embedded:")) {
    ST_CHECK_OK(places.set_root_check(o.to, check));
    return copied;
  }
  // So that a process with another root key is refused from the first start on.
  ST_CHECK_OK(check_root_key(check, "the root key of " + o.from, *to, NoRootCheck::make,
                             session.parts.clock));
  return copied;
}

struct Copied {
  CopyReport report;
  std::optional<LogDifference> difference;
  std::optional<std::int64_t> keys;
  std::int64_t copy_us = 0;
  std::int64_t compare_us = 0;
};

Result<Copied> run_copy(Session& session, const CopyOptions& o) {
  const LogPlaces& places = session.parts.places;
  ST_ASSIGN(const auto settings, session.config());
  ST_ASSIGN(const auto held, places.hold(o.from));
  ST_ASSIGN(const auto from, places.open(o.from, settings));
  ST_ASSIGN(const auto to, places.import(o.to, settings));
  Copied out;
  {
    ProgressLine line(session);
    ST_ASSIGN(out.report, copy_log(*from, *to, log_topics(), [&](const CopyProgress& at) {
                line.show("copying " + at.where.text(), at.records, at.total);
              }));
    out.copy_us = line.elapsed_us();
  }
  if (out.report.parts.empty()) {
    return Error{ErrorCode::not_found, "there is no log at " + o.from, ""};
  }
  // Keys first: a log whose keys are away counts as erased.
  if (o.keys) {
    ST_ASSIGN(out.keys, take_keys(session, o, settings));
  }
  {
    ProgressLine line(session);
    ST_ASSIGN(out.difference, compare_records(
                                  reader_of(*from),
                                  [&](const TopicPartition& where, Position position) {
                                    return to->open_reader(where, position);
                                  },
                                  out.report.parts,
                                  [&](const CopyProgress& at) {
                                    line.show("comparing " + at.where.text(), at.records, at.total);
                                  }));
    out.compare_us = line.elapsed_us();
  }
  if (out.difference) return out;
  ST_ASSIGN(const auto now, parts_of(*from, log_topics()));
  for (std::size_t i = 0; i < now.size() && i < out.report.parts.size(); ++i) {
    if (now[i].marks.high == out.report.parts[i].marks.high) continue;
    return Error{ErrorCode::conflict,
                 "the source was written to meanwhile, at " + now[i].where.text(),
                 "stop all its processes, then run this again: it goes on where it is"};
  }
  ST_CHECK_OK(to->finish());
  return out;
}

json::object document_of(const Copied& copied) {
  json::object out;
  json::array parts;
  for (const CopyReport::Part& part : copied.report.parts) {
    json::object one;
    one["partition"] = json::value(std::string_view(part.where.text()));
    one["low"] = part.marks.low.value;
    one["high"] = part.marks.high.value;
    parts.push_back(std::move(one));
  }
  out["same"] = !copied.difference.has_value();
  if (copied.difference) out["difference"] = document_of(*copied.difference);
  out["records"] = copied.report.records;
  out["found"] = copied.report.found;
  out["bytes"] = copied.report.bytes;
  if (copied.keys) out["keys"] = *copied.keys;
  out["copy_ms"] = copied.copy_us / 1000;
  out["compare_ms"] = copied.compare_us / 1000;
  out["partitions"] = std::move(parts);
  return out;
}

void show(Session& session, const CopyOptions& o, const Copied& copied) {
  const CopyReport& report = copied.report;
  session.line("copied    " + std::to_string(report.records) + " records, " +
               bytes_text(report.bytes) + ", " +
               std::to_string(rate_of(report.records, copied.copy_us)) + "/s");
  if (report.found > 0) {
    session.line("found     " + std::to_string(report.found) + " of an earlier run");
  }
  if (copied.keys) session.line("keys      " + std::to_string(*copied.keys));
  const std::int64_t all = report.records + report.found;
  session.line("compared  " + std::to_string(all) + " records, " +
               std::to_string(rate_of(all, copied.compare_us)) +
               "/s: same positions, stamps, bytes");
  std::size_t events = 0;
  for (const CopyReport::Part& part : report.parts) events += part.where.topic == kEventsTopic;
  session.note("It has another identity: processes fold it from its beginning, into new stores.");
  session.note("Set log.events_partitions to " + std::to_string(events) + ".");
  if (!copied.keys)
    session.note(
        "The data keys were not copied (--keys): without them every payload counts as erased.");
  session.note("Not copied: objects, root.key, audit.key; see ARCHITECTURE.md, \"Moving house\". " +
               o.from + " must not be started again.");
}

int copy(Session& session, CopyOptions& o) {
  if (o.from.empty() || o.to.empty()) return session.usage("give --from and --to");
  const auto copied = run_copy(session, o);
  if (!copied.ok()) return session.fail(copied.error());
  if (session.globals.json) {
    session.document(document_of(*copied));
  } else if (!copied->difference) {
    show(session, o, *copied);
  }
  return copied->difference ? report_difference(session, *copied->difference) : 0;
}

struct Compared {
  std::int64_t records = 0;
  std::int64_t span_us = 0;
  std::optional<LogDifference> difference;
};

Result<Compared> run_compare(Session& session, const CopyOptions& o) {
  ST_ASSIGN(const auto settings, session.config());
  ST_ASSIGN(const auto one, session.parts.places.open(o.from, settings));
  ST_ASSIGN(const auto two, session.parts.places.open(o.to, settings));
  ST_ASSIGN(const auto parts, parts_of(*one, log_topics()));
  if (parts.empty()) return Error{ErrorCode::not_found, "there is no log at " + o.from, ""};
  Compared out;
  for (const CopyReport::Part& part : parts) {
    ST_ASSIGN(const Marks there, two->marks(part.where));
    out.records += part.marks.high.value - part.marks.low.value;
    if (there.low == part.marks.low && there.high == part.marks.high) continue;
    out.difference = LogDifference{part.where, std::min(there.high, part.marks.high),
                                   "one holds " + std::to_string(part.marks.low.value) + " to " +
                                       std::to_string(part.marks.high.value) + ", the other " +
                                       std::to_string(there.low.value) + " to " +
                                       std::to_string(there.high.value)};
    return out;
  }
  ProgressLine line(session);
  ST_ASSIGN(out.difference,
            compare_records(reader_of(*one), reader_of(*two), parts, [&](const CopyProgress& at) {
              line.show("comparing " + at.where.text(), at.records, at.total);
            }));
  out.span_us = line.elapsed_us();
  return out;
}

int compare(Session& session, CopyOptions& o) {
  if (o.from.empty() || o.to.empty()) return session.usage("give --from and --to");
  const auto compared = run_compare(session, o);
  if (!compared.ok()) return session.fail(compared.error());
  if (session.globals.json) {
    json::object out;
    out["same"] = !compared->difference.has_value();
    out["records"] = compared->records;
    if (compared->difference) out["difference"] = document_of(*compared->difference);
    session.document(out);
  } else if (!compared->difference) {
    session.line(std::to_string(compared->records) + " records: same positions, stamps, bytes (" +
                 std::to_string(rate_of(compared->records, compared->span_us)) + "/s)");
  }
  return compared->difference ? report_difference(session, *compared->difference) : 0;
}

void place_options(Options& to, CopyOptions& o) {
  to.text("--from", o.from, "embedded:DATA_DIR or kafka://HOST:PORT,…[/PREFIX]");
  to.text("--to", o.to, "the same; settings of the brokers come from --config");
}

}  // namespace

Commands log_copy_commands() {
  return {
      make_command<CopyOptions>(
          "log copy", "Copy a log to another place, record by record, and compare the two",
          "sandtrail log copy --from embedded:/var/lib/sandtrail --to kafka://broker-1:9092 "
          "--keys\n"
          "sandtrail log copy --from embedded:./data --to embedded:./other --keys",
          [](Options& to, CopyOptions& o) {
            place_options(to, o);
            to.flag("--keys", o.keys, "the data keys as well");
          },
          copy),
      make_command<CopyOptions>(
          "log compare", "Compare two logs record by record",
          "sandtrail log compare --from embedded:./data --to kafka://127.0.0.1:29092",
          place_options, compare),
  };
}

}  // namespace sandtrail::cli
