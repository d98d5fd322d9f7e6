// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include "base/limits.h"
#include "executions.h"
#include "gateway/read_model.h"
#include "opened.h"
#include "pages.h"
#include "rows.h"
#include "submit.h"
#include "views.h"

namespace sandtrail::gateway {
namespace {

struct Filter {
  PageQuery page;
  std::optional<ExecutionStatus> status;
  std::optional<Verdict> verdict;
  std::optional<std::string> thread;
  std::vector<std::string> pairs;  // "key=value"
  std::vector<Bytes> tokens;       // of thread and pairs

  bool fits(const ExecutionDoc& doc) const {
    if (status && doc.status != *status) return false;
    if (verdict && (!doc.result || doc.result->verdict != *verdict)) return false;
    return std::all_of(tokens.begin(), tokens.end(), [&doc](const Bytes& token) {
      return std::find(doc.tokens.begin(), doc.tokens.end(), Blob{token}) != doc.tokens.end();
    });
  }
};

template <typename E>
bool read_enum_parameter(const Call& call, std::string_view name, std::optional<E>& out) {
  const auto given = call.parameter(name);
  if (!given) return true;
  out = enum_from<E>(*given);
  if (out) return true;
  std::vector<std::string_view> names;
  for (const auto& [value, text] : EnumNames<E>::names) names.push_back(text);
  respond(call, invalid_parameter(name, reflect::one_of(names)));
  return false;
}

std::optional<Filter> read_filter(const Call& call) {
  const auto page = page_query(call);
  if (!page) return std::nullopt;
  Filter filter;
  filter.page = *page;
  if (!read_enum_parameter(call, "status", filter.status)) return std::nullopt;
  if (!read_enum_parameter(call, "verdict", filter.verdict)) return std::nullopt;
  filter.thread = call.parameter("thread");
  constexpr std::string_view kStem = "metadata[";
  for (const auto& [name, value] : call.query) {
    if (!name.starts_with(kStem)) continue;
    filter.pairs.push_back(name.substr(kStem.size(), name.size() - kStem.size() - 1) + "=" + value);
  }
  return filter;
}

Status make_tokens(Context& context, const DataKeyId& org_key, Filter& filter) {
  if (filter.thread) {
    ST_ASSIGN(Bytes token, context.keyring().token(org_key, "thread", *filter.thread));
    filter.tokens.push_back(std::move(token));
  }
  for (const std::string& pair : filter.pairs) {
    ST_ASSIGN(Bytes token, context.keyring().token(org_key, "metadata", pair));
    filter.tokens.push_back(std::move(token));
  }
  return {};
}

struct Found {
  std::vector<ExecutionDoc> docs;
  std::optional<std::string> next;
  TopicPartition where;
};

Found find(const PartitionView& view, const OrgId& org, const Filter& filter) {
  Found found;
  found.where = view.where();
  const Rows& rows = view.rows(ReadModel::kName);
  const Bytes prefix =
      filter.tokens.empty() ? row_key('l', org) : row_key('t', org, filter.tokens.front());
  std::size_t payload_bytes = 0;
  found.next = walk(rows, prefix, filter.page, [&](std::int64_t, BytesView id) {
    if (found.docs.size() == filter.page.limit || payload_bytes > limits::kPagePayloadBytesMax) {
      return false;
    }
    auto doc = execution_at(rows, ExecutionId::derived(id));
    if (doc && filter.fits(*doc)) {
      if (doc->input) payload_bytes += static_cast<std::size_t>(doc->input->bytes);
      found.docs.push_back(std::move(*doc));
    }
    return true;
  });
  return found;
}

void show(Context& context, const CallPtr& call, const Found& found) {
  Page page;
  page.next = found.next;
  for (const ExecutionDoc& doc : found.docs) {
    auto opened = open_execution(context.payloads(), doc, false);
    if (!opened.ok()) return respond(*call, internal_problem(*call, opened.error()));
    page.data.push_back(to_json(
        view_of(opened->doc, found.where, opened->input ? &*opened->input : nullptr, nullptr)));
  }
  respond_page(*call, std::move(page));
}

}  // namespace

void list_executions(Context& context, const CallPtr& call, const PartitionView& view) {
  auto filter = read_filter(*call);
  if (!filter) return;
  const auto answer = [&context, call](Found found) {
    context.executor([&context, call, found = std::move(found)] { show(context, call, found); });
  };
  if (!filter->thread && filter->pairs.empty()) return answer(find(view, call->org, *filter));
  const DataKeyId org_key = view.state().orgs.find(call->org)->key;
  context.executor([&context, call, org_key, answer, filter = std::move(*filter)]() mutable {
    const Status status = make_tokens(context, org_key, filter);
    if (!status.ok()) return respond(*call, internal_problem(*call, status.error()));
    query(context, call, context.runtime.home(call->org),
          [call, answer, filter](const PartitionView& later) {
            answer(find(later, call->org, filter));
          });
  });
}

}  // namespace sandtrail::gateway
