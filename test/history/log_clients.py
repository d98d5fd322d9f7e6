# SPDX-License-Identifier: Apache-2.0
"""The programs log_clients and history_check as children."""

import json
import signal
import subprocess
import uuid

from processes import build_folder, wait_until

END_SECONDS_MAX = 600


class LogClients:
    """One process of clients, which may be killed and started again. Options as log_clients has
    them, with "_" for "-"."""

    def __init__(self, history, name, log, **options):
        self.history = history
        self.name = name
        self._arguments = [build_folder() / "test/log_clients", "--log", log, "--history", history,
                           "--process", name]
        for option, value in options.items():
            self._arguments += ["--" + option.replace("_", "-"), str(value)]
        self.process = None

    def start(self):
        history_log = self.history.parent / f"{self.name}.log"
        with open(history_log, "ab") as log:
            self.process = subprocess.Popen(list(map(str, self._arguments)), stdout=log, stderr=log,
                                            stdin=subprocess.DEVNULL)
        return self

    def kill(self):
        if self.process is not None:
            self.process.send_signal(signal.SIGKILL)
            self.process.wait()
            self.process = None

    def restart(self):
        self.kill()
        return self.start()

    def stop(self):
        """Lets it read to the end."""
        self.process.send_signal(signal.SIGTERM)
        self.wait()

    def wait(self):
        code = self.process.wait(END_SECONDS_MAX)
        self.process = None
        assert code == 0, f"log_clients {self.name} ended with {code}"

    def acknowledged(self):
        """How many appends of all its runs are written down as acknowledged."""
        return sum(path.read_bytes().count(b'"outcome":"ok","position"')
                   for path in self.history.glob(f"{self.name}.*.jsonl"))

    def wait_progress(self, count=30, seconds=60):
        """Until so many more are acknowledged."""
        enough = self.acknowledged() + count
        wait_until(lambda: self.acknowledged() >= enough, seconds, f"progress of {self.name}")


def read_all(history, log, **options):
    """A last process that reads everything: what was acknowledged and nobody sees is lost."""
    LogClients(history, f"end{uuid.uuid4().hex[:6]}", log, appenders=0, seconds=0, back="all",
               **options).start().wait()


def check(history, *options):
    """What history_check says of the directory; fails on any anomaly. Shows the counts."""
    done = subprocess.run([build_folder() / "test/history_check", "--json", *options, history],
                          capture_output=True, text=True, check=False)
    assert done.returncode in (0, 1), done.stderr
    report = json.loads(done.stdout)
    assert done.returncode == 0, json.dumps(report, indent=1)
    print(json.dumps({name: count for name, count in report.items() if isinstance(count, int)}))
    return report
