// SPDX-License-Identifier: Apache-2.0
// log base, log bases: where folds can begin when the records below are gone.
#include "api.h"
#include "commands.h"
#include "listing.h"
#include "rebuild.h"
#include "runtime/bases.h"
#include "server_digests.h"
#include "wire/topics.h"

namespace sandtrail::cli {
namespace {

// In the data directory: what `log base` has folded so far, so that the next one goes on there.
constexpr const char* kOwnFold = "base-fold";

struct Taken {
  TopicPartition where;
  std::int64_t next = 0;
  std::int64_t rows = 0;
  std::int64_t bytes = 0;
  std::string manifest;
  bool recorded = false;  // false: the log tells of it already
};

Result<std::map<std::string, std::int64_t>> ask_bases(Api& api) {
  ST_ASSIGN(const ApiAnswer answer, api.get("/operator/log/bases"));
  std::map<std::string, std::int64_t> out;
  const auto* object = answer.body.if_object();
  const json::value* data = object == nullptr ? nullptr : object->if_contains("data");
  if (data == nullptr || !data->is_array()) {
    return Error{ErrorCode::corrupt, "the server's answer holds no bases", ""};
  }
  for (const json::value& item : data->get_array()) {
    const auto* its = item.if_object();
    const json::value* next = its == nullptr ? nullptr : its->if_contains("next");
    if (next != nullptr && next->is_int64()) out[shown(item, "partition")] = next->as_int64();
  }
  return out;
}

Result<Taken> take_one(Api& api, const KvStore& store, ObjectStore& objects,
                       const TopicPartition& where, std::int64_t newest) {
  Taken out;
  out.where = where;
  ST_ASSIGN(const TakenBase base, take_base(store, where, objects));
  out.next = base.manifest.next;
  for (const BasePart& part : base.manifest.parts) {
    out.rows += part.rows;
    out.bytes += part.bytes;
  }
  out.manifest = hex(base.sha256);
  if (out.next <= newest) return out;
  json::object body;
  body["manifest"] = json::value(std::string_view(out.manifest));
  const json::value sent(std::move(body));
  ST_ASSIGN(const ApiAnswer answer, api.post_once("/operator/log/bases", &sent));
  out.recorded = true;
  return out;
}

// A base is what the log says, by a fold of its own that a server agrees with.
Result<std::vector<Taken>> take_all(Session& session) {
  ST_ASSIGN(Api api, operator_api(session));
  ST_ASSIGN(const auto expected, ask_server(session));
  ST_ASSIGN(const auto newest, ask_bases(api));
  ST_ASSIGN(const auto log, session.open_log());
  ST_ASSIGN(const auto objects, session.open_objects());
  ST_ASSIGN(const std::string directory, session.data_directory());
  ST_ASSIGN(const auto store, session.parts.open_store(directory + "/" + kOwnFold));
  std::map<TopicPartition, Position> ends;
  for (const ServerDigests& one : expected) ends[one.where] = one.next;
  ST_ASSIGN(const auto found, rebuild(session, *log, std::move(ends), *store));
  std::vector<Taken> out;
  for (const ServerDigests& one : expected) {
    const std::string problem = difference(one, found);
    if (!problem.empty()) {
      return Error{ErrorCode::conflict,
                   "the server's fold of " + one.where.text() + " is another: " + problem,
                   "no base was taken of it; see sandtrail log verify, and remove " + directory +
                       "/" + kOwnFold + " if the server is right"};
    }
    if (one.next.value == 0) continue;
    const auto at = newest.find(one.where.text());
    ST_ASSIGN(Taken taken,
              take_one(api, *store, *objects, one.where, at == newest.end() ? 0 : at->second));
    out.push_back(std::move(taken));
  }
  return out;
}

int base(Session& session, NoOptions&) {
  const auto taken = take_all(session);
  if (!taken.ok()) return session.fail(taken.error());
  json::array shown_bases;
  for (const Taken& one : *taken) {
    json::object item;
    item["partition"] = json::value(std::string_view(one.where.text()));
    item["next"] = one.next;
    item["rows"] = one.rows;
    item["bytes"] = one.bytes;
    item["manifest"] = json::value(std::string_view(one.manifest));
    item["recorded"] = one.recorded;
    shown_bases.push_back(std::move(item));
  }
  return show_list(session, shown_bases,
                   {{"PARTITION", "partition"},
                    {"NEXT", "next"},
                    {"ROWS", "rows"},
                    {"BYTES", "bytes"},
                    {"RECORDED", "recorded"},
                    {"MANIFEST", "manifest"}});
}

int bases(Session& session, NoOptions&) {
  auto api = operator_api(session);
  if (!api.ok()) return session.fail(api.error());
  const auto answer = api->get("/operator/log/bases");
  if (!answer.ok()) return session.fail(answer.error());
  const auto* object = answer->body.if_object();
  const json::value* data = object == nullptr ? nullptr : object->if_contains("data");
  return show_list(session, data != nullptr && data->is_array() ? data->get_array() : json::array(),
                   {{"PARTITION", "partition"},
                    {"NEXT", "next"},
                    {"TAKEN", "taken_at"},
                    {"DIGEST", "digest"},
                    {"MANIFEST", "manifest"}});
}

void no_options(Options&, NoOptions&) {}

}  // namespace

Commands log_base_commands() {
  return {make_command<NoOptions>(
              "log base", "Keep the rows of every partition, so that folds can begin there",
              "sandtrail log base\nsandtrail log base --config st.toml --json", no_options, base),
          make_command<NoOptions>("log bases", "The newest base of each partition",
                                  "sandtrail log bases", no_options, bases)};
}

}  // namespace sandtrail::cli
