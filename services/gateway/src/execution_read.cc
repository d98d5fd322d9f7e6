// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <charconv>

#include "base/limits.h"
#include "executions.h"
#include "gateway/read_model.h"
#include "opened.h"
#include "rows.h"
#include "submit.h"
#include "views.h"

namespace sandtrail::gateway {
namespace {

// The N of "Prefer: wait=N" among other preferences (RFC 7240 section 4.3), bounded.
std::optional<std::int64_t> preferred_wait(const Call& call) {
  for (const auto& [name, value] : call.request.fields.all()) {
    if (!http::same_field_name(name, "Prefer")) continue;
    std::string_view rest = value;
    while (!rest.empty()) {
      const std::size_t end = rest.find_first_of(",;");
      std::string_view item = rest.substr(0, end);
      rest.remove_prefix(end == std::string_view::npos ? rest.size() : end + 1);
      while (item.starts_with(' ')) item.remove_prefix(1);
      while (item.ends_with(' ')) item.remove_suffix(1);
      if (!item.starts_with("wait=")) continue;
      std::int64_t seconds_wanted = 0;
      const char* last = item.data() + item.size();
      const auto parsed = std::from_chars(item.data() + 5, last, seconds_wanted);
      if (parsed.ec != std::errc() || parsed.ptr != last || seconds_wanted < 0) continue;
      return std::min(seconds_wanted, limits::kPreferWaitSecondsMax);
    }
  }
  return std::nullopt;
}

struct Answer {
  AnswerAs as;
  std::optional<std::int64_t> waited;  // the preference that was applied
  std::string queue;                   // RateLimit
  std::string queue_policy;
};

void send(Context& context, const CallPtr& call, const ExecutionDoc& doc,
          const TopicPartition& where, const Answer& answer) {
  auto opened = open_execution(context.payloads(), doc);
  if (!opened.ok()) return respond(*call, internal_problem(*call, opened.error()));
  const ExecutionView view = view_of(opened->doc, where, opened->input ? &*opened->input : nullptr,
                                     opened->output ? &*opened->output : nullptr);
  std::vector<std::pair<std::string, std::string>> fields{{"Sandtrail-Position", view.position}};
  if (answer.waited) {
    fields.emplace_back("Preference-Applied", "wait=" + std::to_string(*answer.waited));
  }
  int status = 200;
  if (answer.as == AnswerAs::created) {
    fields.emplace_back("Location", view.urls.self);
    fields.emplace_back("RateLimit-Policy", answer.queue_policy);
    fields.emplace_back("RateLimit", answer.queue);
    if (!answer.waited || !is_terminal(doc.status)) {
      status = 202;
      fields.emplace_back("Retry-After", "1");
    }
  }
  respond_json(*call, status, to_json(view), std::move(fields));
}

// Now, whether it is over or not. Payloads are opened on the executor.
void answer_now(Context& context, const CallPtr& call, const PartitionView& view,
                const ExecutionDoc& doc, AnswerAs as, std::optional<std::int64_t> waited) {
  Answer answer{as, waited, "", ""};
  if (const OrgRow* org = view.state().orgs.find(doc.org)) {
    const std::int64_t most = org->limits.queued_max;
    answer.queue = "\"queued\";r=" + std::to_string(std::max<std::int64_t>(0, most - org->queued));
    answer.queue_policy = "\"queued\";q=" + std::to_string(most) + ";qu=\"concurrent-requests\"";
  }
  context.executor([&context, call, doc, where = view.where(), answer = std::move(answer)] {
    send(context, call, doc, where, answer);
  });
}

}  // namespace

void respond_execution(Context& context, const CallPtr& call, const ExecutionId& id, AnswerAs as,
                       const PartitionView& view) {
  const auto doc = execution_at(view.rows(ReadModel::kName), id);
  if (!doc || doc->org != call->org) {
    return respond(*call, Problem{"not_found", "no such execution", {}, {}});
  }
  const auto wait = preferred_wait(*call);
  if (wait && *wait > 0 && !is_terminal(doc->status)) {
    const auto over = [&context, call, id, as, wait] {
      query(context, call, context.runtime.home(call->org),
            [&context, call, id, as, wait](const PartitionView& later) {
              if (!still_admitted(context, call, later)) return;
              const auto ended = execution_at(later.rows(ReadModel::kName), id);
              ST_ASSERT(ended.has_value());
              answer_now(context, call, later, *ended, as, wait);
            });
    };
    if (context.waits.add(id, seconds(*wait), *call->responder, over)) return;
    return answer_now(context, call, view, *doc, as, std::nullopt);
  }
  answer_now(context, call, view, *doc, as, wait);
}

void respond_execution(Context& context, const CallPtr& call, const ExecutionId& id, AnswerAs as) {
  query(context, call, context.runtime.home(call->org),
        [&context, call, id, as](const PartitionView& view) {
          respond_execution(context, call, id, as, view);
        });
}

std::optional<ExecutionDoc> own_execution(const Call& call, const PartitionView& view) {
  const auto id = id_in_path<ExecutionId>(call);
  if (!id) return std::nullopt;
  auto doc = execution_at(view.rows(ReadModel::kName), *id);
  if (!doc || doc->org != call.org) {
    respond(call, Problem{"not_found", "no such execution", {}, {}});
    return std::nullopt;
  }
  return doc;
}

void get_execution(Context& context, const CallPtr& call, const PartitionView& view) {
  const auto id = id_in_path<ExecutionId>(*call);
  if (id) respond_execution(context, call, *id, AnswerAs::found, view);
}

}  // namespace sandtrail::gateway
