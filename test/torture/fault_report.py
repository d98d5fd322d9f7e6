# SPDX-License-Identifier: Apache-2.0
"""What a test has tried and what came of it, for the table of scripts/torture: one line of JSON for
each fault, appended to the file that SANDTRAIL_TORTURE_REPORT names; nothing without it.

    {"fault": "kill -9 …", "tries": 1000, "outcomes": {"prefix intact": 1000},
     "notes": {"acknowledged": 56120}, "ms": 91000}

Each try has one outcome, so these add up; notes are what else was counted. fault_report.h beside
this is the same for C++."""

import json
import os
import time
from collections import Counter


def is_torture():
    """Whether the full numbers are wanted: SANDTRAIL_TORTURE=1."""
    return os.environ.get("SANDTRAIL_TORTURE") == "1"


class FaultReport:
    """Written at the end of its `with`, also when the test fails on the way: the fault whose
    outcome was not counted is missing in the sum then."""

    def __init__(self, fault):
        self.fault = fault
        self._tries = 0
        self._outcomes = Counter()
        self._notes = Counter()
        self._began = time.monotonic()

    def __enter__(self):
        return self

    def __exit__(self, *exception):
        self.write()

    def tried(self, times=1):
        self._tries += times

    def came(self, outcome, times=1):
        """Of what was tried, so many came out so."""
        self._outcomes[outcome] += times

    def noted(self, what, count):
        """What else was counted meanwhile."""
        self._notes[what] += count

    def write(self):
        path = os.environ.get("SANDTRAIL_TORTURE_REPORT")
        if not path:
            return
        line = json.dumps({"fault": self.fault, "tries": self._tries, "outcomes": self._outcomes,
                           "notes": self._notes,
                           "ms": round((time.monotonic() - self._began) * 1000)})
        with open(path, "a", encoding="utf-8") as file:
            file.write(line + "\n")
