// SPDX-License-Identifier: Apache-2.0
// One call of the command line: what all verbs share.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "cli/cli.h"
#include "codec/json.h"

namespace sandtrail::cli {

inline constexpr int kExitDifference = 1;
inline constexpr int kExitUsage = 2;
inline constexpr int kExitFailure = 3;

// Options of every verb.
struct Globals {
  std::string url;
  std::string key_file;
  std::string data_dir;
  std::string socket;
  std::string config;
  bool json = false;
  bool no_color = false;
  bool verbose = false;
};

enum class Color { none, red, green, yellow, dim };

class Session {
 public:
  explicit Session(CliParts parts_in) : parts(std::move(parts_in)) {}

  CliParts parts;
  Globals globals;
  std::vector<std::string> after_dashes;  // what stood after "--"

  std::string variable(const std::string& name) const;  // "" if it is not set
  // The settings of --config; nullopt without it.
  Result<std::optional<Config>> config() const;
  // --data-dir, else that of the settings, else the default of config/config.h.
  Result<std::string> data_directory() const;
  Result<std::unique_ptr<EventLog>> open_log() const;
  Result<std::unique_ptr<ObjectStore>> open_objects() const;

  // --- standard output ---
  bool print(BytesView bytes) { return parts.out(bytes); }
  bool line(std::string_view text) { return parts.out(std::string(text) + '\n'); }
  // As one line, or indented for people.
  bool document(const json::value& value);
  std::string painted(std::string_view text, Color color) const;

  // --- standard error ---
  void note(std::string_view text) { parts.err(std::string(text) + '\n'); }
  std::string painted_error(std::string_view text, Color color) const;
  // Says it and returns kExitFailure.
  int fail(const Error& error);  // the hint may have several lines
  int usage(std::string_view text);

 private:
  bool colors(bool terminal) const;
};

// "1,234" has no place in a pipe: plain decimal credits, "0.0031".
std::string credits_text(std::int64_t microcredits);
// The inverse: credits with up to six digits after the point.
std::optional<std::int64_t> parse_credits(std::string_view text);

// Text that came from elsewhere, for a terminal: control characters as spaces.
std::string printable(std::string_view text);

// Aligned columns. Cells are made printable; a colour covers a whole cell.
class Table {
 public:
  explicit Table(std::vector<std::string> head) : rows_{std::move(head)} {}
  void add(std::vector<std::string> row) { rows_.push_back(std::move(row)); }
  bool empty() const { return rows_.size() == 1; }
  std::string text() const;

 private:
  std::vector<std::vector<std::string>> rows_;
};

}  // namespace sandtrail::cli
