# SPDX-License-Identifier: Apache-2.0
"""Many seeds, and what scripts/sim says of one that fails."""

import os
import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
BUILD = os.environ.get("SANDTRAIL_BUILD", str(ROOT / "build" / "release"))
SEEDS = 50_000 if os.environ.get("SANDTRAIL_TORTURE") == "1" else 700


def simulate(*arguments):
    command = [sys.executable, "-B", "test/sim/run_seeds.py", "--build", BUILD]
    return subprocess.run([*command, *arguments], cwd=ROOT, capture_output=True, text=True,
                          check=False, stdin=subprocess.DEVNULL)


def test_many_seeds_are_right():
    done = simulate("--seeds", str(SEEDS), "--first", "1000")
    assert done.returncode == 0, done.stdout[-8000:]
    assert f"seeds {SEEDS}, failed 0" in done.stdout
    # Every kind of fault was there.
    for kind in ("log answers unknown", "log repeats records", "log stalled", "log full",
                 "process killed", "process stopped", "power lost", "clock set by a day",
                 "ownership lost", "machine killed", "network cut", "key store away",
                 "store write failed", "receiver silent", "receiver gone", "client asks"):
        assert re.search(rf"(?m)\b{kind} \d+", done.stdout), kind


def test_a_fault_that_nothing_stands_is_found_shrunk_and_told():
    many = simulate("--seeds", "12", "--first", "1", "--with", "log forgets")
    assert many.returncode == 1, many.stdout
    found = re.search(r"(?m)^still fails: (scripts/sim --one \d+ .*)$", many.stdout)
    assert found, many.stdout
    assert "log forgets" in many.stdout.split("What happened")[1]
    assert "What is wrong:" in many.stdout
    # The last command printed repeats it.
    last = re.findall(r"(?m)^scripts/sim (--one .*)$", many.stdout)[-1]
    arguments = [word.strip("'") for word in re.findall(r"'[^']*'|\S+", last)]
    one = simulate(*arguments, "--trace")
    assert one.returncode == 1, one.stdout
    assert "--without" in last and "What is wrong:" in one.stdout


def test_a_seed_that_is_right_tells_its_story():
    one = simulate("--one", "2", "--trace", "--actions", "5")
    assert one.returncode == 0, one.stdout
    assert "sandtrail.owner.claimed" in one.stdout and "It is right." in one.stdout
