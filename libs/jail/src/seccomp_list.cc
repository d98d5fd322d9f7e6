// SPDX-License-Identifier: Apache-2.0
#include <cerrno>
#include <charconv>

#include "builtin_seccomp_list.h"
#include "jail/seccomp.h"

namespace sandtrail::jail {
namespace {

std::string_view trim(std::string_view text) {
  while (!text.empty() && text.front() == ' ') text.remove_prefix(1);
  while (!text.empty() && text.back() == ' ') text.remove_suffix(1);
  return text;
}

// The next word; `text` keeps the rest.
std::string_view take_word(std::string_view& text) {
  text = trim(text);
  const auto word = text.substr(0, text.find(' '));
  text = trim(text.substr(word.size()));
  return word;
}

template <typename Number>
std::optional<Number> parse_number(std::string_view text) {
  const int base = text.starts_with("0x") ? 16 : 10;
  if (base == 16) text.remove_prefix(2);
  Number value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value, base);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

std::optional<SeccompCondition> parse_condition(std::string_view text) {
  using Operator = SeccompCondition::Operator;
  if (!text.starts_with("arg") || text.size() < 6 || text[3] < '0' || text[3] > '5') {
    return std::nullopt;
  }
  SeccompCondition condition;
  condition.argument = static_cast<unsigned>(text[3] - '0');
  text.remove_prefix(4);
  if (text.starts_with("&")) {
    const auto equals = text.find('=');
    if (equals == std::string_view::npos) return std::nullopt;
    const auto mask = parse_number<std::uint64_t>(text.substr(1, equals - 1));
    if (!mask) return std::nullopt;
    condition.op = Operator::masked_equal;
    condition.mask = *mask;
    text.remove_prefix(equals + 1);
  } else if (text.starts_with("!=")) {
    condition.op = Operator::not_equal;
    text.remove_prefix(2);
  } else {
    if (text[0] != '=' && text[0] != '>') return std::nullopt;
    condition.op = text[0] == '=' ? Operator::equal : Operator::greater;
    text.remove_prefix(1);
  }
  const auto value = parse_number<std::uint64_t>(text);
  if (!value) return std::nullopt;
  condition.value = *value;
  return condition;
}

std::optional<SeccompRule> parse_rule(std::string_view line) {
  const auto dashes = line.find(" -- ");
  if (dashes == std::string_view::npos) return std::nullopt;
  SeccompRule rule;
  rule.reason = trim(line.substr(dashes + 4));
  auto rest = line.substr(0, dashes);
  auto name = take_word(rest);
  if (const auto colon = name.find(':'); colon != std::string_view::npos) {
    rule.number = parse_number<int>(name.substr(colon + 1));
    if (!rule.number) return std::nullopt;
    name = name.substr(0, colon);
  }
  rule.syscall = name;
  const auto error = take_word(rest);
  rule.error = error == "EPERM" ? EPERM : error == "ENOSYS" ? ENOSYS : 0;
  if (!rest.empty()) {
    rule.condition = parse_condition(rest);
    if (!rule.condition) return std::nullopt;
  }
  const bool whole = rule.syscall != "above" || (rule.number && !rule.condition);
  if (rule.reason.empty() || rule.syscall.empty() || rule.error == 0 || !whole) return std::nullopt;
  return rule;
}

}  // namespace

std::string_view builtin_seccomp_list() {
  return kBuiltinSeccompList;
}

Result<std::vector<SeccompRule>> parse_seccomp_list(std::string_view text) {
  std::vector<SeccompRule> rules;
  for (int number = 1; !text.empty(); ++number) {
    const auto end = text.find('\n');
    const auto line = trim(text.substr(0, end));
    text = end == std::string_view::npos ? std::string_view() : text.substr(end + 1);
    if (line.empty() || line.front() == '#') continue;
    auto rule = parse_rule(line);
    if (!rule) {
      return Error{ErrorCode::invalid_argument, "seccomp list: line " + std::to_string(number), ""};
    }
    rules.push_back(std::move(*rule));
  }
  return rules;
}

}  // namespace sandtrail::jail
