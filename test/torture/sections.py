# SPDX-License-Identifier: Apache-2.0
"""What scripts/torture runs: each section is a list of test programs, suites and scripts, with the
time it may take and the numbers that its faults must reach."""

import os
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
MINUTE = 60
HOUR = 60 * MINUTE
SEEDS = 50_000
SEEDS_QUICK = 300


@dataclass
class Cases:
    """Test cases of one program in C++: those of a source file or with a name, else all."""

    program: str
    what: str
    sources: str = ""
    names: str = ""

    def command(self, build, _quick, _junit):
        words = [str(build / "test" / self.program)]
        if self.sources:
            words.append(f"--source-file=*{self.sources}")
        if self.names:
            words.append(f"--test-case={self.names}")
        return words


@dataclass
class Suite:
    """Files of one suite in Python."""

    files: list
    what: str
    over_kafka: bool = False

    def command(self, _build, _quick, junit):
        folder = f"test/{self.files[0].split('/')[0]}"
        words = [sys.executable, "-B", "-m", "pytest", "-q", "-p", "no:cacheprovider",
                 f"--rootdir={folder}", f"--junitxml={junit}"]
        if self.over_kafka:
            words.append("--log=kafka")
        return words + [f"test/{file}" for file in self.files]


@dataclass
class Seeds:
    """Simulated installations."""

    what: str

    def command(self, build, quick, _junit):
        return [sys.executable, "-B", "test/sim/run_seeds.py", "--build", str(build), "--seeds",
                str(SEEDS_QUICK if quick else SEEDS), "--jobs", str(os.cpu_count())]


class Kafka:
    """A broker for the tests in C++ that want one: `with` gives what they find it by."""

    def __init__(self, name, output):
        self._name = f"torture-{name}-{os.getpid()}"
        self._output = output

    def __enter__(self):
        self._run("start", "--port", "0", "--owner", str(os.getpid()))
        address = self._run("start")
        folder = ROOT / "build" / "kafka" / self._name / "1"
        pid = (folder / "pid").read_text(encoding="ascii").split()[0]
        return {"SANDTRAIL_TEST_KAFKA": address, "SANDTRAIL_TEST_KAFKA_PID": pid,
                "SANDTRAIL_TEST_KAFKA_DATA": str(folder / "data")}

    def __exit__(self, *exception):
        self._run("stop", "--purge")

    def _run(self, verb, *more):
        done = subprocess.run(["scripts/kafka", verb, "--name", self._name, *more], cwd=ROOT,
                              stdout=subprocess.PIPE, stderr=self._output, text=True, check=True,
                              stdin=subprocess.DEVNULL)
        return done.stdout.strip()


@dataclass
class Section:
    what: str
    steps: list
    full_seconds_max: int
    quick_seconds_max: int = 10 * MINUTE
    kafka: bool = False
    in_memory: bool = False  # many small logs, of which no sync is waited for
    # {what faults begin with: tries that the full numbers ask for}
    at_least: dict = field(default_factory=dict)


