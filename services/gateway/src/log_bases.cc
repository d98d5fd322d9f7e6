// SPDX-License-Identifier: Apache-2.0
// Bases, by an operator: what stands in the object store is told in the log, so that it is audited,
// and found by whoever needs it.
#include "runtime/bases.h"

#include "operators.h"
#include "requests.h"
#include "submit.h"
#include "wire/topics.h"

namespace sandtrail::gateway {
namespace {

constexpr std::size_t kSha256Bytes = 32;

json::value text(std::string_view content) {
  return json::value(content);
}

TopicPartition platform() {
  return {std::string(kPlatformTopic), 0};
}

Problem refused(std::string detail) {
  return {"wrong_state", std::move(detail), {}, {}};
}

Result<BaseManifest> find_base(const Context& context, BytesView sha256) {
  if (!context.open_bases) {
    return Error{ErrorCode::not_found, "this process has no object store", ""};
  }
  ST_ASSIGN(const auto objects, context.open_bases());
  ST_ASSIGN(BaseManifest manifest, read_base(*objects, sha256));
  ST_CHECK_OK(check_base(*objects, manifest));
  if (manifest.log_identity != context.log.identity()) {
    return Error{ErrorCode::conflict, "the base is of another log", ""};
  }
  return manifest;
}

// Not on the thread that reads requests: a base is read whole, so that none is told that is not.
void record(Context& context, const CallPtr& call, const Bytes& sha256) {
  const auto found = find_base(context, sha256);
  if (!found.ok()) {
    return respond(*call, found.error().retryable() ? problem_of(found.error())
                                                    : refused(found.error().told()));
  }
  const BaseManifest& manifest = *found;
  const std::string where = partition_key(manifest.topic, manifest.partition);
  Submission submission;
  submission.applied = [call, where, next = manifest.next](Position position) {
    json::object body;
    body["partition"] = text(where);
    body["next"] = next;
    body["position"] = text(position_text(platform(), position));
    respond_json(*call, 200, body);
  };
  submission.explain = [where](VoidReason reason) -> std::optional<Problem> {
    if (reason != VoidReason::out_of_order) return std::nullopt;
    return refused("the log tells of a newer base of " + where + ", or of this one");
  };
  LogBaseTaken taken{manifest.topic, manifest.partition, manifest.next, manifest.digest, {sha256}};
  submit(context, call, platform(), proposal_of(*call, where, std::move(taken)),
         std::move(submission));
}

}  // namespace

std::optional<Problem> prepare_base(Context&, Call& call) {
  reflect::ReadContext out;
  BaseRequest in;
  read_body_as(call.body, in, out);
  auto sha256 = unhex(in.manifest);
  if (out.problems.empty() && (!sha256 || sha256->size() != kSha256Bytes)) {
    out.add("/manifest", "must be a SHA-256 in hex");
  }
  if (!out.problems.empty()) return invalid_request(std::move(out.problems));
  call.prepared = std::move(*sha256);
  return std::nullopt;
}

void record_base(Context& context, const CallPtr& call) {
  context.executor(
      [&context, call] { record(context, call, std::any_cast<const Bytes&>(call->prepared)); });
}

void list_bases(Context& context, const CallPtr& call) {
  query(context, call, platform(), [call](const PartitionView& view) {
    json::array data;
    for (const auto& [where, row] : view.state().bases.rows()) {
      json::object shown;
      shown["partition"] = text(where);
      shown["next"] = row.next;
      shown["digest"] = text(hex(row.digest.bytes));
      shown["manifest"] = text(hex(row.manifest.bytes));
      shown["taken_at"] = text(rfc3339(row.taken));
      data.push_back(std::move(shown));
    }
    json::object body;
    body["data"] = std::move(data);
    respond_json(*call, 200, body);
  });
}

}  // namespace sandtrail::gateway
