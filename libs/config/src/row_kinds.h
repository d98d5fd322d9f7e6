// SPDX-License-Identifier: Apache-2.0
// Kinds of rows of the table of settings.
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <string>
#include <utility>

#include "rows.h"

namespace sandtrail::config {

// `at` gives the member of a Config, const or not.
template <typename At>
Row integer(std::string name, std::int64_t min, std::int64_t max, std::string text, At at) {
  const std::string bounds = std::to_string(min) + " to " + std::to_string(max);
  return {std::move(name),
          Kind::integer,
          "integer, " + bounds,
          std::move(text),
          [=](Config& config, const Raw& raw) -> std::string {
            const auto* number = as<std::int64_t>(raw);
            if (number == nullptr) return "must be an integer";
            if (*number < min || *number > max) return "must be " + bounds;
            at(config) = *number;
            return "";
          },
          [=](const Config& config) { return std::to_string(at(config)); }};
}

template <typename At>
Row span_ms(std::string name, std::int64_t min, std::int64_t max, std::string text, At at) {
  return integer(
      std::move(name), min, max,
      std::move(text), [=](auto& config) -> auto& { return at(config).count; });
}

template <typename At>
Row flag(std::string name, std::string text, At at) {
  return {std::move(name),
          Kind::flag,
          "true or false",
          std::move(text),
          [=](Config& config, const Raw& raw) -> std::string {
            const auto* value = as<bool>(raw);
            if (value == nullptr) return "must be true or false";
            at(config) = *value;
            return "";
          },
          [=](const Config& config) -> std::string { return at(config) ? "true" : "false"; }};
}

// `valid` says what is wrong with a text.
template <typename At>
Row text_row(std::string name, std::string type, std::string text, At at,
             std::function<std::string(const std::string&)> valid) {
  return {std::move(name),
          Kind::text,
          std::move(type),
          std::move(text),
          [=](Config& config, const Raw& raw) -> std::string {
            const auto* value = as<std::string>(raw);
            if (value == nullptr) return "must be a text";
            const std::string problem = valid(*value);
            if (problem.empty()) at(config) = *value;
            return problem;
          },
          [=](const Config& config) { return toml_text(at(config)); }};
}

template <typename At>
Row path(std::string name, std::string text, At at) {
  return text_row(std::move(name), "absolute path", std::move(text), at,
                  [](const std::string& value) -> std::string {
                    return value.empty() || value.starts_with('/') ? "" : "must be absolute";
                  });
}

template <typename At>
Row listen(std::string name, bool may_be_off, std::string text, At at) {
  const std::string type =
      std::string("address:port, unix:/path") + (may_be_off ? ", or \"off\"" : "");
  return {std::move(name),
          Kind::text,
          type,
          std::move(text),
          [=](Config& config, const Raw& raw) -> std::string {
            const auto* value = as<std::string>(raw);
            const auto parsed = value == nullptr ? std::nullopt : parse_listen(*value);
            if (!parsed || (parsed->off() && !may_be_off)) {
              return "must be " + type + "; names are not resolved";
            }
            at(config) = *parsed;
            return "";
          },
          [=](const Config& config) { return toml_text(at(config).text()); }};
}

template <typename E, std::size_t N, typename At>
Row choice(std::string name, const std::array<std::pair<E, std::string_view>, N>& names,
           std::string text, At at) {
  std::string list;
  for (const auto& [value, word] : names) {
    list += (list.empty() ? "" : ", ") + toml_text(word);
  }
  return {std::move(name),
          Kind::text,
          "one of " + list,
          std::move(text),
          [=](Config& config, const Raw& raw) -> std::string {
            const auto* given = as<std::string>(raw);
            for (const auto& [value, word] : names) {
              if (given == nullptr || *given != word) continue;
              at(config) = value;
              return "";
            }
            return "must be one of " + list;
          },
          [=](const Config& config) -> std::string {
            for (const auto& [value, word] : names) {
              if (at(config) == value) return toml_text(word);
            }
            return "";
          }};
}

// `at` of a member that a row sets.
#define ST_MEMBER(path)       \
  [](auto& config) -> auto& { \
    return config.path;       \
  }

}  // namespace sandtrail::config
