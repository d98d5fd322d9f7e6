// SPDX-License-Identifier: Apache-2.0
// Dropping the oldest records of a partition, by an operator. What the log's own rule allows is
// asked of the log; that nothing can be folded from the beginning afterwards is asked here.
#include "obs/log.h"
#include "operators.h"
#include "requests.h"
#include "submit.h"
#include "wire/topics.h"

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

TopicPartition platform() {
  return {std::string(kPlatformTopic), 0};
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

// What is known before anything is done.
struct Trim {
  TopicPartition where;
  TrimRequest in;
  std::int64_t base = 0;  // where the newest base ends; 0: there is none
};

void answer(const CallPtr& call, const Trim& order, const Marks& marks, const std::string& holder,
            bool trimmed) {
  json::object body;
  body["partition"] = text(order.where.text());
  body["low"] = marks.low.value;
  body["high"] = marks.high.value;
  body["base"] = order.base;
  body["trimmed"] = trimmed;
  if (!holder.empty()) body["held_by"] = text(holder);
  respond_json(*call, 200, body);
}

std::string no_base(const Trim& order) {
  const std::string how = "; sandtrail log base takes one";
  if (order.base > 0) {
    return "the newest base of " + order.where.text() + " ends at " + std::to_string(order.base) +
           how;
  }
  return order.where.text() + " has no base: without its first records no store could be folded " +
         "anew, and neither log nor audit be verified" + how;
}

// The order is in the log, and the records go.
void drop(Context& context, const CallPtr& call, const Trim& order) {
  if (const Status done = context.log.trim(order.where, {order.in.before}); !done.ok()) {
    return respond(*call, problem_of_log(done.error()));
  }
  log_warn("records were dropped", {{"partition", order.where.text()},
                                    {"before", order.in.before},
                                    {"operator", context.options.operator_name},
                                    {"request_id", call->request_id}});
  const auto now = context.log.marks(order.where);
  if (!now.ok()) return respond(*call, problem_of_log(now.error()));
  answer(call, order, *now, "", true);
}

void submit_order(Context& context, const CallPtr& call, const Trim& order) {
  Submission submission;
  submission.applied = [&context, call, order](Position) {
    context.executor([&context, call, order] { drop(context, call, order); });
  };
  submission.explain = [order](VoidReason reason) -> std::optional<Problem> {
    if (reason != VoidReason::wrong_state) return std::nullopt;
    return refused(no_base(order));
  };
  const TrimRequest& in = order.in;
  LogTrimOrdered event{in.topic, in.partition, in.before, in.without_base};
  submit(context, call, platform(), proposal_of(*call, order.where.text(), std::move(event)),
         std::move(submission));
}

void trim(Context& context, const CallPtr& call, const Trim& order) {
  const Position before{order.in.before};
  const auto marks = context.log.marks(order.where);
  if (!marks.ok()) return respond(*call, problem_of_log(marks.error()));
  if (before > marks->high) {
    return respond(*call, refused("there is nothing yet at " + std::to_string(before.value) +
                                  "; the log ends at " + std::to_string(marks->high.value)));
  }
  const auto holder = holder_of(context.log, order.where, before);
  if (!holder.ok()) return respond(*call, problem_of_log(holder.error()));
  if (order.in.dry_run) return answer(call, order, *marks, *holder, false);
  if (!order.in.without_base && order.base < before.value) {
    return respond(*call, refused(no_base(order)));
  }
  if (!holder->empty()) return respond(*call, refused(*holder));
  submit_order(context, call, order);
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
  query(context, call, platform(), [&context, call](const PartitionView& view) {
    Trim order;
    order.in = std::any_cast<const TrimRequest&>(call->prepared);
    order.where = {order.in.topic, static_cast<std::int32_t>(order.in.partition)};
    const BaseRow* base = view.state().bases.find(order.where.text());
    if (base != nullptr) order.base = base->next;
    context.executor([&context, call, order] { trim(context, call, order); });
  });
}

}  // namespace sandtrail::gateway
