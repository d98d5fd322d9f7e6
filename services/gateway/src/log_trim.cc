// SPDX-License-Identifier: Apache-2.0
// Dropping the oldest records of a partition, by an operator. What the log's own rule allows is
// asked of the log; that nothing can be folded from the beginning afterwards is asked here.
#include "obs/log.h"
#include "operators.h"
#include "requests.h"

namespace sandtrail::gateway {
namespace {

json::value text(std::string_view content) {
  return json::value(content);
}

Problem refused(std::string detail) {
  return {"wrong_state", std::move(detail), {}, {}};
}

Problem problem_of_log(const Error& error) {
  if (error.code == ErrorCode::conflict || error.code == ErrorCode::denied) {
    return refused(error.told());
  }
  return problem_of(error);
}

// Whose reported position is below: the log would refuse.
Result<std::string> holder_of(EventLog& log, const TopicPartition& where, Position before) {
  ST_ASSIGN(const auto reported, log.reported());
  for (const auto& [group, positions] : reported) {
    const auto at = positions.find(where);
    if (at != positions.end() && at->second < before) {
      return group + " still needs " + where.text() + " from " + std::to_string(at->second.value);
    }
  }
  return std::string();
}

void answer(const CallPtr& call, const TopicPartition& where, const Marks& marks,
            const std::string& holder, bool trimmed) {
  json::object body;
  body["partition"] = text(where.text());
  body["low"] = marks.low.value;
  body["high"] = marks.high.value;
  body["trimmed"] = trimmed;
  if (!holder.empty()) body["held_by"] = text(holder);
  respond_json(*call, 200, body);
}

void trim(Context& context, const CallPtr& call, const TrimRequest& in) {
  const TopicPartition where{in.topic, static_cast<std::int32_t>(in.partition)};
  const Position before{in.before};
  const auto marks = context.log.marks(where);
  if (!marks.ok()) return respond(*call, problem_of_log(marks.error()));
  if (before > marks->high) {
    return respond(*call, refused("there is nothing yet at " + std::to_string(in.before) +
                                  "; the log ends at " + std::to_string(marks->high.value)));
  }
  const auto holder = holder_of(context.log, where, before);
  if (!holder.ok()) return respond(*call, problem_of_log(holder.error()));
  if (in.dry_run) return answer(call, where, *marks, *holder, false);
  if (!in.without_base) {
    return respond(*call,
                   refused("there is no base below which records could be dropped: without them "
                           "no store can be folded anew, and neither log nor audit be verified"));
  }
  if (!holder->empty()) return respond(*call, refused(*holder));
  if (const Status done = context.log.trim(where, before); !done.ok()) {
    return respond(*call, problem_of_log(done.error()));
  }
  log_warn("records were dropped", {{"partition", where.text()},
                                    {"before", in.before},
                                    {"operator", context.options.operator_name},
                                    {"request_id", call->request_id}});
  const auto now = context.log.marks(where);
  answer(call, where, now.ok() ? *now : *marks, "", true);
}

}  // namespace

std::optional<Problem> prepare_trim(Context& context, Call& call) {
  reflect::ReadContext out;
  TrimRequest in;
  read_body_as(call.body, in, out);
  if (out.problems.empty() && in.before < 0) out.add("/before", "must not be negative");
  bool known = false;
  for (const TopicPartition& where : context.runtime.partitions()) {
    known = known || (where.topic == in.topic && where.partition == in.partition);
  }
  if (out.problems.empty() && !known) out.add("/partition", "is none of this topic");
  if (!out.problems.empty()) return invalid_request(std::move(out.problems));
  call.prepared = std::move(in);
  return std::nullopt;
}

// Not on the thread that reads requests: the log's servers may take their time.
void trim_log(Context& context, const CallPtr& call) {
  context.executor(
      [&context, call] { trim(context, call, std::any_cast<const TrimRequest&>(call->prepared)); });
}

}  // namespace sandtrail::gateway
