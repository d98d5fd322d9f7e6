// SPDX-License-Identifier: Apache-2.0
#include "config/config.h"

#include <unistd.h>

#include <algorithm>

#include "base/assert.h"
#include "base/file.h"
#include "base/limits.h"
#include "cluster_rows.h"
#include "config/nearest.h"
#include "rows.h"
#include "toml_leaves.h"

namespace sandtrail {
namespace {

using config::Kind;
using config::Row;
using config::rows;

constexpr std::int32_t kEmbeddedPartitions = 4;
constexpr std::int32_t kKafkaPartitions = 16;

const Row* row_named(std::string_view name) {
  const auto found =
      std::find_if(rows().begin(), rows().end(), [=](const Row& row) { return row.name == name; });
  return found == rows().end() ? nullptr : &*found;
}

std::vector<std::string> names_of(const std::function<std::string(const Row&)>& name) {
  std::vector<std::string> out;
  for (const Row& row : rows()) out.push_back(name(row));
  return out;
}

bool is_section(std::string_view key) {
  const std::string prefix = std::string(key) + '.';
  return std::any_of(rows().begin(), rows().end(), [&](const Row& row) {
    const bool inside = row.kind == Kind::table && prefix.starts_with(row.name + '.');
    return inside || row.name.starts_with(prefix);
  });
}

// The table that an entry of this name stands in; nullptr if it is none.
const Row* table_of(std::string_view key) {
  const auto found = std::find_if(rows().begin(), rows().end(), [=](const Row& row) {
    return row.kind == Kind::table && key.starts_with(row.name + '.');
  });
  return found == rows().end() ? nullptr : &*found;
}

// An entry's name is dotted itself: quoted or not, it means the same setting of the library.
std::string without_quotes(std::string_view key) {
  std::string out;
  for (const char c : key) {
    if (c != '"') out += c;
  }
  return out;
}

std::string unknown(std::string_view key, const std::vector<std::string>& known) {
  const std::string meant = nearest(key, known);
  return "unknown setting" + (meant.empty() ? "" : "; did you mean " + meant + "?");
}

class Reading {
 public:
  explicit Reading(Config& into) : config_(into) {}

  void file(const config::Leaves& parsed, const std::string& name) {
    std::vector<std::string> strangers;  // sections already reported
    for (const auto& section : parsed.sections) {
      if (is_section(section.key) || below(section.key, strangers)) continue;
      strangers.push_back(section.key + '.');
      add(name + ":" + std::to_string(section.line), section.key,
          unknown(section.key, section_names()));
    }
    for (const auto& leaf : parsed.leaves) {
      if (below(leaf.key, strangers)) continue;
      const std::string place = name + ":" + std::to_string(leaf.line);
      if (const Row* table = table_of(leaf.key)) {
        entry(*table, place, without_quotes(leaf.key), plain_text(leaf.value));
        continue;
      }
      const Row* row = row_named(leaf.key);
      if (row == nullptr) {
        add(place, leaf.key, unknown(leaf.key, names_of([](const Row& r) { return r.name; })));
        continue;
      }
      if (auto problem = row->read(config_, leaf.value); !problem.empty()) {
        add(place, leaf.key, problem);
      }
    }
  }

  void variables(const Environment& environment) {
    const auto known = names_of([](const Row& row) { return row.variable(); });
    for (const auto& [name, value] : environment) {
      if (!name.starts_with("SANDTRAIL_")) continue;
      const auto found = std::find(known.begin(), known.end(), name);
      if (found == known.end()) {
        refuse_slip(name, known);
        continue;
      }
      const Row& row = rows()[static_cast<std::size_t>(found - known.begin())];
      text(row, "environment", name, value);
    }
  }

  void arguments(const std::vector<Argument>& given) {
    for (const Argument& argument : given) {
      const Row* row = row_named(argument.setting);
      ST_ASSERT(row != nullptr);
      text(*row, "command line", argument.option, argument.value);
    }
  }

  void check_together() {
    for (const auto& [name, problem] : config::misfits(config_)) add("settings", name, problem);
  }

  const std::string& problems() const { return problems_; }

