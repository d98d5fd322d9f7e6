# SPDX-License-Identifier: Apache-2.0
"""A host in somebody else's hands: it may lie about its own work, and no more."""

import base64
import os
import socket

import httpx
import pytest
from api import Api
from sandtrail_server import wait_until

ECHO = {"command": ["echo", "hello"], "limits": {"memory_mib": 16}}
LOAD = {"running": 0, "elsewhere": 0, "kept": 0, "draining": False}
STREAM = {"total_bytes": 0, "kept_bytes": 0, "truncated": False}
HUGE = 2**63 - 1


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Liar:
    """Joins as a host, takes orders, and reports what it likes."""

    def __init__(self, launcher, number):
        self.http = httpx.Client(base_url=launcher, timeout=30, trust_env=False)
        self.after = 0
        answer = self.http.post("/host/v1/sessions", json={
            "protocol": 1, "host": f"hst_{number:026d}", "epoch": 1, "slots": 4,
            "isolation": "process", "languages": ["python"], "address": "127.0.0.1:1"})
        assert answer.status_code == 201, answer.text
        self.session = "/host/v1/sessions/" + answer.json()["session"]

    def say(self, word):
        answer = self.http.post(f"{self.session}/reports", json={"load": LOAD, "words": [word]})
        assert answer.status_code == 204, answer.text

    def launch(self):
        """The next order to launch."""
        while True:
            answer = self.http.get(f"{self.session}/orders", params={"after": self.after})
            assert answer.status_code == 200, answer.text
            for order in answer.json()["orders"]:
                self.after = order["number"]
                if order["kind"] == "take_over":
                    self.say({"kind": "taken_over", "partition": order["partition"],
                              "order": order["number"], "held": []})
                elif order["kind"] == "launch":
                    return order

    def finish(self, order, **others):
        of = {name: order[name] for name in ("execution", "attempt")} | {"host_epoch": 1}
        result = of | {
            "verdict": "ok", "cause": "exit", "decided_by": "program", "evidence": [],
            "exit_code": 0, "usage": {"wall_us": 1, "cpu_us": 1, "memory_peak_bytes": 1},
            "timings": {"boot_us": 0, "compile_us": 0, "run_us": 0}, "stdout": STREAM,
            "stderr": STREAM, "isolation": "process", "controls": [], "controls_missing": []}
        self.say(of | {"kind": "finished", "partition": order["partition"], "held": [],
                       "result": result | others})


@pytest.fixture(name="place", scope="module")
def server_and_launcher(new_server):
    where = f"127.0.0.1:{free_port()}"
    server = new_server("server", {"launcher": {"listen": where, "builtin_host": False}})
    server.start(wait=False)
    yield server, f"http://{where}"


@pytest.mark.embedded
def test_what_a_host_says_of_its_own_work_costs_no_more_than_its_hold_and_breaks_no_answer(
        place, check):
    server, launcher = place
    server.wait_ready()
    liar = Liar(launcher, 1)
    with Api.of(server, check) as api:
        def ends(**others):
            execution = api.submit(ECHO).json()["id"]
            liar.finish(liar.launch(), **others)
            return api.wait(execution)

        rich = ends(usage={"wall_us": HUGE, "cpu_us": HUGE, "memory_peak_bytes": HUGE},
                    timings={"boot_us": HUGE, "compile_us": HUGE, "run_us": HUGE},
                    stdout={"total_bytes": HUGE, "kept_bytes": HUGE, "truncated": True})
        assert rich["status"] == "finished"
        cost = wait_until(lambda: (c := api.get(rich["id"])["cost"]).get("settled_microcredits")
                          and c, 20, "settlement")
        assert cost["settled_microcredits"] == cost["hold_microcredits"]

        execution = api.submit(ECHO).json()["id"]
        order = liar.launch()
        liar.finish(order, payload={"key": order["launch"]["input"]["key"], "bytes": 10,
                                    "sealed": base64.b64encode(os.urandom(40)).decode()})
        lost = api.wait(execution)
        assert lost["lost_reason"] == "its host's result makes no sense"
        assert api.http.get("/v1/executions").status_code == 200

        execution = api.submit(ECHO).json()["id"]
        order = liar.launch()
        other = Liar(launcher, 2)
        other.finish(order, verdict="timeout")  # is not its own
        liar.finish(order)
        assert api.wait(execution)["verdict"] == "ok"
