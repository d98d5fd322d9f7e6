// SPDX-License-Identifier: Apache-2.0
#include "session.h"

#include <algorithm>
#include <filesystem>

#include "domain/common.h"

namespace sandtrail::cli {
namespace {

std::string_view code_of(Color color) {
  switch (color) {
    case Color::red:
      return "\x1b[31m";
    case Color::green:
      return "\x1b[32m";
    case Color::yellow:
      return "\x1b[33m";
    case Color::dim:
      return "\x1b[2m";
    case Color::none:
      break;
  }
  return "";
}

std::string paint(std::string_view text, Color color, bool wanted) {
  if (!wanted || color == Color::none) return std::string(text);
  return std::string(code_of(color)) + std::string(text) + "\x1b[0m";
}

// Characters, not bytes: names may hold more than ASCII.
std::size_t width_of(std::string_view text) {
  return static_cast<std::size_t>(std::count_if(text.begin(), text.end(), [](char c) {
    return (static_cast<unsigned char>(c) & 0xc0) != 0x80;
  }));
}

constexpr std::size_t kFractionDigits = 6;

constexpr std::pair<std::string_view, std::string_view> kUnprintable[] = {
    {"\xc2\x80", "\xc2\x9f"},
    {"\xe2\x80\x8e", "\xe2\x80\x8f"},
    {"\xe2\x80\xaa", "\xe2\x80\xae"},
    {"\xe2\x81\xa6", "\xe2\x81\xa9"}};

}  // namespace

std::string Session::variable(const std::string& name) const {
  const auto found = parts.environment.find(name);
  return found == parts.environment.end() ? "" : found->second;
}

Result<std::optional<Config>> Session::config() const {
  if (globals.config.empty()) return std::optional<Config>();
  ST_ASSIGN(Config config, load_config(globals.config, {parts.environment, {}, {}}));
  return std::optional<Config>(std::move(config));
}

Result<std::unique_ptr<EventLog>> Session::open_log() const {
  ST_ASSIGN(const std::string directory, data_directory());
  ST_ASSIGN(const auto settings, config());
  return parts.open_log(directory, settings);
}

Result<std::unique_ptr<ObjectStore>> Session::open_objects() const {
  ST_ASSIGN(const std::string directory, data_directory());
  ST_ASSIGN(const auto settings, config());
  return parts.open_objects(directory, settings);
}

Result<std::string> Session::data_directory() const {
  std::string path = globals.data_dir;
  if (path.empty()) {
    ST_ASSIGN(const auto settings, config());
    path = settings ? settings->data_dir : default_data_directory(parts.environment);
  }
  if (!path.empty()) return std::filesystem::absolute(path).lexically_normal().string();
  return Error{ErrorCode::invalid_argument, "there is no data directory",
               "give --data-dir, or set SANDTRAIL_DATA_DIR"};
}

bool Session::document(const json::value& value) {
  return line(parts.out_is_terminal ? json::pretty(value) : json::print(value));
}

// https://no-color.org and the usual meaning of TERM.
bool Session::colors(bool terminal) const {
  return terminal && !globals.no_color && variable("NO_COLOR").empty() &&
         variable("TERM") != "dumb";
}

std::string Session::painted(std::string_view text, Color color) const {
  return paint(text, color, colors(parts.out_is_terminal));
}

std::string Session::painted_error(std::string_view text, Color color) const {
  return paint(text, color, colors(parts.err_is_terminal));
}

int Session::fail(const Error& error) {
  note(painted_error("error:", Color::red) + " " + printable(error.message));
  std::string_view hint = error.hint;
  while (!hint.empty()) {
    const auto end = hint.find('\n');
    note("  " + printable(hint.substr(0, end)));
    hint.remove_prefix(end == std::string_view::npos ? hint.size() : end + 1);
  }
  return kExitFailure;
}

int Session::usage(std::string_view text) {
  note(painted_error("error:", Color::red) + " " + printable(text));
  return kExitUsage;
}

std::string credits_text(std::int64_t microcredits) {
  const bool negative = microcredits < 0;
  const std::uint64_t count = negative ? 0 - static_cast<std::uint64_t>(microcredits)
                                       : static_cast<std::uint64_t>(microcredits);
  const auto unit = static_cast<std::uint64_t>(kMicroCreditsPerCredit);
  std::string out = (negative ? "-" : "") + std::to_string(count / unit);
  std::string fraction = std::to_string(count % unit);
  fraction.insert(0, kFractionDigits - fraction.size(), '0');
  while (fraction.ends_with('0')) fraction.pop_back();
  return fraction.empty() ? out : out + "." + fraction;
}

std::optional<std::int64_t> parse_credits(std::string_view text) {
  const auto point = text.find('.');
  std::string digits(text.substr(0, point));
  std::string fraction(point == std::string_view::npos ? "" : text.substr(point + 1));
  const auto numeric = [](std::string_view part) {
    return !part.empty() && part.find_first_not_of("0123456789") == std::string_view::npos;
  };
  if (!numeric(digits) || digits.size() > 12 || fraction.size() > kFractionDigits ||
      (point != std::string_view::npos && !numeric(fraction))) {
    return std::nullopt;
  }
  fraction.append(kFractionDigits - fraction.size(), '0');
  std::int64_t out = 0;
  for (const char c : digits + fraction) out = out * 10 + (c - '0');
  return out;
}

std::string printable(std::string_view text) {
  std::string out(text);
  for (char& c : out) {
    if (static_cast<unsigned char>(c) < ' ' || c == '\x7f') c = ' ';
  }
  // C1 controls, and those that turn the direction of text (Unicode UAX #9), in UTF-8.
  for (const auto& [first, last] : kUnprintable) {
    for (std::size_t at = 0; at < out.size(); ++at) {
      const std::string_view here = std::string_view(out).substr(at, first.size());
      if (here.size() == first.size() && here >= first && here <= last) {
        out.replace(at, first.size(), " ");
      }
    }
  }
  return out;
}

std::string Table::text() const {
  std::vector<std::size_t> widths;
  for (const auto& row : rows_) {
    widths.resize(std::max(widths.size(), row.size()));
    for (std::size_t i = 0; i < row.size(); ++i) widths[i] = std::max(widths[i], width_of(row[i]));
  }
  std::string out;
  for (const auto& row : rows_) {
    std::string line;
    for (std::size_t i = 0; i < row.size(); ++i) {
      line += printable(row[i]);
      if (i + 1 < row.size()) line.append(widths[i] - width_of(row[i]) + 2, ' ');
    }
    while (line.ends_with(' ')) line.pop_back();
    out += line + '\n';
  }
  return out;
}

}  // namespace sandtrail::cli
