// SPDX-License-Identifier: Apache-2.0
#include "config/languages.h"

#include <unistd.h>

#include <algorithm>
#include <set>

#include "base/file.h"
#include "base/limits.h"
#include "config/nearest.h"
#include "toml_leaves.h"

namespace sandtrail {
namespace {

using config::as;
using config::Leaf;
using config::Raw;

bool is_name(const std::string& text) {
  return !text.empty() && text.size() <= 32 && std::all_of(text.begin(), text.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '+' || c == '-';
  });
}

bool is_file_name(const std::string& text) {
  return !text.empty() && text.size() <= limits::kPathBytesMax && text != "." && text != ".." &&
         text.find('/') == std::string::npos && text.find('\0') == std::string::npos;
}

// Sandboxes see /usr of the host and nothing else.
bool is_probe(const std::string& text) {
  return text.starts_with("/usr/") && text.find("/../") == std::string::npos;
}

std::string read_text(const Raw& raw, bool (*valid)(const std::string&), const char* must,
                      std::string& out) {
  const auto* text = as<std::string>(raw);
  if (text == nullptr || !valid(*text)) return must;
  out = *text;
  return "";
}

std::string read_arguments(const Raw& raw, std::vector<std::string>& out) {
  const auto* texts = as<std::vector<std::string>>(raw);
  if (texts == nullptr || texts->empty() || texts->size() > limits::kArgumentsMax) {
    return "must be a list of 1 to " + std::to_string(limits::kArgumentsMax) + " texts";
  }
  out = *texts;
  return "";
}

std::string read_number(const Raw& raw, std::int64_t min, std::int64_t max, std::int64_t& out) {
  const auto* number = as<std::int64_t>(raw);
  if (number == nullptr || *number < min || *number > max) {
    return "must be an integer, " + std::to_string(min) + " to " + std::to_string(max);
  }
  out = *number;
  return "";
}

const std::vector<std::string> kRequired{"name",
                                         "file",
                                         "probe",
                                         "run",
                                         "memory_mib_min",
                                         "processes_min",
                                         "memory_mib_default",
                                         "processes_default"};

// What is wrong with the member, or "".
std::string read_member(const Leaf& leaf, Language& out) {
  const auto memory = [&](std::int64_t& to) {
    return read_number(leaf.value, limits::kMemoryMibMin, limits::kMemoryMibMax, to);
  };
  const auto processes = [&](std::int64_t& to) {
    return read_number(leaf.value, limits::kProcessesMin, limits::kProcessesMax, to);
  };
  if (leaf.key == "name") {
    return read_text(leaf.value, is_name, "must match [a-z0-9+-]{1,32}", out.name);
  }
  if (leaf.key == "file") {
    return read_text(leaf.value, is_file_name, "must be the name of a file", out.file);
  }
  if (leaf.key == "probe") {
    return read_text(leaf.value, is_probe, "must be an absolute path under /usr", out.probe);
  }
  if (leaf.key == "compile") return read_arguments(leaf.value, out.compile);
  if (leaf.key == "run") return read_arguments(leaf.value, out.run);
  if (leaf.key == "memory_mib_min") return memory(out.memory_mib_min);
  if (leaf.key == "memory_mib_default") return memory(out.memory_mib_default);
  if (leaf.key == "processes_min") return processes(out.processes_min);
  if (leaf.key == "processes_default") return processes(out.processes_default);
  if (leaf.key.starts_with("environment.")) {
    const auto* text = as<std::string>(leaf.value);
    if (text == nullptr) return "must be a text";
    out.environment[leaf.key.substr(leaf.key.find('.') + 1)] = *text;
    return "";
  }
  std::vector<std::string> known = kRequired;
  known.insert(known.end(), {"compile", "environment"});
  const std::string meant = nearest(leaf.key, known);
  return "unknown key" + (meant.empty() ? "" : "; did you mean " + meant + "?");
}

}  // namespace

Result<std::vector<Language>> parse_languages(std::string_view text, const std::string& file) {
  ST_ASSIGN(const auto elements, config::parse_toml_list(text, file, "language"));
  std::vector<Language> out;
  std::set<std::string> names;
  std::string problems;
  const auto add = [&](unsigned line, const std::string& key, const std::string& what) {
    if (!problems.empty()) problems += '\n';
    problems += file + ":" + std::to_string(line) + ": " + key + ": " + what;
  };
  for (const config::Leaves& element : elements) {
    Language& language = out.emplace_back();
    const unsigned line = element.sections.front().line;
    std::set<std::string> given;
    for (const Leaf& leaf : element.leaves) {
      given.insert(leaf.key);
      const std::string problem = read_member(leaf, language);
      if (!problem.empty()) add(leaf.line, leaf.key, problem);
    }
    for (const std::string& key : kRequired) {
      if (!given.contains(key)) add(line, key, "is required");
    }
    if (!language.name.empty() && !names.insert(language.name).second) {
      add(line, "name", "\"" + language.name + "\" is given twice");
    }
    if (language.memory_mib_default < language.memory_mib_min ||
        language.processes_default < language.processes_min) {
      add(line, language.name, "a default is below its minimum");
    }
  }
  if (out.size() > limits::kLanguagesMax) add(1, "language", "there are too many");
  if (problems.empty()) return out;
  return Error{ErrorCode::invalid_argument, problems, "see the comment in languages.toml"};
}

Result<std::vector<Language>> load_languages(
    const std::string& path, const std::function<bool(const std::string& probe)>& exists) {
  ST_ASSIGN(const Bytes text, read_file(path, limits::kConfigBytesMax));
  ST_ASSIGN(std::vector<Language> all, parse_languages(text, path));
  std::erase_if(all, [&](const Language& language) { return !exists(language.probe); });
  return all;
}

Result<std::vector<Language>> load_languages(const std::string& path) {
  return load_languages(
      path, [](const std::string& probe) { return ::access(probe.c_str(), X_OK) == 0; });
}

}  // namespace sandtrail
