# SPDX-License-Identifier: Apache-2.0
"""One `sandtrail host` as a child process: start, stop, stand still, kill."""

import contextlib
import json
import os
import signal
from pathlib import Path

from processes import Process


class Host(Process):
    """Owns the process, not the directory."""

    stop_seconds_max = 40  # it lets what runs end, and has results applied

    def __init__(self, directory, launchers, slots=2):
        super().__init__(directory, "host", [])
        self.data_dir = self.directory / "data"
        self.launchers = launchers
        self.slots = slots
        self.directory.mkdir(parents=True, exist_ok=True)

    def start(self, environment=None):
        """Returns when it is ready."""
        self.arguments = ["host", "--join", ",".join(self.launchers),
                          "--data-dir", str(self.data_dir), "--slots", str(self.slots),
                          "--admin-listen", "off", "--listen", "127.0.0.1:0"]
        super().start({"SANDTRAIL_LOGGING_FORMAT": "json"} | (environment or {}))
        self.wait_ready()
        return self

    def ask_to_stop(self):
        if self.process is not None:
            self.go_on()
        super().ask_to_stop()

    def stand_still(self):
        self.process.send_signal(signal.SIGSTOP)

    def go_on(self):
        self.process.send_signal(signal.SIGCONT)

    # --- what it said ---

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
