# SPDX-License-Identifier: Apache-2.0
"""One process of the program as a child: start, wait until it says that it is ready, stop, kill."""

import contextlib
import os
import signal
import socket
import subprocess
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
READY_SECONDS_MAX = 60
STOP_SECONDS_MAX = 30
POLL_SECONDS = 0.02


def build_folder():
    return Path(os.environ.get("SANDTRAIL_BUILD") or ROOT / "build/release")


def program():
    return build_folder() / "bin/sandtrail"


def wait_until(condition, seconds=30.0, what="the condition"):
    """The first true value of condition(), asked again and again; fails after `seconds`."""
    deadline = time.monotonic() + seconds
    while not (value := condition()):
        if time.monotonic() > deadline:
            raise AssertionError(f"{what} did not come about within {seconds} s")
        time.sleep(POLL_SECONDS)
    return value


def free_port():
    """One of loopback that nobody listens on just now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class NotStarted(Exception):
    """The program ended before it was ready; the text is the end of what it said."""


class Process:
    """A verb that serves. What it says on standard error, over all starts, is in NAME.log."""

    stop_seconds_max = STOP_SECONDS_MAX

    def __init__(self, directory, name, arguments):
        self.directory = Path(directory)
        self.name = name
        self.arguments = list(map(str, arguments))
        self.process = None
        self._starts = 0

    def start(self, environment=None):
        assert self.process is None, f"{self.name} runs already"
        self._starts += 1
        # At most one key of the caller's environment may leak in: none of ours.
        own = {name: value for name, value in os.environ.items()
               if not name.startswith("SANDTRAIL_")}
        with open(self.log, "ab") as err, open(self._stdout, "wb") as out:
            self.process = subprocess.Popen(
                [str(program()), *self.arguments], cwd=self.directory, stdin=subprocess.DEVNULL,
                stdout=out, stderr=err, env=own | (environment or {}), start_new_session=True)
        return self

    def wait_ready(self):
        def ready():
            if b" is ready." in self._stdout.read_bytes():
                return True
            if self.process.poll() is not None:
                code = self.process.returncode
                self.process = None
                raise NotStarted(f"exit code {code}: {self.log_tail(2000)}")
            return False

        wait_until(ready, READY_SECONDS_MAX, f"readiness of {self.name}")

    def signal(self, number):
        self.process.send_signal(number)

    def stop(self):
        """SIGTERM, and the exit code; None if it does not run."""
        if self.process is None:
            return None
        self.ask_to_stop()
        return self.wait_stopped()

    def ask_to_stop(self):
        if self.process is not None:
            self.process.send_signal(signal.SIGTERM)

    def wait_stopped(self):
        if self.process is None:
            return None
        try:
            code = self.process.wait(self.stop_seconds_max)
        except subprocess.TimeoutExpired:
            self.kill()
            raise AssertionError(
                f"{self.name} did not stop within {self.stop_seconds_max} s") from None
        self.process = None
        return code

    def kill(self):
        """SIGKILL: nothing of it gets to run again."""
        if self.process is None:
            return
        with contextlib.suppress(ProcessLookupError):
            self.process.send_signal(signal.SIGKILL)
        self.process.wait()
        self.process = None

    @property
    def log(self):
        return self.directory / f"{self.name}.log"

    @property
    def _stdout(self):
        return self.directory / f"{self.name}-{self._starts}.out"

    @property
    def said(self):
        """What it printed at its last start."""
        return self._stdout.read_text(encoding="utf-8")

    def log_tail(self, chars=4000):
        if not self.log.exists():
            return ""
        return self.log.read_text(encoding="utf-8", errors="replace")[-chars:]

    def said_url(self, word):
        """The URL behind `word` in what it printed; "" if there is none."""
        for line in self.said.splitlines():
            words = line.split()
            if len(words) == 2 and words[0] == word:
                return words[1]
        return ""

    @property
    def admin_url(self):
        return self.said_url("health").removesuffix("/readyz")

    @property
    def pid(self):
        return self.process.pid

    def status_field(self, name):
        """Of /proc/PID/status, as a number."""
        for line in Path(f"/proc/{self.pid}/status").read_text(encoding="ascii").splitlines():
            if line.startswith(name + ":"):
                return int(line.split()[1])
        raise KeyError(name)
