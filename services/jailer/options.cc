// SPDX-License-Identifier: Apache-2.0
#include "options.h"

#include <charconv>
#include <string_view>

#include "base/limits.h"

namespace sandtrail::jailer {
namespace {

template <typename Number>
bool parse(std::string_view text, Number& value) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  return error == std::errc() && end == text.data() + text.size();
}

}  // namespace

std::optional<Options> parse_options(int argc, char** argv) {
  Options options;
  if (argc != 5) return std::nullopt;
  options.agent_path = argv[1];
  options.instance = argv[2];
  const bool numbers = parse(argv[3], options.slots) && parse(argv[4], options.uid_base);
  // The instance becomes a directory name.
  const bool name = !options.instance.empty() && options.instance[0] != '.' &&
                    options.instance.find('/') == std::string::npos;
  const bool range = options.slots >= 1 && options.slots <= limits::kJailSlotsMax;
  return numbers && name && range ? std::optional(options) : std::nullopt;
}

}  // namespace sandtrail::jailer
