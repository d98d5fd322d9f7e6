# SPDX-License-Identifier: Apache-2.0
"""A full disk: writes are refused, reads go on, and room is enough to continue."""

import contextlib
import os
import subprocess

import httpx
import pytest
from api import Api, problem
from sandtrail_server import Server, run_tool, wait_until

DISK_MIB = 256
CONFIG = {"log": {"free_bytes_min": 32 << 20}}
ECHO = {"command": ["echo", "hello"], "limits": {"memory_mib": 16}}

pytestmark = [pytest.mark.skipif(os.geteuid() != 0, reason="mounting a small disk needs root"),
              pytest.mark.embedded]


@pytest.fixture(scope="module")
def disk(directory):
    """A directory on a small disk of its own."""
    path = directory / "disk"
    path.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={DISK_MIB}m", "sandtrail-e2e", path],
                   check=True)
    yield path
    subprocess.run(["umount", path], check=True)


@pytest.fixture(scope="module")
def server(directory, disk):
    server = Server(directory / "server", CONFIG, data_dir=disk / "data").start()
    yield server
    server.stop()


@contextlib.contextmanager
def filled(disk):
    """Leaves less room than the log wants; gives it back."""
    path = disk / "fill"
    with open(path, "wb") as file:
        with contextlib.suppress(OSError):
            while True:
                file.write(b"x" * (1 << 20))
                file.flush()
    try:
        yield
    finally:
        path.unlink(missing_ok=True)


def refused(api):
    """The problem, once the disk counts as full."""
    def full():
        response = api.submit(ECHO)
        return response if response.status_code == 503 else None

    return problem(wait_until(full, what="a refusal"), 503, "storage_full")


def test_while_the_disk_is_full_reads_go_on_and_writes_are_refused(server, disk, check):
    with Api.of(server, check) as api:
        before = [api.run(ECHO)["id"] for _ in range(5)]
        with filled(disk):
            assert refused(api)["request_id"]
            for execution in before:
                assert api.get(execution)["stdout"] == "hello\n"
            assert len(api.all("/v1/executions")) >= len(before)
            assert api.balance()["available_microcredits"] > 0
            assert httpx.get(server.admin_url + "/livez").status_code == 200
            assert httpx.get(server.admin_url + "/metrics").status_code == 200
            problem(api.http.post("/v1/api-keys", json={"name": "no room"}), 503, "storage_full")
        wait_until(lambda: api.submit(ECHO).status_code == 202, what="writes again")
        wait_until(lambda: httpx.get(server.admin_url + "/readyz").status_code == 200,
                   what="readiness")
        assert api.run(ECHO)["verdict"] == "ok"
        assert {api.get(execution)["verdict"] for execution in before} == {"ok"}


def test_what_ran_when_the_disk_filled_ends_once_there_is_room(server, disk):
    with Api.of(server) as api:
        running = [api.submit({"command": ["sh", "-c", "sleep 1; echo late"]}).json()["id"]
                   for _ in range(2)]
        wait_until(lambda: {api.get(execution)["status"] for execution in running} == {"started"},
                   what="the start of both")
        with filled(disk):
            refused(api)
            # Its program is over by now; its end can be written only later.
            wait_until(lambda: _sleepers(server) == 0, what="the end of the programs")
        for execution in running:
            assert api.wait(execution)["status"] == "finished"
            assert api.get(execution)["stdout"] == "late\n"


def _sleepers(server):
    """Programs in sandboxes of this server's process tree."""
    children, count = [server.pid], 0
    while children:
        pid = children.pop()
        with contextlib.suppress(FileNotFoundError, ProcessLookupError):
            for task in os.listdir(f"/proc/{pid}/task"):
                with open(f"/proc/{pid}/task/{task}/children", encoding="ascii") as file:
                    children += file.read().split()
            with open(f"/proc/{pid}/comm", encoding="ascii") as file:
                count += file.read().strip() == "sleep"
    return count


def test_killed_while_full_nothing_acknowledged_is_lost(server, disk):
    with Api.of(server) as api:
        accepted = []
        done = [api.run(ECHO)["id"] for _ in range(3)]
        path = disk / "slowly"
        with open(path, "wb") as file:
            response = api.submit(ECHO)
            while response.status_code == 202:
                accepted.append(response.json()["id"])
                file.write(b"x" * (4 << 20))
                file.flush()
                response = api.submit(ECHO)
            problem(response, 503, "storage_full")
        with filled(disk):
            server.kill()
            path.unlink()
    server.start()
    with Api.of(server) as api:
        for execution in accepted + done:
            assert api.wait(execution)["status"] in ("finished", "lost")
        for execution in done:
            assert api.get(execution)["stdout"] == "hello\n"
        assert api.run(ECHO)["verdict"] == "ok"
    for verb in (("log", "verify"), ("audit", "verify")):
        assert run_tool(*verb, "--data-dir", server.data_dir).returncode == 0


def test_a_full_disk_leaves_room_to_shut_down_and_to_read(server, disk):
    """Log, store and keys are all on it."""
    assert {"log", "store", "keys"} <= {path.name for path in server.data_dir.iterdir()}
    with Api.of(server) as api:
        done = [api.run(ECHO)["id"] for _ in range(3)]
    with filled(disk):
        with Api.of(server) as api:
            refused(api)
            assert {api.get(execution)["stdout"] for execution in done} == {"hello\n"}
            shown = run_tool("log", "cat", "events", "--data-dir", server.data_dir).stdout
            assert all(execution in shown for execution in done)
        assert server.stop() == 0
        # Also without a server.
        shown = run_tool("log", "cat", "events", "--data-dir", server.data_dir).stdout
        assert all(execution in shown for execution in done)
    server.start()
    with Api.of(server) as api:
        assert {api.get(execution)["stdout"] for execution in done} == {"hello\n"}
        assert api.run(ECHO)["verdict"] == "ok"
