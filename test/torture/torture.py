# SPDX-License-Identifier: Apache-2.0
"""Runs the tests of faults, section by section, and sums up what they report (fault_report.py), for
scripts/torture."""

import argparse
import contextlib
import json
import os
import re
import shlex
import signal
import subprocess
import sys
import time
import xml.etree.ElementTree as ElementTree
from dataclasses import dataclass, field
from pathlib import Path

from sections import SECTIONS, Kafka

ROOT = Path(__file__).resolve().parents[2]
LOGS = ROOT / "build" / "logs"
PROGRESS_EVERY_S = 30
STOP_SECONDS_MAX = 60
MEMORY = Path("/dev/shm")
TAIL_LINES = 40
DOCTEST = re.compile(r"\[doctest\] test cases:\s+(\d+) \|\s+(\d+) passed \|\s+(\d+) failed")


@dataclass
class Row:
    """One line of the table."""

    section: str
    fault: str
    tries: int
    outcomes: dict
    notes: dict = field(default_factory=dict)
    seconds: float = 0.0

    @property
    def unaccounted(self):
        """Tries of which nobody said what came of them."""
        return self.tries - sum(self.outcomes.values())


@dataclass
class Result:
    """What came of a section."""

    rows: list
    problems: list


class Torture:
    def __init__(self, build, quick):
        self.build = build
        self.quick = quick

    def run(self, name):
        section = SECTIONS[name]
        limit = section.quick_seconds_max if self.quick else section.full_seconds_max
        rows, problems = [], []
        ends = time.monotonic() + limit
        log = LOGS / f"torture-{name}.log"
        with open(log, "wb") as output, contextlib.ExitStack() as stack:
            environment = self._environment(section)
            if section.kafka:
                try:
                    environment |= stack.enter_context(Kafka(name, output))
                except (OSError, subprocess.CalledProcessError) as error:
                    return Result([], [f"no broker: {error}"])
            for index, step in enumerate(section.steps):
                report = LOGS / f"torture-{name}-{index}.jsonl"
                report.unlink(missing_ok=True)
                junit = report.with_suffix(".xml")
                junit.unlink(missing_ok=True)
                environment["SANDTRAIL_TORTURE_REPORT"] = str(report)
                command = step.command(self.build, self.quick, junit)
                output.write(f"\n$ {shlex.join(command)}\n".encode())
                output.flush()
                began = time.monotonic()
                status = run_one(command, environment, output, log, ends)
                if status != 0:
                    problems.append(f"{step.what}: {status}")
                found, wrong = rows_of(name, report)
                problems += wrong
                rows += found or counted(name, step, log, junit, time.monotonic() - began,
                                         problems)
        if not self.quick:
            problems += too_few(section, rows)
        problems += [f"{row.fault}: of {row.unaccounted} of {row.tries} nobody says what came"
                     for row in rows if row.unaccounted]
        return Result(rows, problems)

    def _environment(self, section):
        environment = dict(os.environ, SANDTRAIL_BUILD=str(self.build))
        environment.pop("SANDTRAIL_TORTURE", None)
        if not self.quick:
            environment["SANDTRAIL_TORTURE"] = "1"
        if section.in_memory and os.access(MEMORY, os.W_OK):
            environment["TMPDIR"] = str(MEMORY)
        return environment


def run_one(command, environment, output, log, ends):
    """0, or in words what became of the process."""
    try:
        process = subprocess.Popen(command, stdout=output, stderr=subprocess.STDOUT, cwd=ROOT,
                                   stdin=subprocess.DEVNULL, env=environment,
                                   start_new_session=True)
    except OSError as error:
        return f"cannot be started: {error.strerror}"
    said = time.monotonic()
    try:
        while True:
            try:
                status = process.wait(1)
                return status and f"ended with {status}"
            except subprocess.TimeoutExpired:
                now = time.monotonic()
            if now > ends:
                return "took longer than its section may"
            if now - said > PROGRESS_EVERY_S:
                said = now
                print(f"    {last_line(log)}", file=sys.stderr, flush=True)
    finally:
        stop(process)


def stop(process):
    """Ends it if it runs: first so that it can clear away what it started."""
    if process.poll() is not None:
        return
    process.send_signal(signal.SIGINT)
    try:
        process.wait(STOP_SECONDS_MAX)
    except subprocess.TimeoutExpired:
        pass
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def last_line(log):
    with open(log, "rb") as file:
        file.seek(max(0, log.stat().st_size - 4096))
        lines = file.read().decode("utf-8", "replace").splitlines()
    return next((line.strip() for line in reversed(lines) if line.strip()), "")[:100]


def rows_of(section, report):
    """(rows, problems) of what the tests of a step wrote."""
    rows, problems = {}, []
    for line in report.read_text(encoding="utf-8").splitlines() if report.exists() else []:
        try:
            said = json.loads(line)
            row = Row(section, said["fault"], int(said["tries"]), dict(said["outcomes"]),
                      dict(said["notes"]), said["ms"] / 1000)
        except (ValueError, KeyError, TypeError):
            problems.append(f"not a report: {line[:80]}")
            continue
        if row.fault in rows:  # a test that is run with several parameters
            add(rows[row.fault], row)
        else:
            rows[row.fault] = row
    return list(rows.values()), problems


