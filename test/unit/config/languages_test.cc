// SPDX-License-Identifier: Apache-2.0
#include "config/languages.h"

#include <doctest/doctest.h>
#include <unistd.h>

#include "base/file.h"

namespace sandtrail {
namespace {

const std::string kCpp = R"(
[[language]]
name = "cpp"
file = "main.cc"
probe = "/usr/bin/g++"
compile = ["/usr/bin/g++", "-O2", "-o", "main", "main.cc"]
run = ["./main"]
environment = { A = "1" }
memory_mib_min = 256
processes_min = 4
memory_mib_default = 512
processes_default = 64
)";

std::string replaced(const std::string& from, const std::string& to) {
  std::string text = kCpp;
  text.replace(text.find(from), from.size(), to);
  return text;
}

TEST_CASE("a language is read with all its members") {
  const auto languages = parse_languages(kCpp, "l.toml");
  REQUIRE_MESSAGE(languages.ok(), languages.error().text());
  REQUIRE(languages->size() == 1);
  const Language& cpp = languages->front();
  CHECK(cpp.name == "cpp");
  CHECK(cpp.file == "main.cc");
  CHECK(cpp.probe == "/usr/bin/g++");
  CHECK(cpp.compile.size() == 5);
  CHECK(cpp.run == std::vector<std::string>{"./main"});
  CHECK(cpp.environment == std::map<std::string, std::string>{{"A", "1"}});
  CHECK(cpp.memory_mib_min == 256);
  CHECK(cpp.processes_min == 4);
  CHECK(cpp.memory_mib_default == 512);
  CHECK(cpp.processes_default == 64);
}

TEST_CASE("what is wrong with a language is named with line and key") {
  struct Row {
    std::string text;
    const char* expected;
  };
  for (const Row& row : {
           Row{replaced("name = \"cpp\"", "name = \"C++ 20\""), "l.toml:3: name: must match"},
           Row{replaced("name = \"cpp\"\n", ""), "l.toml:2: name: is required"},
           Row{replaced("main.cc\"\n", "../main.cc\"\n"), "l.toml:4: file: must be the name"},
           Row{replaced("/usr/bin/g++\"\n", "/opt/g++\"\n"), "l.toml:5: probe: must be"},
           Row{replaced("/usr/bin/g++\"\n", "/usr/../etc/x\"\n"), "l.toml:5: probe: must be"},
           Row{replaced("[\"./main\"]", "\"./main\""), "l.toml:7: run: must be a list"},
           Row{replaced("[\"./main\"]", "[]"), "l.toml:7: run: must be a list"},
           Row{replaced("= 512", "= 5"), "l.toml:11: memory_mib_default: must be an integer"},
           Row{replaced("= 512", "= 128"), "l.toml:2: cpp: a default is below its minimum"},
           Row{replaced("A = \"1\"", "A = 1"), "l.toml:8: environment.A: must be a text"},
           Row{replaced("compile", "complie"), "l.toml:6: complie: unknown key; did you mean"},
           Row{kCpp + kCpp, "l.toml:14: name: \"cpp\" is given twice"},
           Row{"[language]\nname = \"c\"\n", "l.toml:1: language: only [[language]]"},
           Row{"other = 1\n", "l.toml:1: other: only [[language]]"},
           Row{"[[language]\n", "l.toml:1: "},
       }) {
    CAPTURE(row.text);
    const auto parsed = parse_languages(row.text, "l.toml");
    REQUIRE_FALSE(parsed.ok());
    CAPTURE(parsed.error().message);
    CHECK(parsed.error().code == ErrorCode::invalid_argument);
    CHECK(parsed.error().message.starts_with(row.expected));
  }
}

TEST_CASE("only languages whose interpreter is there are offered") {
  char directory[] = "/tmp/sandtrail-languages-XXXXXX";
  REQUIRE(::mkdtemp(directory) != nullptr);
  const std::string path = std::string(directory) + "/languages.toml";
  std::string other = replaced("\"cpp\"", "\"none\"");
  other.replace(other.find("/usr/bin/g++"), 12, "/usr/bin/no-such-program");
  REQUIRE(write_file_durably(path, kCpp + other, 0600).ok());

  const auto some =
      load_languages(path, [](const std::string& probe) { return probe == "/usr/bin/g++"; });
  REQUIRE(some.ok());
  REQUIRE(some->size() == 1);
  CHECK(some->front().name == "cpp");
  const auto here = load_languages(path);
  REQUIRE(here.ok());
  for (const Language& language : *here) CHECK(language.name != "none");
  CHECK(load_languages(path + ".not").error().code == ErrorCode::not_found);

  ::unlink(path.c_str());
  ::rmdir(directory);
}

}  // namespace
}  // namespace sandtrail
