# SPDX-License-Identifier: Apache-2.0
"""Each rule with trees it must refuse and trees it must accept; then the real tree."""

import subprocess
from pathlib import Path

import pytest
import tidy
from tree import RULES, Tree

ROOT = Path(__file__).resolve().parents[2]
SPDX = "// SPDX-License-Identifier: Apache-2.0\n"
LIBRARY = "sandtrail_library(x HEADERS include/x/x.h DEPS base)\n"
MAP = "# It\n## Map of the folders\n```\nlibs/     all\nlibs/a/   one\n```\n"
CASE = 'TEST_CASE("is there") {}\n'
HELD = "## What is durable when\n\n"
PROMISES = "## Promises, and the tests that hold them\n| promise | held by |\n|---|---|\n" \
           "| one | `test/a` |\n"
# Put together here so that the rules do not find their own tests.
LEFTOVER = "TO" + "DO"
MACHINE = "/" + "work/"


def make_tree(folder, files):
    for path, text in files.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_text(text)
    return Tree(folder, files)


def lines(count, text="x\n"):
    return text * count


def body(count):
    """A C++ function of `count` lines."""
    return "int f(int a) {\n" + lines(count - 2, "  a += 1;\n") + "}\n"


# rule, files, expected "path:line" of each finding.
BAD = [
    ("file-length", {"libs/a/src/a.cc": lines(501)}, ["libs/a/src/a.cc:501"]),
    ("file-length", {"services/x/main.cc": lines(61)}, ["services/x/main.cc:61"]),
    ("file-length", {"scripts/go": "#!/bin/sh\n" + lines(500)}, ["scripts/go:501"]),
    ("line-length", {"a.h": "ok\n" + "x" * 101 + "\n"}, ["a.h:2"]),
    ("line-length", {"libs/CMakeLists.txt": "x" * 101 + "\n"}, ["libs/CMakeLists.txt:1"]),
    ("function-length", {"a.cc": "\n" + body(71)}, ["a.cc:2"]),
    ("function-length", {"a.cc": "namespace n {\nclass C : public B<void()> {\n public:\n"
                                 + body(71) + "};\n}\n"}, ["a.cc:4"]),
    ("function-length", {"a.cc": "C::C(int a)\n    : a_{a},\n      b_{1} {\n"
                                 + lines(68, "  f();\n") + "}\n"}, ["a.cc:1"]),
    ("function-length", {"a.cc": "template <typename T>\nstruct stat get(T t = {}) {\n"
                                 + lines(69, "  f();\n") + "}\n"}, ["a.cc:1"]),
    ("function-length", {"a.cc": "void f() {}\n}\n"}, ["a.cc:1"]),
    ("function-length", {"a.py": "def f():\n" + lines(70, "    f()\n")}, ["a.py:1"]),
    ("spdx", {"a.h": "#pragma once\n" + SPDX}, ["a.h:1"]),
    ("spdx", {"a.cc": ""}, ["a.cc:1"]),
    ("pragma-once", {"a.h": "#ifndef A_H\n#define A_H\n#endif\n"}, ["a.h:1"]),
    ("trailing-space", {"a.md": "one\ntwo \n", "b.cc": "\t\n"}, ["a.md:2", "b.cc:1"]),
    ("leftover", {"a.cc": f"int a;  // {LEFTOVER}: later\n"}, ["a.cc:1"]),
    ("machine-path", {"README.md": f"see {MACHINE}shared/notes\n"}, ["README.md:1"]),
    ("clock-random", {"libs/a/src/a.cc": "auto t = std::chrono::system_clock::now();\n"
                                         "auto s = time(nullptr);\nint r = rand();\n"
                                         "getrandom(b, 1, 0);\n"},
     ["libs/a/src/a.cc:1", "libs/a/src/a.cc:2", "libs/a/src/a.cc:3", "libs/a/src/a.cc:4"]),
    ("clock-random", {"services/x/x.cc": "clock_gettime(CLOCK_MONOTONIC, &t);\n"},
     ["services/x/x.cc:1"]),
    ("stdout", {"libs/a/src/a.cc": 'std::cout << 1;\nprintf("x");\nfmt::print("x");\n'
                                   'fprintf(stdout, "x");\n'},
     [f"libs/a/src/a.cc:{line}" for line in (1, 2, 3, 4)]),
    ("sleep", {"libs/a/src/a.cc": "std::this_thread::sleep_for(t);\n::usleep(5);\nsleep(1);\n"},
     [f"libs/a/src/a.cc:{line}" for line in (1, 2, 3)]),
    ("third-party", {"libs/a/src/a.cc": "#include <boost/asio.hpp>\n#include <rocksdb/db.h>\n"
                                        "#include <openssl/evp.h>\n#include <boost/json.hpp>\n"},
     [f"libs/a/src/a.cc:{line}" for line in (1, 2, 3, 4)]),
    ("third-party", {"libs/base/src/a.cc": '#include "simdjson.h"\n#include <spdlog/spdlog.h>\n',
                     "libs/obs/src/a.cc": "#include <toml++/toml.h>\n#include <seccomp.h>\n"
                                          "#include <CLI/CLI.hpp>\n"},
     ["libs/base/src/a.cc:1", "libs/base/src/a.cc:2", "libs/obs/src/a.cc:1",
      "libs/obs/src/a.cc:2", "libs/obs/src/a.cc:3"]),
    ("third-party-header", {"libs/crypto/include/crypto/key.h": "#include <openssl/evp.h>\n"},
     ["libs/crypto/include/crypto/key.h:1"]),
    ("layer", {"libs/base/include/base/b.h": '#include "domain/d.h"\n',
               "libs/domain/include/domain/d.h": ""}, ["libs/base/include/base/b.h:1"]),
    ("layer", {"libs/log_embedded/src/a.cc": '#include "store_rocksdb/s.h"\n',
               "libs/store_rocksdb/include/store_rocksdb/s.h": ""},
     ["libs/log_embedded/src/a.cc:1"]),
    ("layer", {"libs/nonesuch/CMakeLists.txt": ""}, ["libs/nonesuch/CMakeLists.txt:1"]),
    ("adapter", {"services/gateway/g.cc": '#include "http_beast/s.h"\n',
                 "libs/http_beast/include/http_beast/s.h": ""}, ["services/gateway/g.cc:1"]),
    ("service", {"services/jailer/main.cc": '#include "domain/d.h"\n',
                 "libs/domain/include/domain/d.h": ""}, ["services/jailer/main.cc:1"]),
    ("service", {"services/gateway/g.cc": '#include "billing/b.h"\n',
                 "services/billing/b.h": ""}, ["services/gateway/g.cc:1"]),
    ("library-cycle", {"libs/store/src/a.cc": '#include "wire/w.h"\n',
                       "libs/store/include/store/s.h": "",
                       "libs/wire/include/wire/w.h": '#include "store/s.h"\n'},
     ["libs/wire/include/wire/w.h:1"]),
    ("declared-dependency", {"libs/x/CMakeLists.txt": "sandtrail_library(x HEADERS x.h DEPS obs)\n",
                             "libs/x/src/x.cc": '#include "base/b.h"\n',
                             "libs/base/b.h": "", "libs/obs/o.h": ""},
     ["libs/x/CMakeLists.txt:1", "libs/x/src/x.cc:1"]),
    ("dead-cpp", {"libs/x/CMakeLists.txt": LIBRARY + "# src/a.cc\n", "libs/x/src/a.cc": "",
                  "libs/x/include/x/y.h": "", "libs/x/src/z.h": ""},
     ["libs/x/include/x/y.h:1", "libs/x/src/a.cc:1", "libs/x/src/z.h:1"]),
    ("dead-cpp", {"test/CMakeLists.txt": "add_subdirectory(unit/a)\n",
                  "test/unit/a/CMakeLists.txt": "sandtrail_test(u SOURCES b_test.cc)\n",
                  "test/unit/a/a_test.cc": "", "test/unit/a/b_test.cc": ""},
     ["test/unit/a/a_test.cc:1"]),
    ("dead-cmake", {"libs/CMakeLists.txt": "add_subdirectory(a)\n", "libs/a/CMakeLists.txt": "",
                    "libs/b/CMakeLists.txt": "", "CMakeLists.txt": "add_subdirectory(libs)\n"},
     ["libs/b/CMakeLists.txt:1"]),
    ("dead-script", {"scripts/alone": "#!/bin/sh\n", "test/a/helper.py": ""},
     ["scripts/alone:1", "test/a/helper.py:1"]),
    ("library-readme", {"libs/a/CMakeLists.txt": "", "libs/b/CMakeLists.txt": "",
                        "libs/b/README.md": lines(61)},
     ["libs/a/README.md:1", "libs/b/README.md:61"]),
    ("library-cmake", {"libs/a/include/a/a.h": ""}, ["libs/a/CMakeLists.txt:1"]),
    ("readme-map", {"README.md": MAP, "libs/b/x.h": ""}, ["README.md:4", "README.md:5"]),
    ("readme-map", {"README.md": "# Sandtrail\n", "libs/b/x.h": ""}, ["README.md:1"]),
    ("readme-map", {"libs/b/x.h": ""}, ["README.md:1"]),
    ("named-path", {"README.md": "`scripts/a`\n`scripts/b --now` and `libs/c/`\n",
                    "libs/b/b.h": ""},
     ["README.md:1", "README.md:2", "README.md:2"]),
    ("named-test", {"A.md": "One.[^a] Two.[^b] Three.[^c] Four.[^d] Five.[^e]\n\n"
                            "[^a]: `test/a_test.cc`: is there\n"
                            "[^b]: `test/a_test.cc`: is there no more\n"
                            "[^c]: `test/b_test.cc`: is there\n"
                            "[^d]: somewhere\n[^f]: `test/test_a.py`: test_it\n"
                            "[^f]: `test/test_a.py`: test_it\n",
                    "test/a_test.cc": CASE, "test/test_a.py": "def test_it():\n    pass\n"},
     ["A.md:1", "A.md:4", "A.md:5", "A.md:6", "A.md:8", "A.md:8"]),
    ("held-sentence", {"A.md": HELD + "Held.[^a] Not\nheld. Held.[^a]\n\n- Held.[^a]\n"
                                      "- not held\n  at all\n\n"
                                      "| w | x |\n|---|---|\n| Not. | Not held. |\n"},
     ["A.md:4", "A.md:8", "A.md:12"]),
    ("held-promise", {"README.md": PROMISES + "| two | `test/b` |\n| three | us |\n"
                                   "| one | `test/a` |\n| four | `test/none`, `test/a` |\n",
                      "test/a/test_a.py": "def test_it():\n    pass\n", "test/b/b.py": ""},
     ["README.md:5", "README.md:6", "README.md:7", "README.md:8"]),
]

