// SPDX-License-Identifier: Apache-2.0
#include "progress.h"

#include <array>

namespace sandtrail::cli {
namespace {

constexpr std::int64_t kShowEveryUs = 250'000;
constexpr std::string_view kClearLine = "\r\x1b[K";

}  // namespace

ProgressLine::~ProgressLine() {
  if (shown_) session_.parts.err(kClearLine);
}

void ProgressLine::show(const std::string& doing, std::int64_t done, std::int64_t total) {
  if (!session_.parts.err_is_terminal) return;
  const std::int64_t elapsed = elapsed_us();
  if (elapsed - shown_us_ < kShowEveryUs) return;
  shown_us_ = elapsed;
  shown_ = true;
  session_.parts.err(std::string(kClearLine) + doing + ": " + std::to_string(done) + " of " +
                     std::to_string(total) + " records, " + std::to_string(rate_of(done, elapsed)) +
                     "/s");
}

std::int64_t rate_of(std::int64_t records, std::int64_t span_us) {
  return span_us <= 0 ? 0
                      : static_cast<std::int64_t>(static_cast<double>(records) * 1e6 /
                                                  static_cast<double>(span_us));
}

std::string bytes_text(std::int64_t bytes) {
  constexpr std::array<std::string_view, 5> kUnits{"B", "KiB", "MiB", "GiB", "TiB"};
  std::size_t unit = 0;
  std::int64_t tenths = bytes * 10;
  while (tenths >= 10'240 && unit + 1 < kUnits.size()) {
    tenths /= 1024;
    ++unit;
  }
  std::string out = std::to_string(tenths / 10);
  if (unit > 0) out += "." + std::to_string(tenths % 10);
  return out + " " + std::string(kUnits[unit]);
}

}  // namespace sandtrail::cli
