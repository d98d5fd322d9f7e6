# SPDX-License-Identifier: Apache-2.0
"""A server to test, in one of two ways that tests cannot tell apart: one `sandtrail dev` on the
embedded log, or (SANDTRAIL_E2E=kafka) a process for each role over Kafka."""

import json
import os
import subprocess
from pathlib import Path

import httpx

from files import files_that_hold, wrapped_key
from processes import (ROOT, NotStarted, Process, build_folder, program,  # noqa: F401
                       wait_until)

# What every test wants: ports of its own, and calls to sinks on loopback.
DEFAULT_CONFIG = {
    "server": {"listen": "127.0.0.1:0", "admin_listen": "127.0.0.1:0"},
    "webhooks": {"allow_private_addresses": True},
    "gateway": {"denied_flush_ms": 500},
    "audit": {"checkpoint_interval_ms": 200},
}


def over_kafka():
    return os.environ.get("SANDTRAIL_E2E") == "kafka"


def toml_of(sections, top=None):
    """Keys of `top`, then sections. JSON of texts, numbers, truth values and lists of them is TOML
    as well."""
    lines = [f"{key} = {json.dumps(value)}" for key, value in (top or {}).items()]
    for name, keys in sections.items():
        lines.append(f"[{name}]")
        lines += [f"{key} = {json.dumps(value)}" for key, value in keys.items()]
    return "\n".join(lines) + "\n"


class AnyServer:
    """What both have. Owns its processes, not the directory: logs and data outlive stop() and
    kill()."""

    def __init__(self, directory, config=None, environment=None, data_dir=None):
        self.directory = Path(directory)
        self.data_dir = Path(data_dir or self.directory / "data")
        self.config_file = self.directory / "sandtrail.toml"
        self.environment = environment or {}
        self._facts = {}
        self.directory.mkdir(parents=True, exist_ok=True)
        self.configure(config or {})

    def configure(self, config):
        """Sections and keys over those every test wants; counts from the next start on."""
        sections = {name: dict(keys) for name, keys in DEFAULT_CONFIG.items()}
        for name, keys in config.items():
            sections.setdefault(name, {}).update(keys)
        self._write_config(sections)

    def _write_config(self, sections):
        self.config_file.write_text(toml_of(sections), encoding="utf-8")

    def restart(self):
        self.stop()
        return self.start()

    # Of dev.json: what a first user has to know.

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

    def operator(self):
        """A client of the operator's socket."""
        return httpx.Client(transport=httpx.HTTPTransport(uds=str(self.operator_socket)),
                            base_url="http://localhost", timeout=30)


class EmbeddedServer(AnyServer):
    """One `sandtrail dev` as a child process."""

    def __init__(self, directory, config=None, environment=None, data_dir=None):
        super().__init__(directory, config, environment, data_dir)
        self._made = Process(self.directory, "dev", [])

    @property
    def process(self):
        """None while it does not run."""
        return self._made.process

    def start(self, wait=True):
        self._made.arguments = ["dev", "--listen", "127.0.0.1:0", "--data-dir",
                                os.path.relpath(self.data_dir, self.directory),
                                "--config", str(self.config_file)]
        self._made.start(self.environment)
        if wait:
            self.wait_ready()
        return self

    def wait_ready(self):
        self._made.wait_ready()
        self._facts = json.loads((self.data_dir / "dev.json").read_text(encoding="utf-8"))

    def stop(self):
        """SIGTERM, and the exit code."""
        return self._made.stop()

    def kill(self):
        self._made.kill()

    @property
    def log(self):
        return self._made.log

    @property
    def said(self):
        return self._made.said

    def log_tail(self, chars=4000):
        return self._made.log_tail(chars)

    @property
    def admin_url(self):
        return self._made.admin_url

    @property
    def admin_urls(self):
        """Of every process."""
        return [self.admin_url]

    @property
    def pid(self):
        return self._made.pid

    @property
    def host_directory(self):
        """Where the host keeps what it knows of itself."""
        return self.data_dir

    def status_field(self, name):
        return self._made.status_field(name)

    def wrapped_key(self, key):
        """The end of what the key store holds of a data key."""
        return wrapped_key(self.data_dir / "keys", key)

    def keeps_key(self, _key, wrapped):
        """Whether any file has what wrapped_key() found."""
        return files_that_hold(self.data_dir, [wrapped]) != []


def Server(directory, config=None, environment=None, data_dir=None):  # noqa: N802
    """A server in the way that the run is about."""
    if over_kafka():
        # Only then: it needs what this file has, and a broker.
        from cluster_server import ClusterServer  # pylint: disable=import-outside-toplevel
        return ClusterServer(directory, config, environment, data_dir)
    return EmbeddedServer(directory, config, environment, data_dir)


def run_tool(*arguments, timeout=60, check=True, stdin=None, environment=None):
    """A client verb of the program: (exit code, stdout, stderr)."""
    done = subprocess.run([str(program()), *map(str, arguments)], capture_output=True, text=True,
                          timeout=timeout, check=False, input=stdin,
                          env=os.environ | (environment or {}))
    if check and done.returncode != 0:
        raise AssertionError(f"sandtrail {' '.join(map(str, arguments))} exited with "
                             f"{done.returncode}: {done.stdout[-2000:]}{done.stderr[-2000:]}")
    return done
