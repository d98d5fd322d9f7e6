# SPDX-License-Identifier: Apache-2.0
"""Rules about the tree as a whole."""

import re
from pathlib import PurePosixPath

import cmake_scan
import cpp_scan
from tree import rule

README_LINES_MAX = 60
MAP_HEADING = "Map of the folders"


@rule("dead-cpp")
def dead_cpp(tree):
    """A source file that no CMakeLists.txt names is neither compiled nor tested, and nobody is
    told. A header that is not public may be found by its include instead."""
    named = cmake_scan.named_paths(tree)
    included = {name for path in tree.cpp
                for _, name, quoted in cpp_scan.includes(tree.text(path)) if quoted}
    ends = {PurePosixPath(name).name: set() for name in included}
    for name in included:
        ends[PurePosixPath(name).name].add(name.lstrip("./"))
    undeclared = tuple(f"libs/{library}/" for library in tree.libraries
                       if library not in tree.declared_libraries)
    for path in tree.cpp:
        if path in named or path.startswith(undeclared):
            continue  # library-cmake reports an undeclared library, once
        if path.endswith(".h") and "/include/" not in path and any(
                f"/{path}".endswith(f"/{end}") for end in ends.get(PurePosixPath(path).name, ())):
            continue
        yield path, 1, "no CMakeLists.txt names it, so it is never compiled"


@rule("dead-cmake")
def dead_cmake(tree):
    """A CMakeLists.txt that none above it adds takes its whole folder out of the build."""
    named = cmake_scan.named_paths(tree)
    for path in tree.paths:
        folder = PurePosixPath(path).parent.as_posix()
        if path.endswith("/CMakeLists.txt") and folder not in named:
            yield path, 1, f"no add_subdirectory() leads to {folder}"


@rule("dead-script")
def dead_script(tree):
    """A script that nothing runs, imports or mentions rots unseen."""
    for path in tree.sources:
        name = PurePosixPath(path)
        if name.suffix not in (".py", ".sh", "") or path in tree.cpp or _is_pytest_file(name):
            continue
        if name.name in ("__init__.py", "conftest.py"):
            continue
        call = re.compile(r"(?<![\w-])" + re.escape(name.name) + r"(?![\w-])")
        load = re.compile(r"^\s*(?:from|import)\s+(?:[\w.]+\.)?" + re.escape(name.stem) + r"\b"
                          r"|^\s*from\s+[\w.]*\s+import\s+.*\b" + re.escape(name.stem) + r"\b",
                          re.MULTILINE)
        if not any(call.search(tree.text(other))
                   or (name.suffix == ".py" and other.endswith(".py")
                       and load.search(tree.text(other)))
                   for other in tree.texts if other != path):
            yield path, 1, "nothing runs, imports or mentions it"


def _is_pytest_file(name):
    """test/SUITE/…/test_*.py: scripts/test finds these by itself."""
    return name.parts[0] == "test" and len(name.parts) > 2 and re.match(r"test_.*\.py$", name.name)


@rule("library-readme")
def library_readme(tree):
    """A newcomer learns a library's job, promises and reasons in a minute, beside its code."""
    for library in tree.declared_libraries:
        path = f"libs/{library}/README.md"
        if path not in tree.paths:
            yield path, 1, "missing; say the library's job, API, invariants and decisions"
        elif len(tree.lines(path)) > README_LINES_MAX:
            yield path, README_LINES_MAX + 1, f"at most {README_LINES_MAX} lines"


@rule("library-cmake")
def library_cmake(tree):
    """A library is declared, with its dependencies, or it is not part of the build."""
    for library in tree.libraries:
        if f"libs/{library}/CMakeLists.txt" not in tree.paths:
            yield f"libs/{library}/CMakeLists.txt", 1, "missing"


@rule("readme-map")
def readme_map(tree):
    """The README's map is how one finds the way; a wrong map is worse than none."""
    if "README.md" not in tree.paths:
        yield "README.md", 1, "missing"
        return
    mapped = _mapped_folders(tree.lines("README.md"))
    if not mapped:
        yield "README.md", 1, f"no code block with folders under a heading '{MAP_HEADING}'"
        return
    real = _real_folders(tree)
    for folder in sorted(real - set(mapped)):
        yield "README.md", min(mapped.values()), f"the map lacks {folder}"
    for folder in sorted(set(mapped) - real):
        yield "README.md", mapped[folder], f"the map names {folder}, which does not exist"


_NAMED_PATH = re.compile(
    r"`((?:scripts|libs|services|schemas|test|infra|\.ci)/[\w./-]+)(?: [^`]*)?`")


@rule("named-path")
def named_path(tree):
    """A document that names a file which is not there sends its reader astray."""
    folders = {parent.as_posix() for path in tree.paths for parent in PurePosixPath(path).parents}
    for path in tree.paths:
        if not path.endswith(".md"):
            continue
        for number, line in enumerate(tree.lines(path), 1):
            for name in _NAMED_PATH.findall(line):
                if name not in tree.paths and name.rstrip("/") not in folders:
                    yield path, number, f"{name} does not exist"


def _mapped_folders(lines):
    """{folder: line} from the first code block below the heading: the first word of each line that
    ends with "/"."""
    mapped = {}
    state = "before"
    for number, line in enumerate(lines, 1):
        if state == "before" and re.match(r"#+\s", line) and MAP_HEADING in line:
            state = "heading"
        elif state == "heading" and line.startswith("```"):
            state = "block"
        elif state == "block" and line.startswith("```"):
            break
        elif state == "block" and (word := line.split()[:1]) and word[0].endswith("/"):
            mapped[word[0]] = number
    return mapped


def _real_folders(tree):
    real = set()
    for path in tree.paths:
        parts = path.split("/")
        if len(parts) > 1:
            real.add(f"{parts[0]}/")
        if len(parts) > 2 and parts[0] in ("libs", "services", "test"):
            real.add(f"{parts[0]}/{parts[1]}/")
    return real
