// SPDX-License-Identifier: Apache-2.0
// Every language of services/launcher/languages.toml that this host has really runs in the jail,
// within the minimum limits the file claims.
#include <doctest/doctest.h>

#include <map>

#include "config/languages.h"
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

SandboxSpec spec_of(const Language& language) {
  auto spec = plain_spec();
  spec.files = {{language.file, kPrograms.at(language.name), false}};
  spec.stages.clear();
  if (!language.compile.empty()) spec.stages.push_back({"compile", language.compile, false});
  spec.stages.push_back({"run", language.run, true});
  for (const auto& [name, value] : language.environment) spec.environment.emplace_back(name, value);
  spec.stdin_bytes = "40 2\n";
  spec.limits.memory_mib = language.memory_mib_min;
  spec.limits.processes = language.processes_min;
  spec.limits.wall_ms = 60'000;
  return spec;
}

}  // namespace

TEST_CASE("every language of the file has a program here") {
  const auto all = load_languages(SANDTRAIL_LANGUAGES, [](const std::string&) { return true; });
  REQUIRE(all.ok());
  for (const Language& language : *all) {
    CAPTURE(language.name);
    CHECK(kPrograms.contains(language.name));
  }
  CHECK(all->size() == kPrograms.size());
}

TEST_CASE("every language on this host runs in the jail within its minimum limits") {
  const auto languages = load_languages(SANDTRAIL_LANGUAGES);
  REQUIRE(languages.ok());
  JailHarness harness;
  for (const Language& language : *languages) {
    CAPTURE(language.name);
    const auto exit = harness.run(spec_of(language));
    CHECK_MESSAGE(exit.out.kept == "42\n", enum_text(judge(exit).verdict), " ",
                  exit.usage.memory_peak_bytes, " ", exit.process_limit_hits, exit.err.kept);
  }
  CHECK(languages->size() >= 2);  // a shell and something more
}
