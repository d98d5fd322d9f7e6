# SPDX-License-Identifier: Apache-2.0
"""A data directory in which something is missing or wrong is refused, and nothing is lost by it."""

import itertools
import shutil
import signal
import subprocess

import pytest
from api import Api
from sandtrail_server import NotStarted, program


pytestmark = pytest.mark.embedded
NAMES = itertools.count()


@pytest.fixture(name="stopped")
def stopped_server(new_server):
    """A server that has run something, and was stopped; with the result's id."""
    server = new_server(f"stopped-{next(NAMES)}").start()
    with Api.of(server) as api:
        execution = api.run({"command": ["echo", "kept"]})["id"]
    server.stop()
    yield server, execution
    server.stop()


@pytest.mark.parametrize("name, said", [
    ("root.key", "root.key is gone"),
    ("keys", "keys is gone"),
    ("audit.key", "audit.key is gone"),
])
def test_what_cannot_be_made_anew_must_be_restored(stopped, name, said):
    server, execution = stopped
    aside = server.directory / "aside"
    shutil.move(server.data_dir / name, aside)
    with pytest.raises(NotStarted, match=said):
        server.start()
    assert not (server.data_dir / name).exists()
    shutil.move(aside, server.data_dir / name)
    server.start()
    with Api.of(server) as api:
        assert api.get(execution)["stdout"] == "kept\n"


@pytest.mark.parametrize("name, content, said", [
    ("root.key", "00" * 32 + "\n", "root.key is not the key"),
    ("root.key", "00\n", "root.key does not hold"),
    ("host.json", "", "host.json"),
    ("dev.json", "{}", "dev.json"),
])
def test_what_is_wrong_is_named(stopped, name, content, said):
    server, _ = stopped
    (server.data_dir / name).write_text(content, encoding="utf-8")
    with pytest.raises(NotStarted, match=said):
        server.start()


def test_a_start_without_room_says_why_and_ends_on_a_signal(tmp_path):
    """The log takes nothing below its bound, so no role can begin; a signal still ends the wait."""
    with subprocess.Popen(
            [program(), "dev", "--data-dir", "data", "--listen", "127.0.0.1:0"], cwd=tmp_path,
            env={"SANDTRAIL_LOG_FREE_BYTES_MIN": str(1 << 50), "PATH": "/usr/bin:/bin",
                 "SANDTRAIL_SERVER_ADMIN_LISTEN": "off"},
            stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True) as process:
        try:
            said = next(line for line in process.stderr if "not ready yet" in line)
            assert "nearly full" in said
            process.send_signal(signal.SIGTERM)
            assert process.wait(30) == 3
        finally:
            process.kill()


def test_the_key_is_not_printed(new_server):
    server = new_server("quiet").start()
    assert server.api_key not in server.said and "$KEY" in server.said
    assert server.stop() == 0
