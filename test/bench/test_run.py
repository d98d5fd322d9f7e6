# SPDX-License-Identifier: Apache-2.0
"""The benchmark runner, with a program that prints figures we know."""

import json

import pytest
import run


@pytest.fixture
def build(tmp_path):
    """A function that makes a build folder whose log_bench prints the given lines."""

    def make(*lines, exit_code=0):
        program = tmp_path / "bench" / "log_bench"
        program.parent.mkdir()
        text = "\n".join(lines)
        program.write_text(f"#!/bin/sh\ncat <<'END'\n{text}\nEND\nexit {exit_code}\n")
        program.chmod(0o755)
        return tmp_path

    return make


WITH_BASELINE = json.dumps({"name": "append", "unit": "records/s", "value": 41000,
                            "baseline": "raw store", "baseline_value": 82000, "writers": 8})
ALONE = json.dumps({"name": "recover", "unit": "ms", "value": 12.345})


def test_the_table_shows_each_figure_beside_its_baseline_and_their_ratio(build, capsys):
    assert run.main(["log", "--build", str(build(WITH_BASELINE, ALONE))]) == 0
    heading, first, second = capsys.readouterr().out.splitlines()[1:]
    assert heading.split()[:5] == ["section", "measured", "Sandtrail", "baseline", "ratio"]
    assert first.split("  ")[-1] == "raw store"
    assert "41 000" in first and "82 000" in first and "0.50" in first
    assert second.split()[:5] == ["log", "recover", "12.3", "-", "-"]
    assert first.index("records/s") == second.index("ms"), "columns are aligned"


def test_the_json_file_holds_all_figures_and_further_keys(build, tmp_path):
    out = tmp_path / "figures.json"
    assert run.main(["log", "--build", str(build(WITH_BASELINE)), "--json", str(out)]) == 0
    figures = json.loads(out.read_text())["figures"]
    assert [(f["section"], f["value"], f["ratio"], f["writers"]) for f in figures] == [
        ("log", 41000.0, 0.5, 8)]


@pytest.mark.parametrize("lines, exit_code, complaint", [
    (["not json"], 0, "not a row"),
    (['{"name": "x", "unit": "s"}'], 0, "not a row"),
    (['{"name": "x", "unit": "s", "value": 1, "baseline": "b"}'], 0, "go together"),
    ([""], 0, "measured nothing"),
    ([ALONE], 3, "failed with 3"),
])
def test_a_program_that_breaks_the_contract_is_an_error(build, capsys, lines, exit_code, complaint):
    assert run.main(["--build", str(build(*lines, exit_code=exit_code))]) == 1
    assert complaint in capsys.readouterr().err


@pytest.mark.parametrize("section", run.SECTIONS)
def test_a_program_that_is_not_built_is_an_error(tmp_path, capsys, section):
    assert run.main([section, "--build", str(tmp_path)]) == 1
    assert "is not built" in capsys.readouterr().err


def test_an_unknown_section_is_refused(tmp_path, capsys):
    with pytest.raises(SystemExit):
        run.main(["nonsense", "--build", str(tmp_path)])
    assert "no section nonsense" in capsys.readouterr().err
