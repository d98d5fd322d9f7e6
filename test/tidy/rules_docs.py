# SPDX-License-Identifier: Apache-2.0
"""Rules about what documents promise: that the tests they name exist, and hold each sentence."""

import ast
import re

from tree import rule

HELD_HEADING = "What is durable when"
PROMISES_HEADING = "Promises, and the tests that hold them"

_CODE = re.compile(r"`[^`]*`")
_REFERENCE = re.compile(r"\[\^([\w-]+)\]")
_NOTE = re.compile(r"\[\^([\w-]+)\]: (.*)")
_NAMED_TEST = re.compile(r"`(test/[\w./-]+)`: (.+)")
_CPP_CASE = re.compile(r'\bTEST_CASE(?:_TEMPLATE)?\(\s*((?:"(?:[^"\\]|\\.)*"\s*)+)')
_SENTENCE_END = re.compile(r"[.?!](?=\s|$)")
_HELD_END = re.compile(r"\[\^[\w-]+\]$")
_LIST_MARK = re.compile(r"\s*(?:\d+\.|[-*])\s")


def tests_in(tree, path):
    """Names of the tests in a file of C++ or Python."""
    text = tree.text(path)
    if path.endswith(".cc"):
        return {"".join(re.findall(r'"((?:[^"\\]|\\.)*)"', found))
                for found in _CPP_CASE.findall(text)}
    if path.endswith(".py"):
        try:
            return {node.name for node in ast.walk(ast.parse(text))
                    if isinstance(node, ast.FunctionDef) and node.name.startswith("test_")}
        except SyntaxError:
            return set()  # function-length tells of it
    return set()


@rule("named-test")
def named_test(tree):
    """A footnote says which test holds a sentence: `test/FILE`: NAME. Once that test is renamed or
    gone, nobody would notice that the sentence stands alone."""
    for path in tree.paths:
        if path.endswith(".md"):
            yield from _footnotes(tree, path)


def _footnotes(tree, path):
    defined, referred = {}, {}
    for number, line in _prose(tree.lines(path)):
        note = _NOTE.match(line)
        if note:
            if note[1] in defined:
                yield path, number, f"[^{note[1]}] is there twice"
            defined[note[1]] = number
            if fault := _fault_of(tree, note[2]):
                yield path, number, fault
            continue
        for name in _REFERENCE.findall(_CODE.sub("", line)):
            referred.setdefault(name, number)
    for name in sorted(referred.keys() - defined.keys()):
        yield path, referred[name], f"[^{name}] is not below"
    for name in sorted(defined.keys() - referred.keys()):
        yield path, defined[name], f"nothing refers to [^{name}]"


def _fault_of(tree, text):
    named = _NAMED_TEST.fullmatch(text)
    if not named:
        return "write `test/FILE`: NAME OF THE TEST"
    if named[1] not in tree.paths:
        return f"{named[1]} does not exist"
    if named[2] not in tests_in(tree, named[1]):
        return f"{named[1]} has no test '{named[2]}'"
    return None


def _prose(lines):
    """(number, line) outside of code blocks."""
    inside = False
    for number, line in enumerate(lines, 1):
        if line.startswith("```"):
            inside = not inside
        elif not inside:
            yield number, line


@rule("held-sentence")
def held_sentence(tree):
    """What is durable when, and what an operator must do for it, is what people stake money on:
    each sentence of that section ends with a reference to the test that holds it."""
    for path in tree.paths:
        if not path.endswith(".md"):
            continue
        for number, text in _blocks(_section(tree.lines(path), HELD_HEADING)):
            text = _CODE.sub("code", text).rstrip()
            ends = [match.start() for match in _SENTENCE_END.finditer(text)]
            if not ends and not _HELD_END.search(text):
                ends = [len(text)]
            for end in ends:
                yield path, number + text.count("\n", 0, end), "no test is named for this sentence"


def _section(lines, heading):
    """(number, line) below the heading, down to the next one of its level."""
    level = None
    for number, line in _prose(lines):
        mark = re.match(r"(#+) (.*)", line)
        if mark and level is None and mark[2] == heading:
            level = len(mark[1])
        elif mark and level is not None and len(mark[1]) <= level:
            return
        elif level is not None:
            yield number, line


def _blocks(lines):
    """(number of the first line, text) of each paragraph, point of a list and cell of a table but
    those of its head and first column."""
    block, start, table = [], 0, 0
    for number, line in [*lines, (0, "")]:
        row = line.startswith("|")
        if block and (row or not line.strip() or _LIST_MARK.match(line)
                      or line.startswith("#") or _NOTE.match(line)):
            yield start, "\n".join(block)
            block = []
        table = table + 1 if row else 0
        if row and table > 2:
            for cell in line.strip("|").split("|")[1:]:
                if cell.strip() != "-":
                    yield number, cell.strip()
        if row or not line.strip() or line.startswith("#") or _NOTE.match(line):
            continue
        if not block:
            start = number
        block.append(_LIST_MARK.sub("", line, count=1) if not block else line)


@rule("held-promise")
def held_promise(tree):
    """A promise of the README says where its tests are, once."""
    if "README.md" not in tree.paths:
        return
    seen = {}
    for number, line in _section(tree.lines("README.md"), PROMISES_HEADING):
        cells = [cell.strip() for cell in line.strip("|").split("|")]
        if not line.startswith("|") or len(cells) != 2 or set(line) <= set("|- ") or (
                cells[0] == "promise"):
            continue
        if cells[0] in seen:
            yield "README.md", number, f"the promise of line {seen[cells[0]]} again"
        seen[cells[0]] = number
        named = re.findall(r"`(test/[\w./-]+)`", cells[1])
        held = named and all(any(tests_in(tree, path) for path in tree.below(name))
                             for name in named)
        if not held:
            yield "README.md", number, "no test below what it names"
