// SPDX-License-Identifier: Apache-2.0
#include "pages.h"

#include <charconv>

#include "base/limits.h"
#include "rows.h"

namespace sandtrail::gateway {
namespace {

std::optional<std::int64_t> parse_number(std::string_view text) {
  std::int64_t value = 0;
  const char* end = text.data() + text.size();
  const auto parsed = std::from_chars(text.data(), end, value);
  if (text.empty() || parsed.ec != std::errc() || parsed.ptr != end) return std::nullopt;
  return value;
}

// Percent-encodes what is not unreserved (RFC 3986 section 2.3).
std::string encode(std::string_view text) {
  std::string out;
  for (const char c : text) {
    const bool plain = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
                       c == '-' || c == '.' || c == '_' || c == '~';
    if (plain) {
      out += c;
    } else {
      out += "%" + hex(std::string_view(&c, 1));
    }
  }
  return out;
}

// The same list from `cursor` on.
std::string next_target(const Call& call, const std::string& cursor) {
  std::string target = call.request.path + "?";
  for (const auto& [name, value] : call.query) {
    if (name != "cursor") target += encode(name) + "=" + encode(value) + "&";
  }
  return target + "cursor=" + encode(cursor);
}

}  // namespace

std::optional<std::size_t> page_limit(const Call& call) {
  const auto given = call.parameter("limit");
  if (!given) return static_cast<std::size_t>(limits::kPageDefault);
  const auto limit = parse_number(*given);
  if (!limit || *limit < 1 || *limit > limits::kPageMax) {
    respond(call,
            invalid_parameter("limit", "must be from 1 to " + std::to_string(limits::kPageMax)));
    return std::nullopt;
  }
  return static_cast<std::size_t>(*limit);
}

std::string number_cursor(std::int64_t number) {
  Bytes bytes;
  put_be64(bytes, static_cast<std::uint64_t>(number));
  return base64url(bytes);
}

std::optional<PageQuery> page_query(const Call& call) {
  const auto limit = page_limit(call);
  if (!limit) return std::nullopt;
  PageQuery page;
  page.limit = *limit;
  const auto cursor = call.parameter("cursor");
  if (!cursor) return page;
  const auto bytes = unbase64url(*cursor);
  if (!bytes || bytes->size() != 8) {
    respond(call, invalid_parameter("cursor", "is none of this list"));
    return std::nullopt;
  }
  page.before = static_cast<std::int64_t>(get_be64(*bytes));
  return page;
}

void respond_page(const Call& call, Page page) {
  json::object body;
  body["data"] = std::move(page.data);
  body["next_cursor"] = nullptr;
  body["has_more"] = page.next.has_value();
  std::vector<std::pair<std::string, std::string>> fields;
  if (page.next) {
    body["next_cursor"] = json::value(std::string_view(*page.next));
    fields.emplace_back("Link", "<" + next_target(call, *page.next) + ">; rel=\"next\"");
  }
  respond_json(call, 200, body, std::move(fields));
}

std::optional<std::string> walk(
    const Rows& rows, const Bytes& prefix, const PageQuery& page,
    const std::function<bool(std::int64_t number, BytesView value)>& take) {
  Bytes end = prefix_end(prefix);
  if (page.before) {
    end = prefix;
    put_be64(end, static_cast<std::uint64_t>(*page.before));
  }
  std::size_t seen = 0;
  std::optional<std::int64_t> last;
  bool more = false;
  rows.scan_back(prefix, end, [&](BytesView key, BytesView value) {
    const std::int64_t number = last_number(key);
    if (seen == limits::kPageScanMax || !take(number, value)) {
      more = true;
      return false;
    }
    ++seen;
    last = number;
    return true;
  });
  if (!more) return std::nullopt;
  return number_cursor(last.value_or(page.before.value_or(0)));
}

}  // namespace sandtrail::gateway
