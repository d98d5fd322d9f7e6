#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Counts test cases in a JUnit file, for scripts/test.

    count_tests.py ctest FILE     written by ctest --output-junit: its doctest binaries' own counts
    count_tests.py pytest FILE    written by pytest --junitxml

Prints "PASSED FAILED" to stdout, and what failed, with its output, to stderr. Whatever cannot be
counted is a failure: a missing file, a binary that crashed, was not run, or ran no test case.
"""

import re
import sys
import xml.etree.ElementTree as ElementTree

_DOCTEST = re.compile(r"\[doctest\] test cases:\s+(\d+) \|\s+(\d+) passed \|\s+(\d+) failed")
OUTPUT_CHARS_MAX = 20_000


def count_ctest(root):
    """Returns (passed, failed, failures); failures are texts to show."""
    passed, failed, failures = 0, 0, []
    for case in root.iter("testcase"):
        name, output = case.get("name"), case.findtext("system-out") or ""
        good = case.get("status") == "run"
        summary = _DOCTEST.findall(output)
        cases_total, cases_passed, cases_failed = map(int, summary[-1]) if summary else (0, 0, 0)
        if good and cases_total == 0:
            good, output = False, "it ran no test case\n" + output
        passed += cases_passed
        if not good:
            failed += max(1, cases_failed)
            failures.append(_shown(name, case.find("failure"), output))
    return passed, failed, failures


def count_pytest(root):
    """The same for pytest; a skipped test counts as neither."""
    passed, failed, failures = 0, 0, []
    for case in root.iter("testcase"):
        problem = next((part for part in case if part.tag in ("failure", "error")), None)
        if problem is not None:
            failed += 1
            name = f"{case.get('classname')}.{case.get('name')}"
            failures.append(_shown(name, problem, problem.text or ""))
        elif case.find("skipped") is None:
            passed += 1
    return passed, failed, failures


def _shown(name, problem, output):
    message = (problem.get("message") or "") if problem is not None else ""
    headline = message.splitlines()[0] if message else ""
    if len(output) > OUTPUT_CHARS_MAX:
        output = "…\n" + output[-OUTPUT_CHARS_MAX:]
    return f"--- {name}: {headline}\n{output.rstrip()}\n"


def main(arguments):
    count = {"ctest": count_ctest, "pytest": count_pytest}[arguments[0]]
    try:
        passed, failed, failures = count(ElementTree.parse(arguments[1]).getroot())
    except (OSError, ElementTree.ParseError) as error:
        passed, failed, failures = 0, 1, [f"--- no result of {arguments[0]}: {error}\n"]
    for text in failures:
        print(text, file=sys.stderr)
    print(passed, failed)


if __name__ == "__main__":
    main(sys.argv[1:])
