# SPDX-License-Identifier: Apache-2.0
"""The single process killed with -9 again and again while clients send as fast as they can: what
was answered 202, by the list that the clients keep, is there after the restart, and ends."""

import os
import random
import threading
import time

import httpx
import pytest
from api import TERMINAL, Api, Operator
from sandtrail_server import run_tool, wait_until
from traces import records_of

pytestmark = pytest.mark.embedded
KILLS = 100 if os.environ.get("SANDTRAIL_TORTURE") == "1" else 5
CLIENTS = 8
QUEUED_MAX = 1_000_000
RUN_TO_THE_END = 20  # of each life; the others are cancelled at the end, so that it comes
CONFIG = {"executions": {"slots": 4}, "billing": {"signup_credits": 1_000_000}}
BODY = {"command": ["true"], "limits": {"memory_mib": 16, "wall_ms": 10_000}}


class Load:
    """Sends without pause until it is told to end, or the server is gone; nothing is repeated."""

    def __init__(self, server):
        self.accepted = []
        self._server = server
        self._ending = threading.Event()
        self._threads = [threading.Thread(target=self._work) for _ in range(CLIENTS)]
        for thread in self._threads:
            thread.start()

    def end(self):
        self._ending.set()
        for thread in self._threads:
            thread.join()

    def _work(self):
        with Api.of(self._server) as api:
            while not self._ending.is_set():
                try:
                    response = api.submit(BODY)
                except httpx.TransportError:
                    return
                if response.status_code == 202:
                    self.accepted.append(response.json()["id"])
                else:
                    assert response.status_code == 503, response.text


@pytest.fixture(name="accepted", scope="module")
def accepted_over_all_kills(server):
    """What was answered, in a list for each life of the server."""
    with Operator(server) as operator:
        response = operator.http.post(f"/operator/organizations/{server.organization}/limits",
                                      json={"queued_max": QUEUED_MAX})
        assert response.status_code == 200, response.text
    dice = random.Random(20)
    lives = []
    for _ in range(KILLS):
        load = Load(server)
        wait_until(lambda load=load: len(load.accepted) >= CLIENTS, what="load")
        time.sleep(dice.uniform(0.0, 0.4))  # at any point of it
        server.kill()
        load.end()
        lives.append(load.accepted)
        server.start()
    return lives


def test_every_answered_request_is_there_and_ends(accepted, server):
    ids = [execution for life in accepted for execution in life]
    assert len(ids) == len(set(ids)) and all(accepted)
    with Api.of(server) as api:
        rows = {row["id"]: row for row in api.all("/v1/executions")}
        assert set(ids) <= set(rows), f"lost: {sorted(set(ids) - set(rows))}"
        to_the_end = {execution for life in accepted for execution in life[:RUN_TO_THE_END]}
        for execution in ids:
            if execution not in to_the_end and rows[execution]["status"] not in TERMINAL:
                response = api.http.post(f"/v1/executions/{execution}/cancel")
                assert response.status_code in (202, 409), response.text

        def open_ones():
            return [row for row in api.all("/v1/executions") if row["status"] not in TERMINAL]

        wait_until(lambda: not open_ones(), seconds=60 + 5 * KILLS, what="the end of all of them")
        statuses = {row["id"]: row["status"] for row in api.all("/v1/executions")}
    print(f"{KILLS} kills, {len(ids)} answered, "
          f"{sum(statuses[e] == 'finished' for e in ids)} finished, "
          f"{sum(statuses[e] == 'cancelled' for e in ids)} cancelled, "
          f"{sum(statuses[e] == 'lost' for e in ids)} lost to a kill while they ran, 0 missing")
    # Lost is what a kill hit while it ran; cancelled only what was asked to be.
    assert all(statuses[execution] in ("finished", "lost") for execution in to_the_end)


def test_the_log_holds_each_of_them_once(accepted, server):
    requested = [record["value"]["execution"] for record in records_of(server)
                 if record["headers"]["ce_type"] == "sandtrail.execution.requested" and
                 record["verdict"] == "applied"]
    assert len(requested) == len(set(requested))
    assert {execution for life in accepted for execution in life} <= set(requested)
    for verb in (("log", "verify"), ("audit", "verify")):
        assert run_tool(*verb, "--data-dir", server.data_dir, timeout=300).returncode == 0
