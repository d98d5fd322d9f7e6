// SPDX-License-Identifier: Apache-2.0
// log verify: folds the log from its beginning into an empty store, and compares the digests of
// all rows with those of the running server at the same positions.
#include <charconv>

#include "api.h"
#include "commands.h"
#include "rebuild.h"

namespace sandtrail::cli {
namespace {

struct Expected {
  TopicPartition where;
  Position next;
  json::value digests;  // fold, core, projections
};

Error no_digests() {
  return {ErrorCode::corrupt, "the server's answer holds no digests", "is it another version?"};
}

Result<Expected> expected_from(const json::value& item) {
  Expected out;
  const std::string where = shown(item, "partition");
  const auto slash = where.rfind('/');
  const std::string next = shown(item, "next");
  if (slash == std::string::npos) return no_digests();
  out.where.topic = where.substr(0, slash);
  const auto number = [](std::string_view text, auto& into) {
    const auto parsed = std::from_chars(text.data(), text.data() + text.size(), into);
    return parsed.ec == std::errc() && parsed.ptr == text.data() + text.size();
  };
  if (!number(std::string_view(where).substr(slash + 1), out.where.partition) ||
      !number(next, out.next.value)) {
    return no_digests();
  }
  out.digests = item;
  return out;
}

Result<std::vector<Expected>> ask_server(Session& session) {
  ST_ASSIGN(Api api, operator_api(session));
  ST_ASSIGN(const ApiAnswer answer, api.get("/operator/digests"));
  const auto* object = answer.body.if_object();
  const json::value* data = object == nullptr ? nullptr : object->if_contains("data");
  if (data == nullptr || !data->is_array()) return no_digests();
  std::vector<Expected> out;
  for (const json::value& item : data->get_array()) {
    ST_ASSIGN(Expected expected, expected_from(item));
    out.push_back(std::move(expected));
  }
  return out;
}

// Where the two differ first, or "".
std::string difference(const Expected& expected, const PartitionDigests& found) {
  if (found.next != expected.next) {
    return "the log ends at " + std::to_string(found.next.value) + ", the server folded up to " +
           std::to_string(expected.next.value);
  }
  if (shown(expected.digests, "fold") != found.fold) return "the records or their verdicts";
  if (shown(expected.digests, "core") != found.core) return "the rows of the core";
  const auto* object = expected.digests.if_object();
  const json::value* projections = object->if_contains("projections");
  if (projections == nullptr || !projections->is_object()) return "the list of projections";
  // A process keeps those that its roles read.
  std::size_t compared = 0;
  for (const auto& [name, digest] : found.projections) {
    if (projections->get_object().if_contains(name) == nullptr) continue;
    if (shown(*projections, name) != digest) return "the rows of the projection " + name;
    ++compared;
  }
  return projections->get_object().size() == compared ? "" : "the list of projections";
}

int report(Session& session, const std::vector<Expected>& expected,
           const std::vector<PartitionDigests>& found) {
  json::array shown_partitions;
  std::string first;
  for (const Expected& one : expected) {
    std::string problem = "the log has no such partition";
    for (const PartitionDigests& digests : found) {
      if (digests.where == one.where) problem = difference(one, digests);
    }
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
  for (const Expected& one : *expected) ends[one.where] = one.next;
  const auto found = rebuild(session, **log, std::move(ends));
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
  return {named("log verify"), named("log replay")};
}

}  // namespace sandtrail::cli
