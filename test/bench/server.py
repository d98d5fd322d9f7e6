# SPDX-License-Identifier: Apache-2.0
"""Measures a running server: executions by HTTP beside bare bwrap runs, and resident memory."""

import contextlib
import http.client
import json
import subprocess
import tempfile
import threading
import time
from pathlib import Path

BARE = ["bwrap", "--unshare-all", "--die-with-parent", "--ro-bind", "/", "/", "/bin/true"]
BWRAP = "bwrap --unshare-all"
ROUNDS = 3
RUNS = {1: 150, 4: 300}  # in each round, by clients
SLOTS = 4
START_SECONDS_MAX = 60
ENVIRONMENT = {"SANDTRAIL_BILLING_SIGNUP_CREDITS": "1000000"}


@contextlib.contextmanager
def server(build, log=""):
    """A server in a temporary data directory: (process, dev file). `log`: its section of the
    settings; without it, the embedded log."""
    program = build / "bin" / "sandtrail"
    if not program.exists():
        raise RuntimeError(f"{program} is not built")
    with tempfile.TemporaryDirectory(prefix="sandtrail-bench-") as folder:
        config = Path(folder) / "bench.toml"
        config.write_text(f"[executions]\nslots = {SLOTS}\n{log}", encoding="utf-8")
        data = Path(folder) / "data"
        command = [program, "dev", "--data-dir", data, "--config", config,
                   "--listen", "127.0.0.1:0"]
        env = {"PATH": "/usr/bin:/bin", "SANDTRAIL_SERVER_ADMIN_LISTEN": "off", **ENVIRONMENT}
        with open(Path(folder) / "log", "wb") as said:
            process = subprocess.Popen(command, stdout=said, stderr=said, env=env,
                                       stdin=subprocess.DEVNULL)
        try:
            deadline = time.monotonic() + START_SECONDS_MAX
            while not (data / "dev.json").exists():
                if process.poll() is not None or time.monotonic() > deadline:
                    raise RuntimeError((Path(folder) / "log").read_text(encoding="utf-8"))
                time.sleep(0.05)
            yield process, json.loads((data / "dev.json").read_text(encoding="utf-8"))
        finally:
            process.terminate()
            process.wait(timeout=30)


class Client:
    """One kept connection that runs /bin/true and waits for the result."""

    def __init__(self, dev):
        self.connection = http.client.HTTPConnection(dev["url"].removeprefix("http://"))
        self.headers = {"Authorization": f"Bearer {dev['api_key']}", "Prefer": "wait=30",
                        "Content-Type": "application/json"}

    def run(self):
        """Milliseconds for one execution."""
        started = time.perf_counter()
        self.connection.request("POST", "/v1/executions", '{"command": ["/bin/true"]}',
                                self.headers)
        answer = self.connection.getresponse()
        body = answer.read()
        took = (time.perf_counter() - started) * 1000
        if answer.status != 200 or json.loads(body)["verdict"] != "ok":
            raise RuntimeError(f"{answer.status}: {body[:500]}")
        return took


def bare_run():
    started = time.perf_counter()
    subprocess.run(BARE, check=True, stdin=subprocess.DEVNULL)
    return (time.perf_counter() - started) * 1000


def in_parallel(workers, total):
    """Runs each worker total/len(workers) times; (all milliseconds, runs a second)."""
    took, threads = [], []

    def loop(worker):
        for _ in range(total // len(workers)):
            took.append(worker())

    started = time.perf_counter()
    for worker in workers:
        threads.append(threading.Thread(target=loop, args=(worker,)))
        threads[-1].start()
    for thread in threads:
        thread.join()
    return took, len(took) / (time.perf_counter() - started)


def quantile(values, share):
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(len(ordered) * share))]


def median(values):
    return quantile(values, 0.5)


def in_turns(ways, clients, runs):
    """{name: [(milliseconds, runs a second) of each round]} of {name: function that makes what one
    client runs}, taken in turn."""
    workers = {name: [make() for _ in range(clients)] for name, make in ways.items()}
    for name in ways:
        in_parallel(workers[name], clients * 5)
    told = {name: [] for name in ways}
    for _ in range(ROUNDS):
        for name, turns in told.items():
            turns.append(in_parallel(workers[name], runs))
    return told


def summary(turns):
    """{figure: (unit, median of the rounds)}"""
    return {"p50": ("ms", median([quantile(took, 0.5) for took, _ in turns])),
            "p99": ("ms", median([quantile(took, 0.99) for took, _ in turns])),
            "rate": ("runs/s", median([rate for _, rate in turns]))}


def compared(ways, pairs):
    """For each of `pairs`, (label, ours, baseline) by names of `ways`, at each number of clients:
    (name, unit, ours, baseline's name, its value)."""
    figures = []
    for clients, runs in RUNS.items():
        told = {name: summary(turns) for name, turns in in_turns(ways, clients, runs).items()}
        for label, ours, baseline in pairs:
            for figure, (unit, value) in told[ours].items():
                name = f"{label}, {clients} client{'s' if clients > 1 else ''}, {figure}"
                figures.append((name, unit, value, baseline, told[baseline][figure][1]))
    return figures


def executions(build):
    """Figures as (name, unit, ours, baseline's name, its value)."""
    with server(build) as (_, dev):
        return compared({"ours": lambda: Client(dev).run, BWRAP: lambda: bare_run},
                        [("/bin/true by HTTP", "ours", BWRAP)])


def resident_mib(pid):
    status = Path(f"/proc/{pid}/status").read_text(encoding="utf-8")
    line = next(line for line in status.splitlines() if line.startswith("VmRSS"))
    return int(line.split()[1]) / 1024


def memory(build):
    """Figures as (name, unit, ours): the server's own process, without its sandboxes."""
    with server(build) as (process, dev):
        time.sleep(1)
        idle = resident_mib(process.pid)
        most = idle
        done = threading.Event()
        clients = [Client(dev).run for _ in range(16)]
        load = threading.Thread(target=lambda: (in_parallel(clients, 1600), done.set()))
        load.start()
        while not done.wait(0.1):
            most = max(most, resident_mib(process.pid))
        load.join()
    return [("resident memory, idle", "MiB", idle),
            ("resident memory, most in 1600 runs by 16 clients", "MiB", most)]
