# SPDX-License-Identifier: Apache-2.0
"""A log that lost acknowledged records is refused with the verb that goes on without them; that
verb says what is missing, is an audited event itself, and leaves a server that simply works."""

import itertools
import json
import os
import random
import signal
import subprocess
import time

import pytest
from api import TERMINAL, Api
from sandtrail_server import NotStarted, program, run_tool, wait_until
from traces import records_of

pytestmark = pytest.mark.embedded
NAMES = itertools.count()
TRIES = 100 if os.environ.get("SANDTRAIL_TORTURE") == "1" else 8
ECHO = {"command": ["echo", "hello"], "limits": {"memory_mib": 16}}


def accept_loss(server, *more, check=True):
    return run_tool("log", "accept-loss", "--data-dir", server.data_dir, "--reason", "a bad disk",
                    *more, check=check)


def cut_log(server, part):
    """Leaves that part of the newest write-ahead log; returns how many bytes were cut off."""
    wal = max((server.data_dir / "log/records").glob("*.log"), key=lambda path: path.stat().st_size)
    size = wal.stat().st_size
    with open(wal, "rb+") as file:
        file.truncate(int(size * part))
    return size - int(size * part)


@pytest.fixture(name="damaged", params=[("stopped", 0.6), ("killed", 0.97), ("stopped", 0.0)],
                ids=lambda param: f"{param[0]}-{param[1]}")
def damaged_server(request, new_server, sink):
    """A stopped server whose log has lost its end, with what was accepted before."""
    how, part = request.param
    server = new_server(f"damaged-{next(NAMES)}").start()
    with Api.of(server) as api:
        kept = api.run(ECHO)["id"]
    server.restart()  # what was before is in tables now
    with Api.of(server) as api:
        for number in range(8):
            assert api.run(ECHO | {"callback_url": sink.url(f"/{number}")})["verdict"] == "ok"
        sink.wait_for(8)
    if how == "killed":
        server.kill()
    else:
        server.stop()
    assert cut_log(server, part) > 0
    yield server, kept
    server.stop()


def test_the_server_goes_on_once_the_loss_is_accepted(damaged, sink):
    server, kept = damaged
    with pytest.raises(NotStarted, match="sandtrail log accept-loss"):
        server.start()
    before = {path.name: path.stat().st_mtime_ns for path in (server.data_dir / "log").iterdir()
              if path.is_file()}
    asked = accept_loss(server, check=False)
    assert asked.returncode == 3 and "ENDED AT" in asked.stderr and "--yes" in asked.stderr
    assert before == {path.name: path.stat().st_mtime_ns
                      for path in (server.data_dir / "log").iterdir() if path.is_file()}
    accepted = json.loads(accept_loss(server, "--yes", "--json").stdout)
    assert accepted["old_identity"] != accepted["new_identity"] and accepted["partitions"]

    server.start()
    running = accept_loss(server, check=False)
    assert running.returncode == 3 and "another process" in running.stderr
    with Api.of(server) as api:
        assert api.get(kept)["stdout"] == "hello\n"
        after = [api.run(ECHO | {"callback_url": sink.url(f"/after/{number}")})["id"]
                 for number in range(5)]
        for number in range(5):
            sink.wait_for(1, f"/after/{number}")
        wait_until(lambda: all(row["status"] in TERMINAL for row in api.all("/v1/executions")) and
                   api.balance()["held_microcredits"] == 0, what="every end and settlement")
        wait_until(lambda: set(after) <= {entry["resource"] for entry in
                                          api.all("/v1/audit/entries", action="execution.create")},
                   what="audit entries of what came after")
    check_said(server, accepted)
    for verb in (("log", "verify"), ("audit", "verify")):
        assert run_tool(*verb, "--data-dir", server.data_dir).returncode == 0
    assert server.stop() == 0
    assert "nothing is missing" in accept_loss(server).stderr
    server.start()


