// SPDX-License-Identifier: Apache-2.0
#include <doctest/doctest.h>

#include <cstdlib>
#include <set>

#include "base/file.h"
#include "config/config.h"

namespace sandtrail {
namespace {

TEST_CASE("schemas/config.md says what the table of settings says") {
  const std::string path = SANDTRAIL_SCHEMAS "/config.md";
  if (std::getenv("SANDTRAIL_WRITE_SCHEMAS") != nullptr) {
    REQUIRE(write_file_durably(path, config_document(), 0644).ok());
  }
  const auto file = read_file(path, 1 << 20);
  REQUIRE(file.ok());
  CHECK_MESSAGE(*file == config_document(),
                "run this test with SANDTRAIL_WRITE_SCHEMAS=1 to write the file anew");
}

TEST_CASE("names and variables of settings are unique, and each has a text") {
  std::set<std::string> names, variables;
  for (const SettingInfo& setting : describe()) {
    CAPTURE(setting.name);
    CHECK(names.insert(setting.name).second);
    CHECK(variables.insert(setting.variable).second);
    CHECK(setting.text.ends_with('.'));
    CHECK_FALSE(setting.type.empty());
  }
  CHECK(names.size() == 45);
}

TEST_CASE("every default is a value that its setting takes, and changes nothing") {
  std::string sections;
  const auto infos = describe();
  for (const SettingInfo& setting : infos) {
    if (setting.name == "data_dir") continue;  // empty: depends on the environment
    const auto parsed = parse_config(setting.name + " = " + setting.default_value + "\n", "s.toml",
                                     {{{"HOME", "/h"}}, {}, {}});
    CHECK_MESSAGE(parsed.ok(), setting.name, ": ", parsed.ok() ? "" : parsed.error().text());
  }
}

}  // namespace
}  // namespace sandtrail