def add(to, row):
    to.tries += row.tries
    to.seconds += row.seconds
    for mine, others in ((to.outcomes, row.outcomes), (to.notes, row.notes)):
        for name, count in others.items():
            mine[name] = mine.get(name, 0) + count


def counted(section, step, log, junit, seconds, problems):
    """A row for a step whose tests only pass or fail."""
    text = log.read_text(encoding="utf-8", errors="replace").rpartition("\n$ ")[2]
    found = DOCTEST.findall(text)
    tests, _, failed = map(int, found[-1]) if found else (0, 0, 0)
    # A suite that was cut off has written half of it, or none.
    with contextlib.suppress(OSError, ElementTree.ParseError):
        cases = [case for case in ElementTree.parse(junit).getroot().iter("testcase")
                 if case.find("skipped") is None]
        failed = sum(any(part.tag in ("failure", "error") for part in case) for case in cases)
        tests = len(cases)
    if tests == 0:
        problems.append(f"{step.what}: no test was run")
        return []
    outcomes = {"passed": tests - failed} | ({"failed": failed} if failed else {})
    return [Row(section, f"{step.what} (tests)", tests, outcomes, {}, seconds)]


def too_few(section, rows):
    """The full numbers are those that the section asks for, by what its faults begin with."""
    for begin, least in section.at_least.items():
        tries = sum(row.tries for row in rows if row.fault.startswith(begin))
        if tries < least:
            yield f"{begin}: {tries} tries instead of {least}"


# --- the table ---

def elapsed(seconds):
    if seconds == 0:
        return "-"  # counted within another fault
    return f"{seconds:.1f}s" if seconds < 60 else f"{int(seconds) // 60}m {int(seconds) % 60:02d}s"


def number(count):
    return f"{count:,}".replace(",", " ")


def came_of(row):
    out = ", ".join(f"{number(count)} {name}" for name, count in row.outcomes.items() if count)
    notes = ", ".join(f"{name} {number(count)}" for name, count in row.notes.items())
    return out + (f" ({notes})" if notes else "")


def table(rows):
    lines = [("section", "fault", "tries", "time", "what came of it")]
    lines += [(row.section, row.fault, number(row.tries), elapsed(row.seconds), came_of(row))
              for row in rows]
    widths = [max(len(line[column]) for line in lines) for column in range(4)]
    return "\n".join("  ".join(
        [line[0].ljust(widths[0]), line[1].ljust(widths[1]), line[2].rjust(widths[2]),
         line[3].rjust(widths[3]), line[4]]).rstrip() for line in lines)


def parse(arguments):
    parser = argparse.ArgumentParser(prog="scripts/torture")
    parser.add_argument("--only", nargs="+", metavar="NAME", default=list(SECTIONS),
                        help=f"of {', '.join(SECTIONS)}")
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--build", type=lambda text: Path(text).resolve(),
                        default=ROOT / "build" / "release")
    options = parser.parse_args(arguments)
    unknown = [name for name in options.only if name not in SECTIONS]
    if unknown:
        parser.error(f"no section {unknown[0]}; there are: {', '.join(SECTIONS)}")
    return options


def main(arguments):
    options = parse(arguments)
    LOGS.mkdir(parents=True, exist_ok=True)
    torture = Torture(options.build, options.quick)
    rows, broken = [], []
    for name in options.only:
        began = time.monotonic()
        again = f"scripts/torture --only {name}{' --quick' if options.quick else ''}"
        print(f"==> {name}: {SECTIONS[name].what}  [{again}]", file=sys.stderr, flush=True)
        result = torture.run(name)
        rows += result.rows
        took = elapsed(time.monotonic() - began)
        if not result.problems:
            print(f"    held, {took}", file=sys.stderr, flush=True)
            continue
        broken.append(name)
        tail = (LOGS / f"torture-{name}.log").read_text(encoding="utf-8", errors="replace")
        print("\n".join(tail.splitlines()[-TAIL_LINES:]), file=sys.stderr)
        for problem in result.problems:
            print(f"    {problem}", file=sys.stderr)
        print(f"    did not hold, {took}; all of it: build/logs/torture-{name}.log\n"
              f"    repeat: {again}", file=sys.stderr, flush=True)
    print(table(rows))
    kind = "quick" if options.quick else "full"
    print(f"\n{len(options.only)} sections ({kind} numbers), {len(rows)} faults, "
          f"{number(sum(row.tries for row in rows))} tries: "
          + (f"did not hold: {', '.join(broken)}" if broken else "all held"))
    return 1 if broken else 0


if __name__ == "__main__":
    # A shell starts what runs in the background with SIGINT ignored, and children would inherit it:
    # but it is how a suite is told to clear away what it has started.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    sys.exit(main(sys.argv[1:]))
