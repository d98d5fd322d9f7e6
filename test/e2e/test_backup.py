# SPDX-License-Identifier: Apache-2.0
"""Backups of a running server, and servers made of them."""

import json
import shutil
import signal
import subprocess
import threading

import pytest
from api import TERMINAL, Api
from processes import NotStarted, program, wait_until
from sandtrail_server import EmbeddedServer, run_tool

CONFIG = {"executions": {"slots": 2}, "billing": {"signup_credits": 10_000}}
SECRETS = ("root.key", "audit.key", "dev.json")
LARGE = 60_000  # over what stands in a record

pytestmark = pytest.mark.embedded


class Load:
    """Submits executions until it is told to end; keeps what was acknowledged, in order."""

    def __init__(self, server):
        self.server = server
        self.acknowledged = []
        self._end = threading.Event()
        self._threads = [threading.Thread(target=self._work) for _ in range(2)]
        for thread in self._threads:
            thread.start()

    def _work(self):
        with Api.of(self.server) as api:
            number = 0
            while not self._end.is_set():
                number += 1
                code = f"print({number})" + (" #" + "x" * LARGE if number % 7 == 0 else "")
                response = api.submit({"language": "python", "code": code, "max_attempts": 2,
                                       "limits": {"wall_ms": 10_000, "memory_mib": 32}})
                if response.status_code == 202:
                    self.acknowledged.append(response.json()["id"])
                self._end.wait(0.03)

    def wait_for(self, more):
        wanted = len(self.acknowledged) + more
        wait_until(lambda: len(self.acknowledged) >= wanted, what="load")

    def stop(self):
        self._end.set()
        for thread in self._threads:
            thread.join()


def verified(directory):
    return json.loads(run_tool("verify", directory, "--json").stdout)


def refused(directory, what):
    """The verb says what is wrong with a backup, and no server is made of it."""
    done = run_tool("verify", directory, check=False)
    assert done.returncode == 1 and what in done.stderr, done.stderr
    target = directory.parent / f"{directory.name}-restored"
    done = run_tool("restore", "--from", directory, "--data-dir", target, check=False)
    assert done.returncode == 3 and what in done.stderr, done.stderr
    assert not target.exists()


@pytest.fixture(name="saved", scope="module")
def a_server_saved_under_load(directory):
    """(server, log backup, keys backup, what was acknowledged before it began)"""
    server = EmbeddedServer(directory / "server", CONFIG).start()
    load = Load(server)
    try:
        load.wait_for(15)
        before = list(load.acknowledged)
        run_tool("backup", "--to", directory / "log", "--data-dir", server.data_dir)
        keys = run_tool("backup", "--keys", "--to", directory / "keys", "--data-dir",
                        server.data_dir)
        assert "Delete" in keys.stderr and str(directory / "keys") in keys.stderr
        load.wait_for(10)
    finally:
        load.stop()
    yield server, directory / "log", directory / "keys", before
    server.stop()


def test_what_was_acknowledged_before_is_there_and_ends(directory, saved):
    server, log, keys, before = saved
    assert verified(log)["objects"] > 0 and verified(keys)["keys"] > len(before)
    data = directory / "restored-data"
    done = run_tool("restore", "--from", log, "--keys", keys, "--data-dir", data)
    assert "root.key" in done.stderr
    other = EmbeddedServer(directory / "restored", CONFIG, data_dir=data)
    with pytest.raises(NotStarted, match="root.key is gone"):
        other.start()
    for name in SECRETS:
        shutil.copy(server.data_dir / name, data / name)
    server.stop()  # two of one log must not run, and on one machine cannot
    other.start()
    try:
        with Api.of(other) as api:
            rows = {row["id"] for row in api.all("/v1/executions")}
            assert set(before) <= rows
            wait_until(lambda: all(row["status"] in TERMINAL
                                   for row in api.all("/v1/executions")), seconds=90,
                       what="the end of all executions")
            wait_until(lambda: api.balance()["held_microcredits"] == 0, what="settlements")
            assert api.get(before[0])["stdout"] == "1\n"
            assert api.run({"language": "python", "code": "print('on')"})["stdout"] == "on\n"
        def audited():
            done = run_tool("audit", "verify", "--json", "--data-dir", data)
            return json.loads(done.stdout)["pending"] == 0
        wait_until(audited, what="the audit of all")
        assert json.loads(run_tool("log", "verify", "--json", "--data-dir", data).stdout)["same"]
    finally:
        other.stop()
        server.start()


def test_neither_a_full_directory_nor_the_wrong_kind_is_taken(directory, saved):
    server, log, keys, _ = saved
    for verb in (("backup", "--to", log, "--data-dir", server.data_dir),
                 ("restore", "--from", log, "--data-dir", server.data_dir)):
        done = run_tool(*verb, check=False)
        assert done.returncode == 3 and "is not empty" in done.stderr
    done = run_tool("restore", "--from", keys, "--data-dir", directory / "x", check=False)
    assert done.returncode == 2 and "backup of the keys" in done.stderr


@pytest.mark.parametrize("where", ["log/records", "store", "objects", "files"])
def test_a_flipped_byte_is_found(directory, saved, where):
    _, log, _, _ = saved
    broken = directory / f"broken-{where.replace('/', '-')}"
    shutil.copytree(log, broken)
    file = max((path for path in (broken / where).rglob("*") if path.is_file()
                and path.name not in ("LOG", "LOCK", "IDENTITY")
                and not path.name.startswith("OPTIONS")), key=lambda path: path.stat().st_size)
    content = bytearray(file.read_bytes())
    content[len(content) // 2] ^= 0x10
    file.write_bytes(content)
    done = run_tool("verify", broken, check=False)
    assert done.returncode in (1, 3), (file, done.stdout)


def test_a_backup_that_was_cut_short_is_none(directory, saved):
    server, _, _, _ = saved
    cut = directory / "cut"
    making = subprocess.Popen([program(), "backup", "--to", cut, "--data-dir", server.data_dir],
                              stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    wait_until(lambda: (cut / "store").exists() or making.poll() is not None, what="its begin")
    making.send_signal(signal.SIGKILL)
    making.wait()
    if (cut / "backup.json").exists():
        (cut / "backup.json").unlink()  # it was quicker
    refused(cut, "no finished backup")


def test_a_killed_server_is_backed_up_as_it_is_found(directory, saved):
    server, _, _, before = saved
    server.kill()
    run_tool("backup", "--to", directory / "dead", "--data-dir", server.data_dir)
    assert sum(part["high"] for part in verified(directory / "dead")["parts"]) > len(before)
    server.start()


def test_a_restore_that_was_cut_short_is_not_served(directory, saved):
    server, log, keys, _ = saved
    data = directory / "half-data"
    run_tool("restore", "--from", log, "--keys", keys, "--data-dir", data)
    for name in SECRETS:
        shutil.copy(server.data_dir / name, data / name)
    (data / "log/unfinished").write_text("sandtrail-import 1\n")
    half = EmbeddedServer(directory / "half", CONFIG, data_dir=data)
    with pytest.raises(NotStarted, match="unfinished copy"):
        half.start()
