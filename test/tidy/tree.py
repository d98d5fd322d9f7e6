# SPDX-License-Identifier: Apache-2.0
"""The files a rule looks at, and how a rule is declared."""

import subprocess
from dataclasses import dataclass
from functools import cached_property, lru_cache
from pathlib import Path, PurePosixPath

CPP_SUFFIXES = (".h", ".cc", ".c")
SOURCE_SUFFIXES = CPP_SUFFIXES + (".py", ".sh", ".cmake")
TEXT_SUFFIXES = SOURCE_SUFFIXES + (".md", ".txt", ".json", ".yaml", ".yml", ".toml", ".service")


@dataclass(frozen=True, order=True)
class Finding:
    path: str
    line: int
    rule: str
    message: str

    def __str__(self):
        return f"{self.path}:{self.line}: {self.rule}: {self.message}"


class Tree:
    """A set of files below `root`, named by their path from there, with "/"."""

    def __init__(self, root, paths):
        self.root = Path(root)
        self.paths = sorted(paths)

    @classmethod
    def of(cls, root):
        """What git tracks or would track; every file but build output where git cannot say."""
        listed = subprocess.run(
            # A clone that belongs to another user is still ours to look at.
            ["git", "-c", f"safe.directory={Path(root).resolve()}", "ls-files", "-z", "--cached",
             "--others", "--exclude-standard"],
            cwd=root, capture_output=True, text=True, check=False)
        if listed.returncode == 0:
            names = {name for name in listed.stdout.split("\0") if name}
        else:
            skipped = {".git", "build", "__pycache__"}
            names = {path.relative_to(root).as_posix() for path in Path(root).rglob("*")
                     if not skipped.intersection(path.relative_to(root).parts)}
        return cls(root, [name for name in names if (Path(root) / name).is_file()])

    @lru_cache(maxsize=None)
    def text(self, path):
        return (self.root / path).read_text(encoding="utf-8", errors="replace")

    def lines(self, path):
        return self.text(path).splitlines()

    def below(self, *folders):
        return [path for path in self.paths if path.startswith(folders)]

    @cached_property
    def cpp(self):
        return [path for path in self.paths if path.endswith(CPP_SUFFIXES)]

    @cached_property
    def sources(self):
        """Code: what a person edits and a program reads, scripts without a suffix included."""
        return [path for path in self.paths
                if path.endswith(SOURCE_SUFFIXES) or PurePosixPath(path).name == "CMakeLists.txt"
                or self._is_script(path)]

    @cached_property
    def texts(self):
        return sorted({*self.sources, *(path for path in self.paths
                                        if path.endswith(TEXT_SUFFIXES)
                                        or PurePosixPath(path).name.startswith("."))})

    @cached_property
    def libraries(self):
        return sorted({path.split("/")[1] for path in self.below("libs/") if path.count("/") > 1})

    @cached_property
    def declared_libraries(self):
        """Those with a CMakeLists.txt; a port's contract may be in the tree before its code."""
        return [name for name in self.libraries if f"libs/{name}/CMakeLists.txt" in self.paths]

    def _is_script(self, path):
        if PurePosixPath(path).suffix:
            return False
        with open(self.root / path, "rb") as file:
            return file.read(2) == b"#!"


RULES = {}


def rule(name):
    """Declares `function(tree)`, which yields (path, line, message); its docstring says why."""

    def declare(function):
        assert function.__doc__, f"rule {name} gives no reason"

        def run(tree):
            return [Finding(path, line, name, message) for path, line, message in function(tree)]

        run.__doc__ = function.__doc__
        RULES[name] = run
        return run

    return declare
