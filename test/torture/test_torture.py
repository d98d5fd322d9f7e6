# SPDX-License-Identifier: Apache-2.0
"""scripts/torture, with sections of programs that report what we know."""

import json
import re
from pathlib import Path

import pytest
import torture
from fault_report import FaultReport
from sections import SECTIONS, Cases, Section, Suite

ROOT = Path(__file__).resolve().parents[2]
SUMMARY = "[doctest] test cases:  3 |  2 passed |  1 failed | 0 skipped"


def said(fault="disk full", tries=3, **outcomes):
    return json.dumps({"fault": fault, "tries": tries, "outcomes": outcomes or {"intact": tries},
                       "notes": {"records": 4000}, "ms": 1500})


@pytest.fixture(name="tried")
def trier(tmp_path, monkeypatch, capsys):
    """A function that runs scripts/torture over sections "one" and "two", each of a program that
    does the lines of shell it is given; returns (exit code, stdout, stderr)."""
    monkeypatch.setattr(torture, "LOGS", tmp_path / "logs")
    sections = {}
    monkeypatch.setattr(torture, "SECTIONS", sections)

    def run(*arguments, one=(), two=(), limit=60, at_least=None):
        (tmp_path / "test").mkdir(exist_ok=True)
        for name, lines in (("one", one), ("two", two)):
            program = tmp_path / "test" / name
            program.write_text("\n".join(["#!/bin/sh", *(lines or [reporting(said(name))])]) + "\n")
            program.chmod(0o755)
            sections[name] = Section(f"faults {name}", [Cases(name, f"cases {name}")], limit, limit,
                                     at_least=at_least or {})
        try:
            code = torture.main([*arguments, "--build", str(tmp_path)])
        except SystemExit as end:
            code = end.code
        shown = capsys.readouterr()
        return code, shown.out, shown.err

    return run


def reporting(*lines):
    return "\n".join(f"echo '{line}' >>\"$SANDTRAIL_TORTURE_REPORT\"" for line in lines)


def test_the_table_has_a_line_for_each_fault_and_what_came_of_it(tried):
    code, out, err = tried(one=[reporting(said("flip", 1200, intact=1000, refused=200, lost=0),
                                          said("cut", 7))])
    assert code == 0
    heading, *lines = out.splitlines()
    assert heading.split() == ["section", "fault", "tries", "time", "what", "came", "of", "it"]
    assert re.split("  +", lines[0]) == ["one", "flip", "1 200", "1.5s",
                                         "1 000 intact, 200 refused (records 4 000)"]
    assert [line.split()[1] for line in lines[:3]] == ["flip", "cut", "two"]
    assert lines[-1] == "2 sections (full numbers), 3 faults, 1 210 tries: all held"
    assert "scripts/torture --only one" in err


def test_a_fault_of_several_tests_is_one_line(tried):
    code, out, _ = tried("--only", "one", one=[reporting(said("a", 2), said("a", 3, refused=3))])
    assert code == 0 and "5" in out and "2 intact, 3 refused (records 8 000)" in out


def test_only_the_sections_that_are_named_are_run(tried):
    code, out, err = tried("--only", "two", one=["exit 1"])
    assert code == 0 and "faults one" not in err and "1 sections" in out
    code, out, err = tried("--only", "two", "one", "--quick")
    assert code == 0 and err.index("faults two") < err.index("faults one")
    code, _, err = tried("--only", "three")
    assert code == 2 and "no section three; there are: one, two" in err


@pytest.mark.parametrize("lines, complaint", [
    ([reporting(said()), "echo why; exit 3"], "cases one: ended with 3"),
    ([reporting(said(tries=5, intact=3))], "disk full: of 2 of 5 nobody says what came"),
    ([reporting("nonsense")], "not a report: nonsense"),
    ([reporting('{"fault": "x"}')], "not a report"),
    (["true"], "cases one: no test was run"),
    (["kill -9 $$"], "cases one: ended with -9"),
])
def test_what_does_not_hold_is_told_with_the_command_that_repeats_it(tried, lines, complaint):
    code, out, err = tried(one=lines)
    assert code == 1
    assert complaint in err and "repeat: scripts/torture --only one" in err
    assert out.splitlines()[-1].endswith("did not hold: one")
    assert "two" in out, "the others are run all the same"


def test_the_end_of_the_log_is_shown_if_a_section_fails(tried):
    _, _, err = tried(one=["echo what went wrong", "exit 1"])
    assert "what went wrong" in err and "build/logs/torture-one.log" in err


def test_tests_that_report_nothing_are_counted(tried):
    code, out, _ = tried("--only", "one", one=[f"echo '{SUMMARY}'", "exit 1"])
    assert code == 1 and re.search(r"cases one \(tests\) +3 .* 2 passed, 1 failed", out)


def test_a_section_ends_when_its_time_is_over(tried, monkeypatch):
    monkeypatch.setattr(torture, "STOP_SECONDS_MAX", 1)
    code, _, err = tried("--only", "one", one=["trap '' INT", "sleep 600 & wait", "sleep 600"],
                         limit=0)
    assert code == 1 and "took longer than its section may" in err


def test_a_program_that_is_not_built_is_told(tried, tmp_path, monkeypatch):
    monkeypatch.setattr(Cases, "command", lambda *_: [str(tmp_path / "none")])
    code, _, err = tried("--only", "one")
    assert code == 1 and "cannot be started: No such file" in err


def test_full_numbers_are_asked_for_and_must_be_reached(tried, monkeypatch):
    monkeypatch.setenv("SANDTRAIL_TORTURE", "1")
    lines = [reporting(said("kills", 60)), "echo \"full: ${SANDTRAIL_TORTURE-no}\"", "exit 1"]
    code, _, err = tried("--only", "one", one=lines, at_least={"kill": 61})
    assert code == 1 and "full: 1" in err and "kill: 60 tries instead of 61" in err
    code, _, err = tried("--only", "one", "--quick", one=lines, at_least={"kill": 61})
    assert code == 1 and "full: no" in err and "instead of" not in err
    assert "scripts/torture --only one --quick" in err
    code, _, _ = tried("--only", "one", one=lines[:1], at_least={"kill": 60})
    assert code == 0


def test_a_report_in_python_is_written_also_when_its_test_fails(tmp_path, monkeypatch):
    file = tmp_path / "report"
    monkeypatch.setenv("SANDTRAIL_TORTURE_REPORT", str(file))
    with pytest.raises(RuntimeError), FaultReport("kill") as report:
        for number in range(3):
            report.tried()
            if number == 2:
                raise RuntimeError
            report.came("intact")
        report.noted("never", 1)
    rows, problems = torture.rows_of("s", file)
    assert not problems
    assert [(row.fault, row.tries, row.outcomes, row.unaccounted) for row in rows] == [
        ("kill", 3, {"intact": 2}, 1)]


def test_what_the_sections_name_is_there():
    cmake = "".join(path.read_text() for path in (ROOT / "test").rglob("CMakeLists.txt"))
    sources = [path.as_posix() for path in (ROOT / "test").rglob("*_test.cc")]
    for step in (step for section in SECTIONS.values() for step in section.steps):
        if isinstance(step, Cases):
            assert f"sandtrail_test({step.program}\n" in cmake, step.program
            assert any(path.endswith(step.sources) for path in sources), step.sources
        if isinstance(step, Suite):
            assert all((ROOT / "test" / file).is_file() for file in step.files), step.files
