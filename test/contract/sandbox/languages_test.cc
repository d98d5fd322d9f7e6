// SPDX-License-Identifier: Apache-2.0
// Every language of services/launcher/languages.toml that this host has really runs in the jail,
// within the minimum limits the file claims.
#include <doctest/doctest.h>
#include <unistd.h>

#include <toml++/toml.h>
#include <map>

#include "harness.h"
#include "sandbox/verdict.h"

using namespace sandtrail;
using namespace sandtrail::test;

namespace {

// Reads two numbers, prints their sum.
const std::map<std::string, std::string> kPrograms = {
    {"python", "print(sum(int(x) for x in input().split()))"},
    {"bash", "read a b; echo $((a + b))"},
    {"sh", "read a b; echo $((a + b))"},
    {"node",
     "const [a, b] = require('fs').readFileSync(0, 'utf8').split(' ').map(Number);"
     "console.log(a + b)"},
    {"perl", "my ($a, $b) = split ' ', <STDIN>; print $a + $b, \"\\n\";"},
    {"ruby", "puts gets.split.map(&:to_i).sum"},
    {"c",
     "#include <stdio.h>\nint main(void) { int a, b; scanf(\"%d %d\", &a, &b); "
     "printf(\"%d\\n\", a + b); }"},
    {"cpp",
     "#include <iostream>\nint main() { int a, b; std::cin >> a >> b; "
     "std::cout << a + b << '\\n'; }"},
};

std::vector<std::string> words(const toml::node_view<const toml::node>& list) {
  std::vector<std::string> out;
  if (const auto* array = list.as_array()) {
    for (const auto& word : *array) out.push_back(word.value_or(std::string()));
  }
  return out;
}

SandboxSpec spec_of(const toml::table& language) {
  auto spec = plain_spec();
  spec.files = {{language["file"].value_or(std::string()),
                 kPrograms.at(language["name"].value_or(std::string())), false}};
  spec.stages.clear();
  if (language.contains("compile")) {
    spec.stages.push_back({"compile", words(language["compile"]), false});
  }
  spec.stages.push_back({"run", words(language["run"]), true});
  if (const auto* variables = language["environment"].as_table()) {
    for (const auto& [name, value] : *variables) {
      spec.environment.emplace_back(std::string(name.str()), value.value_or(std::string()));
    }
  }
  spec.stdin_bytes = "40 2\n";
  spec.limits.memory_mib = language["memory_mib_min"].value_or(std::int64_t{0});
  spec.limits.processes = language["processes_min"].value_or(std::int64_t{0});
  spec.limits.wall_ms = 60'000;
  return spec;
}

}  // namespace

TEST_CASE("every language on this host runs in the jail within its minimum limits") {
  const toml::table parsed = toml::parse_file(SANDTRAIL_LANGUAGES);
  const auto* languages = parsed["language"].as_array();
  REQUIRE(languages != nullptr);
  JailHarness harness;
  int found = 0;
  for (const auto& node : *languages) {
    const auto& language = *node.as_table();
    const auto name = language["name"].value_or(std::string());
    CAPTURE(name);
    REQUIRE(kPrograms.contains(name));
    if (::access(language["probe"].value_or(std::string()).c_str(), X_OK) != 0) continue;
    ++found;
    const auto exit = harness.run(spec_of(language));
    CHECK_MESSAGE(exit.out.kept == "42\n", enum_text(judge(exit).verdict), " ",
                  exit.usage.memory_peak_bytes, " ", exit.process_limit_hits, exit.err.kept);
    const auto limit = language["memory_mib_default"].value_or(std::int64_t{0});
    CHECK(limit >= language["memory_mib_min"].value_or(std::int64_t{0}));
  }
  CHECK(found >= 2);  // a shell and something more
}
