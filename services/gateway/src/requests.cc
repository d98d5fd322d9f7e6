// SPDX-License-Identifier: Apache-2.0
#include "requests.h"

#include <algorithm>

#include "base/limits.h"

namespace sandtrail::gateway {
namespace {

constexpr std::size_t kFractionDigits = 6;

bool is_digits(std::string_view text) {
  return !text.empty() &&
         std::all_of(text.begin(), text.end(), [](char c) { return c >= '0' && c <= '9'; });
}

// Up to nine digits before the point: far below overflow.
std::optional<MicroCredits> parse_credits(std::string_view text) {
  const std::size_t point = text.find('.');
  const std::string_view whole = text.substr(0, point);
  const std::string_view fraction =
      point == std::string_view::npos ? std::string_view() : text.substr(point + 1);
  if (!is_digits(whole) || whole.size() > 9) return std::nullopt;
  if (point != std::string_view::npos &&
      (!is_digits(fraction) || fraction.size() > kFractionDigits)) {
    return std::nullopt;
  }
  std::string digits(whole);
  digits += fraction;
  digits.append(kFractionDigits - fraction.size(), '0');
  std::int64_t count = 0;
  for (const char c : digits) count = count * 10 + (c - '0');
  return MicroCredits{count};
}

// A literal address, as parse_url() leaves it; a name is judged when it is resolved.
bool is_literal(std::string_view host) {
  return host.find(':') != std::string_view::npos ||
         host.find_first_not_of("0123456789.") == std::string_view::npos;
}

}  // namespace

std::optional<json::value> take_member(json::value& body, std::string_view name) {
  auto* object = body.if_object();
  if (object == nullptr) return std::nullopt;
  const auto found = object->find(name);
  if (found == object->end()) return std::nullopt;
  json::value value = std::move(found->value());
  object->erase(found);
  return value;
}

std::optional<Millis> read_retention(const json::value& in, reflect::ReadContext& context) {
  const std::pair<std::string_view, std::optional<Millis>> named[] = {{"1h", hours(1)},
                                                                      {"24h", hours(24)},
                                                                      {"7d", days(7)},
                                                                      {"30d", days(30)},
                                                                      {"indefinite", std::nullopt}};
  if (in.is_string()) {
    for (const auto& [name, span] : named) {
      if (std::string_view(in.get_string()) == name) return span;
    }
  } else if (const auto* object = in.if_object(); object != nullptr && object->size() == 1) {
    const auto* count = object->if_contains("seconds");
    if (count != nullptr && count->is_int64()) {
      const std::int64_t most = limits::kRetentionMax.count / 1000;
      const std::int64_t least = limits::kRetentionMin.count / 1000;
      const std::int64_t n = count->get_int64();
      if (n >= least && n <= most) return seconds(n);
      context.add("/retention/seconds",
                  "must be from " + std::to_string(least) + " to " + std::to_string(most));
      return std::nullopt;
    }
  }
  context.add("/retention", "must be 1h, 24h, 7d, 30d, indefinite or {\"seconds\": n}");
  return std::nullopt;
}

MicroCredits read_credits(const json::value& in, const std::string& at,
                          reflect::ReadContext& context) {
  std::optional<MicroCredits> amount;
  if (in.is_string()) amount = parse_credits(in.get_string());
  if (in.is_int64() && in.get_int64() >= 0) amount = parse_credits(std::to_string(in.get_int64()));
  if (!amount) {
    context.add(at,
                "must be credits as an integer, or as decimal text of up to six digits after "
                "the point, below 1000000000");
    return {};
  }
  return *amount;
}

std::string credits_text(MicroCredits amount) {
  const bool negative = amount.count < 0;
  const std::uint64_t count = negative ? 0 - static_cast<std::uint64_t>(amount.count)
                                       : static_cast<std::uint64_t>(amount.count);
  std::string fraction = std::to_string(count % kMicroCreditsPerCredit);
  fraction.insert(0, kFractionDigits - fraction.size(), '0');
  while (fraction.ends_with('0')) fraction.pop_back();
  std::string text = (negative ? "-" : "") + std::to_string(count / kMicroCreditsPerCredit);
  if (!fraction.empty()) text += "." + fraction;
  return text;
}

void check_url(const http::AddressPolicy& policy, const std::string& url, const std::string& at,
               reflect::ReadContext& context) {
  if (url.size() > limits::kWebhookUrlBytesMax) {
    context.add(at, "must be at most " + std::to_string(limits::kWebhookUrlBytesMax) + " bytes");
    return;
  }
  const auto parsed = http::parse_url(url);
  if (!parsed.ok()) {
    context.add(at, "must be an absolute http or https URL: " + parsed.error().message);
    return;
  }
  const std::string& host = parsed->host;
  // localhost is loopback by definition (RFC 6761 section 6.3).
  const bool loopback_name = host == "localhost" || host.ends_with(".localhost");
  if ((loopback_name && !http::address_allowed(policy, "127.0.0.1")) ||
      (is_literal(host) && !http::address_allowed(policy, host))) {
    context.add(
        at,
        "names an address that is not public; an operator can allow it with webhooks.allow_cidrs");
  }
}

void check_name(const std::string& name, const std::string& at, reflect::ReadContext& context) {
  const bool control = std::any_of(name.begin(), name.end(), [](char c) {
    return static_cast<unsigned char>(c) < 0x20 || c == 0x7f;
  });
  if (name.empty() || name.size() > limits::kNameBytesMax || control) {
    context.add(at, "must be 1 to " + std::to_string(limits::kNameBytesMax) +
                        " bytes without control characters");
  }
}

void check_limits(const LimitsRequest& limits, const std::string& at,
                  reflect::ReadContext& context) {
  if (limits.queued_max.value_or(0) < 0) context.add(at + "/queued_max", "must not be negative");
  if (limits.running_max.value_or(0) < 0) context.add(at + "/running_max", "must not be negative");
}

OrgLimits with_limits(OrgLimits base, const LimitsRequest& limits) {
  base.queued_max = limits.queued_max.value_or(base.queued_max);
  base.running_max = limits.running_max.value_or(base.running_max);
  return base;
}

}  // namespace sandtrail::gateway