GOOD = [
    ("file-length", {"libs/a/src/a.cc": lines(500), "services/x/main.cc": lines(60),
                     "schemas/a.json": lines(900)}),
    ("line-length", {"a.h": "x" * 100 + "\n", "a.md": "x" * 300 + "\n",
                     "b.cc": "// see https://" + "x" * 100 + "\n"}),
    ("function-length", {"a.cc": body(70) + body(70),
                         "a.py": "def f():\n" + lines(69, "    f()\n")}),
    ("function-length", {"a.cc": "constexpr Row rows[] = {\n" + lines(90, "    {1, 2},\n") + "};\n"
                                 "enum class E : char {\n" + lines(90, "  a,\n") + "};\n"
                                 "struct alignas(8) S final : B {\n" + lines(90, "  int a;\n")
                                 + "};\n"}),
    ("function-length", {"a.cc": "/* { */\nchar c = '{';\nint n = 16'384;\n"
                                 'auto s = R"x(" { )x";\nauto t = "\\"{";\n' + body(70)}),
    ("function-length", {"a.cc": "#define OPEN {\n#define A(x) \\\n  if (x) {\n" + body(70)}),
    ("spdx", {"a.h": SPDX, "a.json": "{}"}),
    ("pragma-once", {"a.h": SPDX + "// What it is.\n#pragma once\n", "a.cc": ""}),
    ("trailing-space", {"a.md": "one\n\ntwo\n"}),
    ("leftover", {"a.cc": 'mkdtemp("/tmp/x-' + "X" * 6 + '");\n// A mastodon.\n'}),
    ("machine-path", {"README.md": f"{MACHINE}hello.py in the jail, /usr/lib\n"}),
    ("clock-random", {"libs/base/src/clock.cc": "system_clock::now();\n",
                      "test/unit/a/a_test.cc": "steady_clock::now();\n",
                      "libs/a/src/a.cc": "// system_clock is not read here\nlog(\"rand()\");\n"
                                         "clock.time(0, 1);\n"
                                         "std::chrono::steady_clock::duration d;\n"
                                         "cv.wait_for(lock, d);\n"}),
    ("stdout", {"libs/a/src/a.cc": "std::snprintf(b, 1, f);\nfmt::print(stderr, f);\n"
                                   "log.printf(f);\nint stdout_bytes;\n",
                "services/cli/a.cc": "std::cout << 1;\n"}),
    ("sleep", {"libs/a/src/a.cc": "bool asleep(int a);\n// never sleep(1)\n",
               "test/unit/a.cc": "sleep_for(t);\n"}),
    ("third-party", {"libs/http_beast/src/a.cc": "#include <boost/beast.hpp>\n"
                                                 "#include <openssl/ssl.h>\n",
                     "libs/codec/src/a.cc": "#include <boost/json.hpp>\n// #include <CLI/x.h>\n",
                     "test/contract/store/a.cc": "#include <rocksdb/db.h>\n",
                     "libs/a/src/a.cc": "#include <fmt/core.h>\n#include <vector>\n"}),
    ("third-party-header", {"libs/crypto/src/key.cc": "#include <openssl/evp.h>\n"}),
    ("layer", {"libs/domain/src/a.cc": '#include "base/b.h"\n#include "domain/d.h"\n',
               "libs/base/include/base/b.h": "", "libs/domain/include/domain/d.h": "",
               "libs/wire/src/a.cc": '#include "event_log/r.h"\n',
               "libs/event_log/include/event_log/r.h": ""}),
    ("adapter", {"services/sandtrail/main.cc": '#include "http_beast/s.h"\n',
                 "test/contract/http/t.cc": '#include "http_beast/s.h"\n',
                 "libs/http_beast/include/http_beast/s.h": ""}),
    ("service", {"services/jailer/main.cc": '#include "jail/j.h"\n#include "jailer/a.h"\n',
                 "libs/jail/include/jail/j.h": "", "services/gateway/g.cc": '#include "own.h"\n',
                 "services/sandtrail/main.cc": '#include "gateway/g.h"\n'}),
    ("library-cycle", {"libs/store/src/a.cc": '#include "base/b.h"\n#include "store/s.h"\n',
                       "libs/store/include/store/s.h": "", "libs/base/include/base/b.h": ""}),
    ("declared-dependency", {"libs/x/CMakeLists.txt": LIBRARY + "# DEPS obs\n",
                             "libs/x/include/x/x.h": "", "libs/obs/o.h": "", "libs/base/b.h": "",
                             "libs/x/src/x.cc": '#include "base/b.h"\n#include "x/x.h"\n'}),
    ("dead-cpp", {"libs/x/CMakeLists.txt": "sandtrail_library(x\n  SOURCES src/a.cc)\n",
                  "libs/x/src/a.cc": '#include "z.h"\n', "libs/x/src/z.h": "",
                  "libs/undeclared/include/undeclared/u.h": ""}),
    ("dead-cpp", {"CMakeLists.txt": "add_executable(x ${PROJECT_SOURCE_DIR}/libs/x/a.cc)\n",
                  "libs/x/a.cc": ""}),
    ("dead-cmake", {"CMakeLists.txt": "add_subdirectory(libs)\n", "libs/CMakeLists.txt": ""}),
    ("dead-script", {"scripts/go": "#!/bin/sh\npython3 test/a/tool.py\n", "test/a/tool.py": "",
                     "README.md": "Run `scripts/go`.\n", "test/a/test_x.py": "import helper\n",
                     "test/a/helper.py": "", "test/a/conftest.py": ""}),
    ("library-readme", {"libs/a/CMakeLists.txt": "", "libs/a/README.md": lines(60)}),
    ("library-cmake", {"libs/a/CMakeLists.txt": "", "libs/SandtrailLibrary.cmake": ""}),
    ("readme-map", {"README.md": MAP, "libs/a/x.h": "", "CMakeLists.txt": ""}),
    ("named-path", {"README.md": "`scripts/b --now`, `libs/b/`, `libs/<name>/x.h`, `ls libs/c`\n",
                    "libs/b/b.h": "", "scripts/b": ""}),
    ("named-test", {"A.md": "One.[^a] Two.[^b] `s/[^x]//` Three.[^c]\n\n```\n[^y]\n```\n"
                            "[^a]: `test/a_test.cc`: is there\n"
                            "[^b]: `test/a_test.cc`: is told in two parts\n"
                            "[^c]: `test/test_a.py`: test_it\n",
                    "test/a_test.cc": CASE + 'TEST_CASE(\n    "is told in "\n    "two parts") {}\n',
                    "test/test_a.py": "def test_it():\n    pass\n"}),
    ("held-sentence", {"A.md": "# Else\nNot held.\n" + HELD
                               + "**Lead.** Held, in 0.5 s, by `a. b`.[^a]\nHeld.[^a][^b]\n\n"
                               "1. Held.[^a]\n\n```\nNot. This.\n```\n"
                               "| What it is. | x |\n|---|---|\n| In case. | Held.[^a] |\n"
                               "| Else. | - |\n### Under. It\n\n[^a]: `test/a. b`\n"
                               "## Another\nNot held.\n"}),
    ("held-promise", {"README.md": PROMISES + "| two | `test/a/test_a.py`, `test/b` |\n\n## Else\n",
                      "test/a/test_a.py": "def test_it():\n    pass\n", "test/b/b_test.cc": CASE}),
]


