# SPDX-License-Identifier: Apache-2.0
"""Runs many seeds of the simulation in several processes and sums them up, for scripts/sim."""

import argparse
import json
import os
import queue
import subprocess
import sys
import threading
import time
from collections import Counter
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PROGRESS_EVERY_S = 2
FAILURES_SHRUNK_MAX = 3


def arguments():
    parser = argparse.ArgumentParser(prog="scripts/sim")
    parser.add_argument("--seeds", type=int, default=1000)
    parser.add_argument("--first", type=int, default=1)
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--one", type=int)
    parser.add_argument("--trace", action="store_true")
    parser.add_argument("--actions", type=int)
    parser.add_argument("--without")
    parser.add_argument("--with", dest="dared")
    parser.add_argument("--build", default=os.environ.get("SANDTRAIL_BUILD", "build/release"))
    return parser.parse_args()


class Sum:
    """What came of all runs so far."""

    def __init__(self):
        self.lock = threading.Lock()
        self.seeds = 0
        self.counts = Counter()
        self.voids = Counter()
        self.troubles = Counter()
        self.failures = []  # (seed, problems)

    def add(self, outcome):
        with self.lock:
            self.seeds += 1
            for name in ("records", "executions", "launches", "deliveries", "actions"):
                self.counts[name] += outcome[name]
            self.voids.update(outcome.get("voids", {}))
            self.troubles.update(outcome.get("troubles", {}))
            if outcome.get("problems"):
                self.failures.append((outcome["seed"], outcome["problems"]))

    def died(self, seed, status):
        with self.lock:
            self.seeds += 1
            self.failures.append((seed, [f"the process died: {status}"]))


def run_some(command, seeds, total):
    """One process for the seeds of a chunk; where it dies, another one goes on behind that."""
    while seeds:
        process = subprocess.Popen(
            [*command, "--first", str(seeds[0]), "--seeds", str(len(seeds)),
             "--step", str(seeds[1] - seeds[0] if len(seeds) > 1 else 1)],
            stdout=subprocess.PIPE, stdin=subprocess.DEVNULL, text=True)
        begun = seeds[0]
        for line in process.stdout:
            said = json.loads(line)
            if "begins" in said:
                begun = said["begins"]
            else:
                total.add(said)
        if process.wait() in (0, 1):
            return
        total.died(begun, process.returncode)
        seeds = [seed for seed in seeds if seed > begun]


CHUNK = 25


def run_all(command, options, total):
    """Seeds are handed out in small chunks, so that all jobs end at about the same time."""
    chunks = queue.SimpleQueue()
    last = options.first + options.seeds
    for first in range(options.first, last, CHUNK):
        chunks.put(list(range(first, min(first + CHUNK, last))))

    def work():
        while True:
            try:
                run_some(command, chunks.get_nowait(), total)
            except queue.Empty:
                return

    threads = [threading.Thread(target=work, daemon=True) for _ in range(options.jobs)]
    for thread in threads:
        thread.start()
    said = time.monotonic()
    for thread in threads:
        while thread.is_alive():
            thread.join(0.1)
            if time.monotonic() - said > PROGRESS_EVERY_S:
                said = time.monotonic()
                print(f"    {total.seeds} of {options.seeds} seeds, {len(total.failures)} failed",
                      file=sys.stderr, flush=True)


def columns(counter, per_line=3):
    """Lines of "name count", the most frequent first."""
    cells = [f"{name} {count}" for name, count in counter.most_common()]
    width = max(map(len, cells), default=0) + 2
    for start in range(0, len(cells), per_line):
        yield "  " + "".join(cell.ljust(width) for cell in cells[start:start + per_line]).rstrip()


def print_table(total, seconds):
    print(f"seeds {total.seeds}, failed {len(total.failures)}, "
          f"{total.seeds / max(seconds, 1e-9):.1f} a second")
    print(", ".join(f"{name} {count}" for name, count in total.counts.items()))
    print("void records, by reason:")
    print("\n".join(columns(total.voids)))
    print("faults and actions, by kind:")
    print("\n".join(columns(total.troubles)))


def main():
    options = arguments()
    command = [str(ROOT / options.build / "test" / "sim_seeds")]
    for name, value in (("--actions", options.actions), ("--without", options.without),
                        ("--with", options.dared)):
        if value is not None:
            command += [name, str(value)]
    if options.one is not None:
        how = "--trace" if options.trace else "--shrink"
        return subprocess.run([*command, "--first", str(options.one), how], check=False).returncode
    total = Sum()
    started = time.monotonic()
    run_all(command, options, total)
    print_table(total, time.monotonic() - started)
    for seed, problems in sorted(total.failures):
        print(f"seed {seed} failed: {problems[0]}")
    for seed, _ in sorted(total.failures)[:FAILURES_SHRUNK_MAX]:
        print(f"\n--- seed {seed} ---", flush=True)
        subprocess.run([*command, "--first", str(seed), "--shrink"], check=False)
    return 1 if total.failures or total.seeds != options.seeds else 0


if __name__ == "__main__":
    sys.exit(main())
