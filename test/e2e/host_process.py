# SPDX-License-Identifier: Apache-2.0
"""One `sandtrail host` as a child process: start, stop, stand still, kill."""

import contextlib
import json
import os
import signal
import subprocess
from pathlib import Path

from sandtrail_server import program, wait_until

READY_SECONDS_MAX = 60
STOP_SECONDS_MAX = 40  # it lets what runs end, and has results applied


class Host:
    """Owns the process, not the directory."""

    def __init__(self, directory, launchers, slots=2):
        self.directory = Path(directory)
        self.data_dir = self.directory / "data"
        self.launchers = launchers
        self.slots = slots
        self.process = None
        self.directory.mkdir(parents=True, exist_ok=True)

    def start(self):
        assert self.process is None, "it runs already"
        environment = {name: value for name, value in os.environ.items()
                       if not name.startswith("SANDTRAIL_")}
        environment["SANDTRAIL_LOGGING_FORMAT"] = "json"
        out = self.directory / "stdout.log"
        with open(self.log, "ab") as err, open(out, "wb") as said:
            self.process = subprocess.Popen(
                [str(program()), "host", "--join", ",".join(self.launchers),
                 "--data-dir", str(self.data_dir), "--slots", str(self.slots),
                 "--admin-listen", "off", "--listen", "127.0.0.1:0"],
                cwd=self.directory, stdin=subprocess.DEVNULL, stdout=said, stderr=err,
                env=environment, start_new_session=True)

        def ready():
            assert self.process.poll() is None, self.log.read_text(encoding="utf-8")[-2000:]
            return b"is ready." in out.read_bytes()

        wait_until(ready, READY_SECONDS_MAX, "readiness of a host")
        return self

    def stop(self):
        """SIGTERM, and the exit code."""
        if self.process is None:
            return None
        self.process.send_signal(signal.SIGCONT)
        self.process.send_signal(signal.SIGTERM)
        code = self.process.wait(STOP_SECONDS_MAX)
        self.process = None
        return code

    def kill(self):
        if self.process is None:
            return
        with contextlib.suppress(ProcessLookupError):
            self.process.send_signal(signal.SIGKILL)
        self.process.wait()
        self.process = None

    def stand_still(self):
        self.process.send_signal(signal.SIGSTOP)

    def go_on(self):
        self.process.send_signal(signal.SIGCONT)

    # --- what it said ---

    @property
    def log(self):
        return self.directory / "stderr.log"

    def lines(self, message):
        """The fields of its log lines with that message, over all its starts."""
        found = []
        for line in self.log.read_text(encoding="utf-8", errors="replace").splitlines():
            with contextlib.suppress(ValueError):
                fields = json.loads(line)
                if fields.get("msg") == message:
                    found.append(fields)
        return found

    def launches(self):
        """(execution, attempt) of each sandbox it launched."""
        return [(line["execution"], line["attempt"]) for line in self.lines("launched")]

    def running(self):
        """Processes in its sandboxes now."""
        path = self.data_dir / "host.json"
        if not path.exists():
            return 0
        instance = "sandtrail-" + json.loads(path.read_text(encoding="utf-8"))["id"][-10:]
        count = 0
        for entry in os.scandir("/proc"):
            if not entry.name.isdigit():
                continue
            with contextlib.suppress(OSError):
                cgroups = Path(f"/proc/{entry.name}/cgroup").read_text(encoding="ascii")
                count += f"/{instance}/" in cgroups
        return count
