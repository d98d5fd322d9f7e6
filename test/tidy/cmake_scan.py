# SPDX-License-Identifier: Apache-2.0
"""The words of CMake files, which is all the rules need of them."""

import re
from functools import lru_cache
from pathlib import PurePosixPath

_COMMENT = re.compile(r"#[^\n]*")
_WORD = re.compile(r'[^\s()"]+')
_HERE = re.compile(r"^\$\{(?:CMAKE_CURRENT_SOURCE_DIR|CMAKE_CURRENT_LIST_DIR)\}/")
_ROOT = re.compile(r"^\$\{(?:CMAKE_SOURCE_DIR|PROJECT_SOURCE_DIR)\}/")


@lru_cache(maxsize=None)
def words(text):
    return frozenset(_WORD.findall(_COMMENT.sub("", text)))


def named_paths(tree):
    """Every path, from the root, that some CMake file may mean by one of its words."""
    named = set()
    for path in tree.paths:
        name = PurePosixPath(path)
        if name.name != "CMakeLists.txt" and name.suffix != ".cmake":
            continue
        for word in words(tree.text(path)):
            if _ROOT.match(word):
                named.add(_ROOT.sub("", word))
            else:
                named.add((name.parent / _HERE.sub("", word)).as_posix())
                named.add(word)  # a .cmake file is written from the root's point of view
    return named


def declared_dependencies(tree, library):
    """The words after DEPS and PRIVATE_DEPS in the library's own CMakeLists.txt."""
    path = f"libs/{library}/CMakeLists.txt"
    if path not in tree.paths:
        return set()
    text = _COMMENT.sub("", tree.text(path))
    found = set()
    for part in re.findall(r"\b(?:PRIVATE_)?DEPS\b([^)]*)", text):
        for word in _WORD.findall(part):
            if word in ("SOURCES", "HEADERS"):
                break
            found.add(word.removeprefix("sandtrail::"))
    return found - {"DEPS", "PRIVATE_DEPS"}