 private:
  void entry(const Row& table, const std::string& place, const std::string& key,
             const std::optional<std::string>& value) {
    if (!value) return add(place, key, "must be a text, an integer, true or false");
    const config::TableEntry entry{key.substr(table.name.size() + 1), *value};
    if (auto problem = table.read(config_, entry); !problem.empty()) add(place, key, problem);
  }
  // A value that is no TOML.
  void text(const Row& row, const std::string& place, const std::string& name,
            const std::string& value) {
    if (row.kind != Kind::table) {
      const auto problem = row.read(config_, config::raw_from_variable(row.kind, value));
      if (!problem.empty()) add(place, name, problem);
      return;
    }
    row.clear(config_);
    const auto entries = config::table_from_variable(value);
    if (!entries) return add(place, name, "must be name=value,name=value");
    for (const config::TableEntry& entry : *entries) {
      if (auto problem = row.read(config_, entry); !problem.empty()) {
        add(place, name + " " + entry.name, problem);
      }
    }
  }
  static bool below(const std::string& key, const std::vector<std::string>& prefixes) {
    return std::any_of(prefixes.begin(), prefixes.end(),
                       [&](const std::string& prefix) { return key.starts_with(prefix); });
  }
  static std::vector<std::string> section_names() {
    return names_of([](const Row& row) { return row.name.substr(0, row.name.find('.')); });
  }
  // Close to a setting: two characters in what follows the prefix. Further away it is another
  // program's variable, or the platform's.
  void refuse_slip(const std::string& name, const std::vector<std::string>& known) {
    const std::string meant = nearest(name, known);
    if (meant.empty()) return;
    const auto length = std::max(name.size(), meant.size());
    std::size_t same = 0;
    while (same < std::min(name.size(), meant.size()) && name[same] == meant[same]) ++same;
    std::size_t same_end = 0;
    while (same_end + same < std::min(name.size(), meant.size()) &&
           name[name.size() - 1 - same_end] == meant[meant.size() - 1 - same_end]) {
      ++same_end;
    }
    if (length - same - same_end <= 2) {
      add("environment", name, "unknown setting; did you mean " + meant + "?");
    }
  }
  void add(const std::string& place, const std::string& key, const std::string& what) {
    if (!problems_.empty()) problems_ += '\n';
    problems_ += place + ": " + key + ": " + what;
  }

  Config& config_;
  std::string problems_;
};

}  // namespace

std::string ListenAddress::text() const {
  if (off()) return "off";
  if (address.starts_with("unix:")) return address;
  const bool six = address.find(':') != std::string::npos;
  return (six ? "[" + address + "]" : address) + ":" + std::to_string(port);
}

Environment process_environment() {
  Environment out;
  for (char** entry = environ; entry != nullptr && *entry != nullptr; ++entry) {
    const std::string_view text = *entry;
    const auto equals = text.find('=');
    if (equals != std::string_view::npos) {
      out.emplace(text.substr(0, equals), text.substr(equals + 1));
    }
  }
  return out;
}

std::string default_data_directory(const Environment& environment) {
  const auto value = [&](const char* name) {
    const auto found = environment.find(name);
    return found == environment.end() ? std::string() : found->second;
  };
  if (auto own = value("SANDTRAIL_DATA_DIR"); !own.empty()) return own;
  // The XDG specification says to ignore relative paths.
  if (auto data = value("XDG_DATA_HOME"); data.starts_with('/')) return data + "/sandtrail";
  if (auto home = value("HOME"); !home.empty()) return home + "/.local/share/sandtrail";
  return "";
}

std::string Config::Log::brokers() const {
  return embedded() ? "" : url.substr(std::string_view("kafka://").size());
}

std::int32_t Config::Log::partitions() const {
  if (events_partitions != 0) return static_cast<std::int32_t>(events_partitions);
  return embedded() ? kEmbeddedPartitions : kKafkaPartitions;
}

Result<Config> parse_config(std::string_view text, const std::string& file,
                            const ConfigSources& sources) {
  ST_ASSIGN(const config::Leaves parsed, config::parse_toml(text, file));
  Config out = sources.defaults;
  Reading reading(out);
  reading.file(parsed, file);
  reading.variables(sources.environment);
  reading.arguments(sources.arguments);
  if (reading.problems().empty()) reading.check_together();
  if (!reading.problems().empty()) {
    return Error{ErrorCode::invalid_argument, reading.problems(),
                 "schemas/config.md lists every setting"};
  }
  if (out.data_dir.empty()) out.data_dir = default_data_directory(sources.environment);
  if (out.data_dir.empty()) {
    return Error{ErrorCode::invalid_argument, "there is no place for the data",
                 "set data_dir, or the variable HOME"};
  }
  return out;
}

Result<Config> load_config(const std::string& path, const ConfigSources& sources) {
  if (path.empty()) return parse_config("", "", sources);
  ST_ASSIGN(const Bytes text, read_file(path, limits::kConfigBytesMax));
  return parse_config(text, path, sources);
}

std::vector<SettingInfo> describe() {
  const Config defaults;
  std::vector<SettingInfo> out;
  for (const Row& row : rows()) {
    out.push_back({row.name, row.variable(), row.type, row.show(defaults), row.text});
  }
  return out;
}

}  // namespace sandtrail
