# SPDX-License-Identifier: Apache-2.0
"""Rules about the text of one file at a time."""

import ast
import re

import cpp_scan
from tree import rule

FILE_LINES_MAX = 500
MAIN_LINES_MAX = 60
FUNCTION_LINES_MAX = 70
LINE_CHARS_MAX = 100
PRODUCT = ("libs/", "services/")


@rule("file-length")
def file_length(tree):
    """A file past 500 lines has more than one job; a main.cc past 60 does more than wire."""
    for path in tree.sources:
        count = len(tree.lines(path))
        limit = MAIN_LINES_MAX if path.endswith("/main.cc") else FILE_LINES_MAX
        if count > limit:
            yield path, limit + 1, f"{count} lines, at most {limit}; split it by responsibility"


@rule("line-length")
def line_length(tree):
    """Two files fit side by side on a screen at 100 columns. Addresses may be longer."""
    for path in tree.sources:
        for number, line in enumerate(tree.lines(path), 1):
            if len(line) > LINE_CHARS_MAX and "://" not in line:
                yield path, number, f"{len(line)} columns, at most {LINE_CHARS_MAX}"


@rule("function-length")
def function_length(tree):
    """A function that fits on a screen can be checked by reading it."""
    for path in tree.sources:
        try:
            if path.endswith(".py"):
                found = _python_functions(tree.text(path))
            elif path in tree.cpp:
                found = list(cpp_scan.functions(tree.text(path)))
            else:
                continue
        except cpp_scan.UnbalancedBraces:
            yield path, 1, "braces do not balance, so function lengths cannot be checked"
            continue
        except SyntaxError as error:
            yield path, error.lineno or 1, f"not Python: {error.msg}"
            continue
        for first, last, head in found:
            count = last - first + 1
            if count > FUNCTION_LINES_MAX:
                yield path, first, f"{head[:50]}: {count} lines, at most {FUNCTION_LINES_MAX}"


def _python_functions(text):
    return [(node.lineno, node.end_lineno, node.name) for node in ast.walk(ast.parse(text))
            if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef))]


@rule("spdx")
def spdx(tree):
    """Each source file says its licence by itself, in the form tools read."""
    for path in tree.cpp:
        if tree.lines(path)[:1] != ["// SPDX-License-Identifier: Apache-2.0"]:
            yield path, 1, "the first line must be // SPDX-License-Identifier: Apache-2.0"


@rule("pragma-once")
def pragma_once(tree):
    """One way to guard a header, and none can be mistyped."""
    for path in tree.cpp:
        if path.endswith(".h") and tree.lines(path).count("#pragma once") != 1:
            yield path, 1, "a header has exactly one #pragma once"


@rule("trailing-space")
def trailing_space(tree):
    """Invisible characters make diffs of lines that look the same."""
    for path in tree.texts:
        for number, line in enumerate(tree.text(path).split("\n"), 1):
            if line != line.rstrip():
                yield path, number, "white space at the end of the line"


# The words are put together here so that the rules do not find themselves.
_LEFTOVER = re.compile(r"\b(" + "|".join(["TO" + "DO", "FIX" + "ME", "X" * 3]) + r")\b")
_MACHINE_PATH = re.compile("/" + r"work/(?:main|wt|shared|\.library)\b|\bbash_" + "jobs")


@rule("leftover")
def leftover(tree):
    """Unfinished work is left out, or finished; a note in the code hides it."""
    for path in tree.texts:
        for number, line in enumerate(tree.lines(path), 1):
            if match := _LEFTOVER.search(line):
                yield path, number, f"'{match[1]}' left in the tree"


@rule("machine-path")
def machine_path(tree):
    """A path of one developer's machine means nothing on any other. (Inside a sandbox the work
    directory is a path of ours.)"""
    for path in tree.texts:
        for number, line in enumerate(tree.lines(path), 1):
            if match := _MACHINE_PATH.search(line):
                yield path, number, f"'{match[0]}' is a path of one machine"


_CLOCK = re.compile(
    r"\bsystem_clock\b|\b(?:steady|high_resolution)_clock::now\b"
    r"|\btime\s*\(\s*(?:nullptr|NULL|0|&\w+)\s*\)|\bgettimeofday\b|\bclock_gettime\b"
    r"|\bs?rand\s*\(|\b(?:random_device|mt19937\w*|getrandom|getentropy|arc4random\w*|RAND_\w+)\b")


@rule("clock-random")
def clock_random(tree):
    """Time and chance enter through base's Clock and Random ports only, so that a test can set
    both and a seed reproduces a whole run."""
    for path in tree.below(*PRODUCT):
        if path in tree.cpp and not path.startswith("libs/base/"):
            yield from _matches(tree, path, _CLOCK, "take base's Clock or Random port instead")


_STDOUT = re.compile(r"\bstd::cout\b|(?<![\w.>])printf\s*\(|(?<![\w.>])puts\s*\(|\bputchar\s*\("
                     r"|\bfmt::print\s*\((?!\s*stderr\b)|\bstdout\b")


@rule("stdout")
def stdout(tree):
    """Standard output belongs to the program (its data), never to a library."""
    for path in tree.below("libs/"):
        if path in tree.cpp:
            yield from _matches(tree, path, _STDOUT, "a library does not write to standard output")


_SLEEP = re.compile(r"\bsleep_(?:for|until)\b|\bu?sleep\s*\(|\b(?:clock_)?nanosleep\s*\(")


@rule("sleep")
def sleep(tree):
    """A sleep is either too long or too short; wait for the condition, with a deadline."""
    for path in tree.below(*PRODUCT):
        if path in tree.cpp:
            yield from _matches(tree, path, _SLEEP, "wait for a condition instead")


def _matches(tree, path, pattern, advice):
    for number, line in enumerate(cpp_scan.code_only(tree.text(path)).splitlines(), 1):
        if match := pattern.search(line):
            yield path, number, f"'{match[0].strip()}': {advice}"
