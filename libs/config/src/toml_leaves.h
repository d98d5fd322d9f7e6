// SPDX-License-Identifier: Apache-2.0
// A TOML file as a flat list of values, so that the library behind it stays in one source file.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "values.h"

namespace sandtrail::config {

struct Leaf {
  std::string key;  // "server.listen"; a part that holds a dot stands in quotes
  unsigned line = 0;
  Raw value;
};

struct Section {
  std::string key;
  unsigned line = 0;
};

struct Leaves {
  std::vector<Leaf> leaves;
  std::vector<Section> sections;  // tables, parents before children
};

// invalid_argument "file:line: what" if it is no TOML 1.0.
Result<Leaves> parse_toml(std::string_view text, const std::string& file);

// The elements of the array of tables `name`, each with keys relative to it. Anything else at the
// top level is an invalid_argument.
Result<std::vector<Leaves>> parse_toml_list(std::string_view text, const std::string& file,
                                            std::string_view name);

}  // namespace sandtrail::config