LOG = "contract_log_embedded"
SECTIONS = {
    "kills": Section("kill -9 of the embedded log, a projection and the stores", [
        Cases(LOG, "kills of the log", sources="embedded_kill_test.cc"),
        Cases("contract_store", "kills of stores", sources="/kill_test.cc"),
        Suite(["history/test_embedded_kills.py"], "kills under many clients"),
    ], HOUR, at_least={"kill -9 of an embedded log": 1000, "kill -9 of a": 1500,
                       "kill -9 of clients": 300}),
    "damage": Section("every length of the write-ahead log, bytes flipped, files removed", [
        Cases(LOG, "damage", sources="embedded_damage_test.cc"),
        Cases(LOG, "the window", sources="embedded_window_test.cc"),
    ], 4 * HOUR, in_memory=True, at_least={"bytes flipped": 10_000, "cuts of a 64 KiB": 64 * 1024,
                           "cuts of a 6 MiB": 10_000}),
    "power": Section("power lost at every call of the disk", [
        Cases(LOG, "power, log", sources="embedded_power_test.cc", names="*power*"),
        Cases("contract_store", "power, stores", sources="/power_test.cc"),
    ], 2 * HOUR, in_memory=True),
    "disk": Section("calls of the disk that fail, full disks, failed syncs", [
        Cases(LOG, "failing disks", sources="embedded_power_test.cc", names="a disk that fails*"),
        Cases(LOG, "failed writes", sources="embedded_fault_test.cc"),
        Cases("contract_store", "failed syncs of stores", sources="/sync_test.cc"),
        Cases("contract_store", "damaged and full stores", sources="/rocksdb_test.cc"),
        Suite(["e2e/test_disk_full.py"], "a full disk below the server"),
    ], 2 * HOUR),
    "process": Section("the single process killed under load", [
        Suite(["e2e/test_kill_at_speed.py"], "kills at full speed"),
        Suite(["e2e/test_kill.py"], "kills while all roles work"),
    ], 2 * HOUR, at_least={"kill -9 of the single process": 100}),
    "loss": Section("lost records and the operator's verb, killed too", [
        Suite(["e2e/test_log_loss.py"], "accepted losses"),
    ], HOUR, at_least={"kill -9 of log accept-loss": 100}),
    "runtime": Section("a consumer far behind, clocks set by a day, records from nowhere", [
        Cases("unit_runtime", "a slow consumer", sources="slow_reader_test.cc"),
        Cases("unit_runtime", "clocks set by a day", sources="clock_test.cc"),
        Cases("unit_runtime", "deaths at each write of the store", sources="commit_test.cc"),
        Cases("unit_runtime", "stores and logs that do not fit", sources="fold_test.cc"),
        Cases("unit_runtime", "owners that were replaced", sources="ownership_test.cc"),
        Cases("unit_runtime", "upgrades back and forth", sources="versions_test.cc"),
        Cases("simulation", "duplicates, late and fenced records", sources="injected_test.cc"),
        Cases("simulation", "deaths in whole installations", sources="scenarios_test.cc"),
    ], HOUR),
    "checker": Section("logs broken on purpose: the history checker finds them", [
        Cases("history_checker", "the history checker"),
    ], HOUR),
    "brokers": Section("three brokers: killed, paused, all away, leaders moved, answers lost", [
        Suite(["history/test_kafka_faults.py", "history/test_cut_connections.py"], "brokers"),
    ], 2 * HOUR, at_least={"broker of three killed": 9, "broker of three stands still": 9,
                           "all three brokers stand still for 60 s": 1, "leaders of all": 3,
                           "connection cut": 50}),
    "broker": Section("one broker: hangs, refuses, takes no large record; fatal producer errors", [
        Cases("unit_kafka", "producer errors and refusals"),
        Cases("contract_kafka", "a broker that hangs, topics that are wrong"),
        Cases("contract_log_kafka", "the port's promises, over Kafka"),
    ], HOUR, kafka=True),
    "storm": Section("joins and leaves while all append", [
        Cases("contract_kafka_storm", "a storm of joins and leaves"),
    ], HOUR, kafka=True, at_least={"a member joins": 200, "a process with a role joins": 200}),
    "cluster": Section("processes and hosts killed and stopped, rights taken away, over Kafka", [
        Suite(["e2e/test_pairs.py", "e2e/test_processes.py", "e2e/test_hosts.py",
               "e2e/test_secure_cluster.py"], "processes over Kafka", over_kafka=True),
    ], HOUR, quick_seconds_max=20 * MINUTE),
    "copy": Section("a long log copied to Kafka, although the copy is killed", [
        Suite(["e2e/test_log_copy.py"], "copies", over_kafka=True),
    ], 2 * HOUR),
    "sim": Section("whole installations by seed, among faults of every kind", [
        Seeds("seeds"),
    ], 6 * HOUR, at_least={"simulated installations": SEEDS}),
}
