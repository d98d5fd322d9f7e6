#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Runs the benchmarks and prints one table; scripts/bench builds them first.

Every figure stands beside a baseline measured in the same run on the same machine, because a
figure alone says more about the machine than about us.

A measuring program is declared with sandtrail_bench() in CMake and prints JSON lines to stdout:

    {"name": "append 1 KiB, 8 writers", "unit": "records/s", "value": 41000.0,
     "baseline": "RocksDB WriteBatch, sync", "baseline_value": 52000.0}

baseline and baseline_value may both be absent where nothing comparable exists. More keys are kept
in the --json file. Its stderr is passed on.
"""

import argparse
import json
import os
import platform
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path

import over_kafka
import server

PROGRAM_SECONDS_MAX = 900


class BenchError(Exception):
    pass


@dataclass
class Row:
    """One measured figure. `ratio` is ours by the baseline's; None without a baseline."""

    section: str
    name: str
    unit: str
    value: float
    baseline: str = ""
    baseline_value: float | None = None
    more: dict = field(default_factory=dict)

    @property
    def ratio(self):
        if not self.baseline_value:
            return None
        return self.value / self.baseline_value


def run_program(section, program, *arguments):
    """The rows a measuring program prints."""
    if not program.exists():
        raise BenchError(f"{section}: {program} is not built")
    done = subprocess.run([program, *arguments], stdout=subprocess.PIPE, text=True, check=False,
                          stdin=subprocess.DEVNULL, timeout=PROGRAM_SECONDS_MAX)
    if done.returncode != 0:
        raise BenchError(f"{section}: {program.name} failed with {done.returncode}")
    rows = [parse_row(section, line) for line in done.stdout.splitlines() if line.strip()]
    if not rows:
        raise BenchError(f"{section}: {program.name} measured nothing")
    return rows


def parse_row(section, line):
    try:
        known = json.loads(line)
        row = Row(section, known.pop("name"), known.pop("unit"), float(known.pop("value")),
                  known.pop("baseline", ""), known.pop("baseline_value", None), known)
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        raise BenchError(f"{section}: not a row: {line!r} ({error})") from error
    if bool(row.baseline) != (row.baseline_value is not None):
        raise BenchError(f"{section}: baseline and baseline_value go together: {line!r}")
    return row


def measure_log(build):
    """The embedded event log: acknowledged (synced) appends and reads."""
    return run_program("log", build / "bench" / "log_bench")


def measure_codec(build):
    """Records to events and back, beside simdjson and Boost.JSON on the same bytes."""
    return run_program("codec", build / "bench" / "codec_bench")


def measure_replay(build):
    """Folding a log from its beginning by each role, beside a raw loop over RocksDB."""
    return run_program("replay", build / "bench" / "replay_bench")


def measure_visible(build):
    """From append to when another role sees the record, on the embedded log."""
    return run_program("visible", build / "bench" / "visible_bench")


def measure_growth(build):
    """Cost of a record, memory and start after a crash, of a long log beside a short one."""
    return run_program("growth", build / "bench" / "growth_bench")


def measure_launch(build):
    """The jail driver without server and log, beside bare bwrap runs."""
    return run_program("launch", build / "bench" / "launch_bench")


def measure_executions(build):
    """Synchronous executions of /bin/true by HTTP, beside bare bwrap runs of it."""
    return [Row("exec", *figure) for figure in server.executions(build)]


def measure_kafka(build):
    """The event log over Kafka, beside Kafka's own producer and bare librdkafka clients, and
    executions over it, beside the embedded log."""
    return [Row("kafka", *figure) for figure in over_kafka.measure(build)]


def measure_memory(build):
    """What the server's process holds in memory."""
    return [Row("memory", *figure) for figure in server.memory(build)]


# A section is a function from the build folder to rows.
SECTIONS = {"log": measure_log, "codec": measure_codec, "replay": measure_replay,
            "visible": measure_visible, "growth": measure_growth, "launch": measure_launch,
            "exec": measure_executions, "memory": measure_memory, "kafka": measure_kafka}


def shown(number):
    """Three significant digits, thousands apart: 41 000, 12.3, 0.052."""
    if number is None:
        return "-"
    if abs(number) >= 100:
        return f"{number:,.0f}".replace(",", " ")
    return f"{number:.3g}"


def table(rows):
    """The rows as aligned text, one line each below a heading."""
    cells = [("section", "measured", "Sandtrail", "baseline", "ratio", "unit", "baseline is")]
    for row in rows:
        ratio = "-" if row.ratio is None else f"{row.ratio:.2f}"
        cells.append((row.section, row.name, shown(row.value), shown(row.baseline_value), ratio,
                      row.unit, row.baseline or "-"))
    widths = [max(len(line[column]) for line in cells) for column in range(len(cells[0]))]
    numbers = {2, 3, 4}
    return "\n".join(
        "  ".join(cell.rjust(width) if column in numbers else cell.ljust(width)
                  for column, (cell, width) in enumerate(zip(line, widths))).rstrip()
        for line in cells)


def machine():
    """What the figures depend on and the table cannot show."""
    model = next((line.split(":", 1)[1].strip() for line in
                  Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
                  if line.startswith("model name")), platform.machine())
    return {"cpu": model, "cores": os.cpu_count(), "kernel": platform.release(),
            "load_before": os.getloadavg()[0]}


def main(arguments):
    parser = argparse.ArgumentParser(description="Runs the benchmarks and prints one table.")
    parser.add_argument("sections", nargs="*", metavar="SECTION",
                        help=f"of {', '.join(SECTIONS)}; all by default")
    parser.add_argument("--build", type=lambda text: Path(text).resolve(), required=True,
                        help="folder of the release build")
    parser.add_argument("--json", type=Path, metavar="FILE", help="also writes all figures there")
    options = parser.parse_args(arguments)
    unknown = sorted(set(options.sections) - set(SECTIONS))
    if unknown:
        parser.error(f"no section {unknown[0]}; there are: {', '.join(SECTIONS)}")
    host = machine()
    rows = []
    try:
        for name in options.sections or SECTIONS:
            print(f"==> {name}", file=sys.stderr)
            rows += SECTIONS[name](options.build)
    except (BenchError, RuntimeError, subprocess.TimeoutExpired) as error:
        print(f"bench: {error}", file=sys.stderr)
        return 1
    print("{cpu}, {cores} cores, Linux {kernel}, load {load_before:.1f}".format(**host))
    print(table(rows))
    if options.json:
        figures = [{"section": row.section, "name": row.name, "value": row.value, "unit": row.unit,
                    "baseline": row.baseline, "baseline_value": row.baseline_value,
                    "ratio": row.ratio, **row.more} for row in rows]
        options.json.write_text(json.dumps({"machine": host, "figures": figures}, indent=1) + "\n",
                                encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