def check_said(server, accepted):
    """The loss stands in the log, and in the audit log; each lost position is taken."""
    said = [record for record in records_of(server, "platform")
            if record["headers"]["ce_type"] == "sandtrail.log.loss_accepted"]
    assert len(said) == 1 and said[0]["verdict"] == "applied"
    value = said[0]["value"]
    assert value["partitions"] == accepted["partitions"] and value["reason"] == "a bad disk"
    assert value["actor"]["kind"] == "operator"
    assert (value["old_identity"], value["new_identity"]) == \
        (accepted["old_identity"], accepted["new_identity"])
    for lost in value["partitions"]:
        places = {record["position"]: record for record in records_of(server, lost["topic"])
                  if record["partition"] == lost["partition"]}
        for position in range(lost["found"], lost["expected"]):
            assert places[position]["headers"]["ce_type"] == "sandtrail.log.record_lost"
            assert places[position]["verdict"] == "applied"

    def audited():
        return [record["value"] for record in records_of(server, "audit")
                if record["value"].get("action") == "log.accept_loss"]

    entry, = wait_until(audited, what="its audit entry")
    assert entry["outcome"] == "success" and entry["changes"]["reason"] == "a bad disk"
    assert entry["source"]["position"] == said[0]["position"]


def test_the_verb_killed_at_any_moment_is_repeated_and_ends(new_server):
    server = new_server("killed-verb").start()
    with Api.of(server) as api:
        assert api.run(ECHO)["verdict"] == "ok"
    server.restart()
    with Api.of(server) as api:
        for _ in range(4):
            assert api.run(ECHO)["verdict"] == "ok"
    server.stop()
    cut_log(server, 0.4)
    dice = random.Random(5)
    killed = 0
    for _ in range(TRIES):
        with subprocess.Popen(
                [program(), "log", "accept-loss", "--data-dir", server.data_dir, "--reason",
                 "a bad disk", "--yes"], stderr=subprocess.DEVNULL, stdout=subprocess.DEVNULL
        ) as verb:
            time.sleep(dice.uniform(0.0, 0.15))
            verb.kill()
        killed += verb.returncode == -signal.SIGKILL
    accept_loss(server, "--yes")
    assert killed > 0
    server.start()
    said, = [record["value"] for record in records_of(server, "platform")
             if record["headers"]["ce_type"] == "sandtrail.log.loss_accepted"]
    assert said["partitions"]
    for lost in said["partitions"]:
        taken = [record["position"] for record in records_of(server, lost["topic"])
                 if record["partition"] == lost["partition"] and
                 record["headers"]["ce_type"] == "sandtrail.log.record_lost"]
        assert taken == list(range(lost["found"], lost["expected"]))
    with Api.of(server) as api:
        assert api.run(ECHO)["verdict"] == "ok"


def test_a_loss_that_was_only_half_accepted_is_finished_first(new_server):
    server = new_server("half").start()
    with Api.of(server) as api:
        assert api.run(ECHO)["verdict"] == "ok"
    server.restart()
    with Api.of(server) as api:
        assert api.run(ECHO)["verdict"] == "ok"
    server.stop()
    cut_log(server, 0.5)
    # A store that cannot be moved aside: the verb ends at its last step but one.
    note = server.data_dir / "loss.json"
    store = server.data_dir / "store"
    accept_loss(server, "--yes")
    note.write_text(json.dumps({
        "event": "evt_00000000000000000000000000", "old_identity": "0" * 32,
        "new_identity": (server.data_dir / "log/identity").read_text(encoding="ascii").strip(),
        "reason": "half", "partitions": []}), encoding="utf-8")
    with pytest.raises(NotStarted, match="has begun and not ended"):
        server.start()
    assert not store.exists()
    assert accept_loss(server, "--yes").returncode == 0
    assert not note.exists()
    server.start()
    with Api.of(server) as api:
        assert api.run(ECHO)["verdict"] == "ok"
