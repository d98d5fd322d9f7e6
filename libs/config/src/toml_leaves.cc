// SPDX-License-Identifier: Apache-2.0
#include "toml_leaves.h"

#include <toml++/toml.h>

namespace sandtrail::config {
namespace {

template <typename T>
Raw list_of(const toml::array& items) {
  std::vector<T> out;
  for (const toml::node& item : items) {
    const auto* value = item.as<T>();
    if (value == nullptr) return {};
    out.push_back(value->get());
  }
  return out;
}

Raw raw_of(const toml::node& node) {
  if (const auto* text = node.as_string()) return text->get();
  if (const auto* number = node.as_integer()) return number->get();
  if (const auto* truth = node.as_boolean()) return truth->get();
  if (const auto* items = node.as_array()) {
    if (!items->empty() && items->front().is_integer()) return list_of<std::int64_t>(*items);
    return list_of<std::string>(*items);
  }
  return {};
}

std::string part(std::string_view key) {
  return key.find('.') == std::string_view::npos ? std::string(key) : toml_text(key);
}

void collect(const toml::table& table, const std::string& prefix, Leaves& out) {
  for (const auto& [key, node] : table) {
    const std::string name = prefix + part(key.str());
    const auto line = static_cast<unsigned>(key.source().begin.line);
    if (const toml::table* inner = node.as_table()) {
      out.sections.push_back({name, line});
      collect(*inner, name + '.', out);
    } else {
      out.leaves.push_back({name, line, raw_of(node)});
    }
  }
}

Error error_at(const std::string& file, toml::source_index line, std::string_view what) {
  return {ErrorCode::invalid_argument, file + ":" + std::to_string(line) + ": " + std::string(what),
          ""};
}

Result<toml::table> parse(std::string_view text, const std::string& file) {
  try {
    return toml::parse(text);
  } catch (const toml::parse_error& error) {
    return error_at(file, error.source().begin.line, error.description());
  }
}

}  // namespace

Result<Leaves> parse_toml(std::string_view text, const std::string& file) {
  ST_ASSIGN(const toml::table table, parse(text, file));
  Leaves out;
  collect(table, "", out);
  return out;
}

Result<std::vector<Leaves>> parse_toml_list(std::string_view text, const std::string& file,
                                            std::string_view name) {
  ST_ASSIGN(const toml::table table, parse(text, file));
  std::vector<Leaves> out;
  for (const auto& [key, node] : table) {
    const auto line = key.source().begin.line;
    const toml::array* items = node.as_array();
    if (key.str() != name || items == nullptr || !node.is_array_of_tables()) {
      return error_at(
          file, line,
          std::string(key.str()) + ": only [[" + std::string(name) + "]] tables may stand here");
    }
    for (const toml::node& item : *items) {
      Leaves& element = out.emplace_back();
      element.sections.push_back({"", static_cast<unsigned>(item.source().begin.line)});
      collect(*item.as_table(), "", element);
    }
  }
  return out;
}

}  // namespace sandtrail::config
