// SPDX-License-Identifier: Apache-2.0
#include "server_digests.h"

#include <charconv>

#include "api.h"

namespace sandtrail::cli {
namespace {

Error no_digests() {
  return {ErrorCode::corrupt, "the server's answer holds no digests", "is it another version?"};
}

Result<ServerDigests> expected_from(const json::value& item) {
  ServerDigests out;
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

}  // namespace

Result<std::vector<ServerDigests>> ask_server(Session& session) {
  ST_ASSIGN(Api api, operator_api(session));
  ST_ASSIGN(const ApiAnswer answer, api.get("/operator/digests"));
  const auto* object = answer.body.if_object();
  const json::value* data = object == nullptr ? nullptr : object->if_contains("data");
  if (data == nullptr || !data->is_array()) return no_digests();
  std::vector<ServerDigests> out;
  for (const json::value& item : data->get_array()) {
    ST_ASSIGN(ServerDigests expected, expected_from(item));
    out.push_back(std::move(expected));
  }
  return out;
}

std::string difference(const ServerDigests& expected, const PartitionDigests& found) {
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

std::string difference(const ServerDigests& expected, const std::vector<PartitionDigests>& found) {
  for (const PartitionDigests& digests : found) {
    if (digests.where == expected.where) return difference(expected, digests);
  }
  return "the log has no such partition";
}

}  // namespace sandtrail::cli
