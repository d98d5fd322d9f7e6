#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Style as a test: checks the rules that a compiler does not.

    test/tidy/tidy.py            prints "file:line: rule: message" of each breach, exits 1 if any
    test/tidy/tidy.py --rules    prints each rule and its reason

Exceptions stand in test/tidy/allowed.txt, one a line: rule, path, reason. One that no longer
excuses anything is a breach itself.
"""

import sys
from pathlib import Path

import rules_docs  # noqa: F401  declares rules
import rules_layers  # noqa: F401
import rules_text  # noqa: F401
import rules_tree  # noqa: F401
from tree import RULES, Finding, Tree

ALLOWED = "test/tidy/allowed.txt"


def check(tree):
    """All breaches in the tree, sorted."""
    findings = [finding for run in RULES.values() for finding in run(tree)]
    allowed, broken = _read_allowed(tree)
    kept = [finding for finding in findings if (finding.rule, finding.path) not in allowed]
    used = {(finding.rule, finding.path) for finding in findings}
    stale = [Finding(ALLOWED, line, "stale-exception", f"{rule} holds for {path} without it")
             for (rule, path), line in allowed.items() if (rule, path) not in used]
    return sorted(kept + stale + broken)


def _read_allowed(tree):
    """{(rule, path): line}, and the findings for lines that are not an exception."""
    allowed, broken = {}, []
    if ALLOWED not in tree.paths:
        return allowed, broken
    for number, line in enumerate(tree.lines(ALLOWED), 1):
        if not line.strip() or line.startswith("#"):
            continue
        words = line.split(maxsplit=2)
        if len(words) < 3 or words[0] not in RULES:
            broken.append(Finding(ALLOWED, number, "bad-exception",
                                  "write: rule, path, reason (rules: --rules)"))
        else:
            allowed[(words[0], words[1])] = number
    return allowed, broken


def main(arguments):
    if arguments == ["--rules"]:
        for name, run in RULES.items():
            print(f"{name}: {' '.join(run.__doc__.split())}")
        return 0
    if arguments:
        print(__doc__, file=sys.stderr)
        return 2
    tree = Tree.of(Path(__file__).resolve().parents[2])
    findings = check(tree)
    for finding in findings:
        print(finding)
    print(f"{len(findings)} breaches of {len(RULES)} rules in {len(tree.paths)} files",
          file=sys.stderr)
    return 1 if findings else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
