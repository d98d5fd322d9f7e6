# SPDX-License-Identifier: Apache-2.0
"""The scripts: counting tests, the list of packages, the format of the tree."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


def run(*command, **options):
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False,
                          stdin=subprocess.DEVNULL, **options)


def counted(tmp_path, kind, xml):
    """What scripts/count_tests.py prints: (stdout, stderr)."""
    file = tmp_path / "result.xml"
    file.write_text(f"<testsuite>{xml}</testsuite>")
    done = run(sys.executable, "scripts/count_tests.py", kind, str(file))
    assert done.returncode == 0, done.stderr
    return done.stdout.strip(), done.stderr


def doctest(name, status, summary, output=""):
    return (f'<testcase name="{name}" status="{status}"><failure message="why"/>'
            f"<system-out>{output}\n{summary}</system-out></testcase>")


def summary(passed, failed):
    return (f"[doctest] test cases: {passed + failed} | {passed} passed | {failed} failed |"
            " 0 skipped")


@pytest.mark.parametrize("xml, expected", [
    (doctest("a", "run", summary(3, 0)) + doctest("b", "run", summary(2, 0)), "5 0"),
    (doctest("a", "fail", summary(3, 2)), "3 2"),
    (doctest("failed after its cases, as a leak does", "fail", summary(3, 0)), "3 1"),
    (doctest("crashed", "fail", "Segmentation fault"), "0 1"),
    (doctest("without a case", "run", summary(0, 0)), "0 1"),
    (doctest("ended early with success", "run", ""), "0 1"),
    (doctest("not built", "notrun", ""), "0 1"),
    (doctest("disabled", "disabled", ""), "0 1"),
    ("", "0 0"),
])
def test_cases_of_doctest_binaries_are_counted(tmp_path, xml, expected):
    assert counted(tmp_path, "ctest", xml)[0] == expected


def test_the_output_of_a_failed_binary_is_shown(tmp_path):
    xml = doctest("unit_x", "fail", summary(0, 1), "a_test.cc:7: values differ")
    assert "unit_x: why" in counted(tmp_path, "ctest", xml)[1]
    assert "a_test.cc:7: values differ" in counted(tmp_path, "ctest", xml)[1]


@pytest.mark.parametrize("xml, expected", [
    ('<testcase name="a"/><testcase name="b"/>', "2 0"),
    ('<testcase name="a"/><testcase name="b"><failure>no</failure></testcase>', "1 1"),
    ('<testcase name="a"><error message="no fixture">no</error></testcase>', "0 1"),
    ('<testcase name="a"><skipped/></testcase>', "0 0"),
])
def test_cases_of_pytest_are_counted(tmp_path, xml, expected):
    assert counted(tmp_path, "pytest", xml)[0] == expected


@pytest.mark.parametrize("kind", ["ctest", "pytest"])
def test_a_missing_or_broken_result_is_a_failure(tmp_path, kind):
    missing = run(sys.executable, "scripts/count_tests.py", kind, str(tmp_path / "none.xml"))
    assert missing.stdout.strip() == "0 1"
    assert counted(tmp_path, kind, "<testcase")[0] == "0 1"


def test_the_package_list_has_one_plain_name_a_line():
    names = run("scripts/install-deps", "--list").stdout.splitlines()
    assert len(names) == len(set(names)) > 20
    assert all(re.fullmatch(r"[a-z0-9][a-z0-9.+-]+", name) for name in names)
    to_build = run("scripts/install-deps", "--list", "build").stdout.splitlines()
    assert "librocksdb-dev" in to_build and set(to_build) < set(names)


def test_install_deps_says_what_to_do_on_a_system_that_is_not_debian(tmp_path):
    for tool in ("awk", "bash", "dirname", "paste"):
        (tmp_path / tool).symlink_to(shutil.which(tool))
    done = run("scripts/install-deps", env={"PATH": str(tmp_path)})
    assert done.returncode == 2
    assert "not a Debian system" in done.stderr and "librocksdb-dev" in done.stderr


@pytest.mark.parametrize("script", ["infra/kafka/acls", "scripts/bench", "scripts/fmt",
                                    "scripts/install-deps", "scripts/kafka", "scripts/s3-server",
                                    "scripts/test", "scripts/tidy", "scripts/torture"])
def test_a_script_explains_itself_and_refuses_what_it_does_not_know(script):
    helped = run(script, "--help")
    assert helped.returncode == 0 and helped.stdout.startswith(script)
    # These pass their arguments on; test/bench and test/torture try them.
    if script not in ("scripts/bench", "scripts/torture"):
        refused = run(script, "--nonsense")
        assert refused.returncode == 2 and "--nonsense" in refused.stderr


def test_shell_scripts_pass_shellcheck():
    scripts = [path for folder in ("scripts", ".ci", "infra/kafka")
               for path in sorted((ROOT / folder).iterdir())
               if path.suffix == ".sh" or path.read_bytes().startswith(b"#!/usr/bin/env bash")]
    assert len(scripts) > 5
    done = run("shellcheck", *map(str, scripts))
    assert done.returncode == 0, done.stdout


def test_the_tree_is_formatted():
    done = run("scripts/fmt", "--check", env={**os.environ, "NO_COLOR": "1"})
    assert done.returncode == 0, done.stderr
