// SPDX-License-Identifier: Apache-2.0
#include "control.h"
#include "gateway/read_model.h"
#include "pages.h"
#include "rows.h"
#include "views.h"
#include "wire/topics.h"

namespace sandtrail::gateway {
namespace {

const TopicPartition kAudit{kAuditTopic, 0};

struct Filter {
  PageQuery page;
  std::optional<std::string> action;
  std::optional<AuditOutcome> outcome;
  std::optional<std::string> resource;
  std::optional<KeyId> key;
  std::optional<UnixMs> since;
  std::optional<UnixMs> until;

  bool fits(const AuditRecorded& entry) const {
    return (!action || entry.action == *action) && (!outcome || entry.outcome == *outcome) &&
           (!resource || entry.resource == *resource) && (!key || entry.actor_copy.key == *key) &&
           (!since || entry.time >= *since) && (!until || entry.time < *until);
  }
};

template <typename T, typename Parse>
bool read_parameter(const Call& call, std::string_view name, std::string_view form, Parse parse,
                    std::optional<T>& out) {
  const auto given = call.parameter(name);
  if (!given) return true;
  out = parse(*given);
  if (!out) respond(call, invalid_parameter(name, "must be " + std::string(form)));
  return out.has_value();
}

std::optional<Filter> read_filter(const Call& call) {
  const auto page = page_query(call);
  if (!page) return std::nullopt;
  Filter filter;
  filter.page = *page;
  filter.action = call.parameter("action");
  filter.resource = call.parameter("resource");
  constexpr std::string_view time = "a time in UTC like 2026-01-31T12:00:00Z";
  const bool fine = read_parameter(call, "outcome", "success, failure or denied",
                                   enum_from<AuditOutcome>, filter.outcome) &&
                    read_parameter(call, "key", "the id of an API key", KeyId::parse, filter.key) &&
                    read_parameter(call, "since", time, parse_rfc3339, filter.since) &&
                    read_parameter(call, "until", time, parse_rfc3339, filter.until);
  if (!fine) return std::nullopt;
  return filter;
}

// The audit log has a partition of its own; so has its position.
void at_audit(Context& context, const CallPtr& call,
              std::function<void(const PartitionView&)> read) {
  if (call->position_where == kAudit) {
    return query_at(context, call, kAudit, call->position.next(), std::move(read));
  }
  query(context, call, kAudit, std::move(read));
}

}  // namespace

void list_audit_entries(Context& context, const CallPtr& call, const PartitionView&) {
  auto filter = read_filter(*call);
  if (!filter) return;
  at_audit(context, call, [call, filter = std::move(*filter)](const PartitionView& view) {
    const Rows& rows = view.rows(ReadModel::kName);
    Page page;
    page.next =
        walk(rows, row_key('o', call->org), filter.page, [&](std::int64_t index, BytesView) {
          if (page.data.size() == filter.page.limit) return false;
          const auto doc = row_at<AuditDoc>(rows, row_key('a', index));
          ST_ASSERT(doc.has_value());
          if (filter.fits(doc->entry)) page.data.push_back(to_json(view_of(*doc)));
          return true;
        });
    respond_page(*call, std::move(page));
  });
}

void get_checkpoint(Context& context, const CallPtr& call, const PartitionView&) {
  at_audit(context, call, [call](const PartitionView& view) {
    const std::string& note = view.state().meta.checkpoint_note;
    if (note.empty()) {
      return respond(*call, Problem{"no_checkpoint", "the auditor has signed none so far", {}, {}});
    }
    http::Response response;
    response.fields.set("Content-Type", "text/plain; charset=utf-8");
    response.fields.set("Cache-Control", "no-store");
    response.body = note;
    respond(*call, std::move(response));
  });
}

}  // namespace sandtrail::gateway
