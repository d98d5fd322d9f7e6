# SPDX-License-Identifier: Apache-2.0
"""One `sandtrail dev` as a child process: start, stop, kill, start again."""

import contextlib
import json
import os
import signal
import subprocess
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
READY_SECONDS_MAX = 60
STOP_SECONDS_MAX = 30
POLL_SECONDS = 0.02

# What every test wants: ports of its own, and calls to sinks on loopback.
DEFAULT_CONFIG = {
    "server": {"listen": "127.0.0.1:0", "admin_listen": "127.0.0.1:0"},
    "webhooks": {"allow_private_addresses": True},
    "gateway": {"denied_flush_ms": 500},
    "audit": {"checkpoint_interval_ms": 200},
}


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


class NotStarted(Exception):
    """The program ended before it was ready; the text is the end of what it said."""


class Server:
    """Owns the process, not the directory: logs and data outlive stop() and kill()."""

    def __init__(self, directory, config=None, environment=None, data_dir=None):
        self.directory = Path(directory)
        self.data_dir = Path(data_dir or self.directory / "data")
        self.config_file = self.directory / "sandtrail.toml"
        self.environment = environment or {}
        self.process = None
        self.admin_url = ""
        self._starts = 0
        self._facts = {}
        self.directory.mkdir(parents=True, exist_ok=True)
        self.configure(config or {})

    # --- settings ---

    def configure(self, config):
        """Sections and keys over DEFAULT_CONFIG; counts from the next start on."""
        sections = {name: dict(keys) for name, keys in DEFAULT_CONFIG.items()}
        for name, keys in config.items():
            sections.setdefault(name, {}).update(keys)
        lines = []
        for name, keys in sections.items():
            lines.append(f"[{name}]")
            # JSON of texts, numbers, truth values and lists of them is TOML as well.
            lines += [f"{key} = {json.dumps(value)}" for key, value in keys.items()]
        self.config_file.write_text("\n".join(lines) + "\n", encoding="utf-8")

    # --- life ---

    def start(self, wait=True):
        assert self.process is None, "it runs already"
        self._starts += 1
        # At most one key of the caller's environment may leak in: none of ours.
        environment = {name: value for name, value in os.environ.items()
                       if not name.startswith("SANDTRAIL_")}
        with open(self.log, "ab") as err, open(self._stdout, "wb") as out:
            self.process = subprocess.Popen(
                [str(program()), "dev", "--listen", "127.0.0.1:0",
                 "--data-dir", os.path.relpath(self.data_dir, self.directory),
                 "--config", str(self.config_file)],
                cwd=self.directory, stdin=subprocess.DEVNULL, stdout=out, stderr=err,
                env=environment | self.environment, start_new_session=True)
        if wait:
            self.wait_ready()
        return self

    def wait_ready(self):
        def ready():
            if b"Sandtrail is ready." in self._stdout.read_bytes():
                return True
            if self.process.poll() is not None:
                code = self.process.returncode
                self.process = None
                raise NotStarted(f"exit code {code}: {self.log_tail(2000)}")
            return False

        wait_until(ready, READY_SECONDS_MAX, "readiness")
        self._facts = json.loads((self.data_dir / "dev.json").read_text(encoding="utf-8"))
        for line in self._stdout.read_text(encoding="utf-8").splitlines():
            words = line.split()
            if len(words) == 2 and words[0] == "health":
                self.admin_url = words[1].removesuffix("/readyz")

    def stop(self):
        """SIGTERM, and the exit code."""
        if self.process is None:
            return None
        self.process.send_signal(signal.SIGTERM)
        try:
            code = self.process.wait(STOP_SECONDS_MAX)
        except subprocess.TimeoutExpired:
            self.kill()
            raise AssertionError(f"it did not stop within {STOP_SECONDS_MAX} s") from None
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

    def restart(self):
        self.stop()
        return self.start()

    # --- what it said ---

    @property
    def log(self):
        return self.directory / "stderr.log"

    @property
    def _stdout(self):
        return self.directory / f"stdout-{self._starts}.log"

    @property
    def said(self):
        """What it printed at its last start."""
        return self._stdout.read_text(encoding="utf-8")

    def log_tail(self, chars=4000):
        return self.log.read_text(encoding="utf-8", errors="replace")[-chars:]

    @property
    def url(self):
        return self._facts["url"]

    @property
    def api_key(self):
        return self._facts["api_key"]

    @property
    def organization(self):
        return self._facts["organization"]

    @property
    def callback_secret(self):
        return self._facts["callback_secret"]

    @property
    def operator_socket(self):
        return self._facts["operator_socket"]

    @property
    def pid(self):
        return self.process.pid

    def status_field(self, name):
        """Of /proc/PID/status, as a number."""
        for line in Path(f"/proc/{self.pid}/status").read_text(encoding="ascii").splitlines():
            if line.startswith(name + ":"):
                return int(line.split()[1])
        raise KeyError(name)


def run_tool(*arguments, timeout=60, check=True, stdin=None):
    """A client verb of the program: (exit code, stdout, stderr)."""
    done = subprocess.run([str(program()), *map(str, arguments)], capture_output=True, text=True,
                          timeout=timeout, check=False, input=stdin)
    if check and done.returncode != 0:
        raise AssertionError(f"sandtrail {' '.join(map(str, arguments))} exited with "
                             f"{done.returncode}: {done.stdout[-2000:]}{done.stderr[-2000:]}")
    return done