@pytest.mark.parametrize("rule, files, expected", BAD)
def test_a_rule_finds_what_breaks_it(tmp_path, rule, files, expected):
    findings = RULES[rule](make_tree(tmp_path, files))
    assert sorted(f"{found.path}:{found.line}" for found in findings) == sorted(expected)


@pytest.mark.parametrize("rule, files", GOOD)
def test_a_rule_accepts_what_keeps_it(tmp_path, rule, files):
    assert RULES[rule](make_tree(tmp_path, files)) == []


def test_every_rule_has_a_reason_and_is_tried_both_ways():
    assert {rule for rule, *_ in BAD} == set(RULES) == {rule for rule, *_ in GOOD}
    assert all(run.__doc__ for run in RULES.values())


def check_with_exceptions(folder, text):
    # The README satisfies the rules about it; the one breach is the mark in a.h.
    files = {"a.h": SPDX + f"// {LEFTOVER}\n#pragma once\n", "CMakeLists.txt": "target(a.h)\n",
             "README.md": "# Map of the folders\n```\ntest/\ntest/tidy/\n```\n",
             tidy.ALLOWED: text}
    return [(found.rule, found.path) for found in tidy.check(make_tree(folder, files))]


@pytest.mark.parametrize("text, expected", [
    ("", [("leftover", "a.h")]),
    ("# why\nleftover a.h it is an example\n", []),
    ("leftover b.h the wrong file\n", [("leftover", "a.h"), ("stale-exception", tidy.ALLOWED)]),
    ("leftover a.h\n", [("leftover", "a.h"), ("bad-exception", tidy.ALLOWED)]),
    ("nonsense a.h why\n", [("leftover", "a.h"), ("bad-exception", tidy.ALLOWED)]),
])
def test_an_exception_needs_a_rule_a_path_a_reason_and_a_breach(tmp_path, text, expected):
    assert check_with_exceptions(tmp_path, text) == expected


def test_the_file_list_leaves_out_what_is_built_with_and_without_git(tmp_path):
    make_tree(tmp_path, {".gitignore": "/build/\n", "a.h": "", "libs/b.h": "", "build/c.h": ""})
    expected = [".gitignore", "a.h", "libs/b.h"]
    assert Tree.of(tmp_path).paths == expected
    subprocess.run(["git", "init", "--quiet", tmp_path], check=True)
    assert Tree.of(tmp_path).paths == expected


def test_the_real_tree_breaks_no_rule():
    findings = tidy.check(Tree.of(ROOT))
    assert not findings, "\n" + "\n".join(str(found) for found in findings)
