// SPDX-License-Identifier: Apache-2.0
#include <charconv>
#include <optional>
#include <utility>

#include "crypto/digest.h"
#include "crypto/note.h"
#include "note_text.h"

namespace sandtrail {
namespace {

Error malformed(std::string_view what) {
  return {ErrorCode::invalid_argument, "not a checkpoint: " + std::string(what), ""};
}

bool is_line(std::string_view text) {
  return !text.empty() && is_note_content(text) && text.find('\n') == std::string_view::npos;
}

// The text up to the next "\n", which is taken off with it; nullopt if there is no line.
std::optional<std::string_view> take_line(std::string_view& text) {
  const std::size_t end = text.find('\n');
  if (end == std::string_view::npos) return std::nullopt;
  const std::string_view line = text.substr(0, end);
  text.remove_prefix(end + 1);
  if (!is_line(line)) return std::nullopt;
  return line;
}

// Decimal without sign or leading zeros: one size has one text.
std::optional<std::uint64_t> parse_size(std::string_view text) {
  if (text.empty() || (text[0] == '0' && text.size() > 1)) return std::nullopt;
  std::uint64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

}  // namespace

Result<std::string> checkpoint_text(const Checkpoint& checkpoint) {
  if (!is_line(checkpoint.origin)) return malformed("bad origin");
  if (checkpoint.root.size() != kDigestBytes) return malformed("bad root");
  std::string out = checkpoint.origin;
  out += '\n';
  out += std::to_string(checkpoint.size);
  out += '\n';
  out += base64(checkpoint.root);
  out += '\n';
  for (const std::string& line : checkpoint.extensions) {
    if (!is_line(line)) return malformed("bad extension line");
    out += line;
    out += '\n';
  }
  return out;
}

Result<Checkpoint> parse_checkpoint(std::string_view text) {
  Checkpoint out;
  const auto origin = take_line(text);
  if (!origin) return malformed("bad origin");
  out.origin = *origin;
  const auto size_line = take_line(text);
  const auto size = size_line ? parse_size(*size_line) : std::nullopt;
  if (!size) return malformed("bad size");
  out.size = *size;
  const auto root_line = take_line(text);
  auto root = root_line ? unbase64(*root_line) : std::nullopt;
  if (!root || root->size() != kDigestBytes) return malformed("bad root");
  out.root = std::move(*root);
  while (!text.empty()) {
    const auto line = take_line(text);
    if (!line) return malformed("bad extension line");
    out.extensions.emplace_back(*line);
  }
  return out;
}

}  // namespace sandtrail
