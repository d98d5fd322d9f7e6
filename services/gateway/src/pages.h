// SPDX-License-Identifier: Apache-2.0
// Lists: ?limit=&cursor=, newest first, {data, next_cursor, has_more}. A cursor names the last item
// shown, so what is added meanwhile disturbs nothing. It is opaque: nothing is promised of its
// form.
#pragma once

#include <algorithm>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "call.h"
#include "runtime/projection.h"

namespace sandtrail::gateway {

struct PageQuery {
  std::size_t limit = 0;
  std::optional<std::int64_t> before;  // numbers below it
};
// The limit alone.
std::optional<std::size_t> page_limit(const Call& call);
// Of lists that are ordered by position or index; answers with a problem if they are malformed.
std::optional<PageQuery> page_query(const Call& call);

struct Page {
  json::array data;
  std::optional<std::string> next;  // the cursor of what follows
};
void respond_page(const Call& call, Page page);

std::string number_cursor(std::int64_t number);

// Walks index rows `prefix` + number backwards from the page's start. `take` returns false once the
// page is full; the walk also ends after limits::kPageScanMax rows, so that filters that fit
// nothing do not hold up the partition. Returns the cursor of what follows, if anything may.
std::optional<std::string> walk(
    const Rows& rows, const Bytes& prefix, const PageQuery& page,
    const std::function<bool(std::int64_t number, BytesView value)>& take);

// A page of few items that are ordered by id, hence by time; answers with a problem if the cursor
// is malformed.
template <typename IdType>
void respond_ids(const Call& call, std::vector<IdType> ids,
                 const std::function<json::value(const IdType&)>& show) {
  const auto limit = page_limit(call);
  if (!limit) return;
  std::sort(ids.rbegin(), ids.rend());
  auto at = ids.begin();
  if (const auto cursor = call.parameter("cursor")) {
    const auto last = IdType::parse(*cursor);
    if (!last) return respond(call, invalid_parameter("cursor", "is none of this list"));
    at = std::upper_bound(ids.begin(), ids.end(), *last, std::greater<>());
  }
  Page page;
  for (; at != ids.end() && page.data.size() < *limit; ++at) page.data.push_back(show(*at));
  if (at != ids.end()) page.next = std::prev(at)->text();
  respond_page(call, std::move(page));
}

}  // namespace sandtrail::gateway
