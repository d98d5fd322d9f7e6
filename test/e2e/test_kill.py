# SPDX-License-Identifier: Apache-2.0
"""Killed again and again while three hundred executions flow: nothing accepted is lost or doubled.
One process is killed ten times; over Kafka each process once, and the broker stands still and is
killed as well."""

import collections
import contextlib
import threading
import time
import uuid

import httpx
import pytest
from api import TERMINAL, Api, Operator
from host_watch import HostWatch
from rating import account_sums, rated
from sandtrail_server import over_kafka, run_tool, wait_until
from traces import records_of
from webhook_sink import WebhookSink

EXECUTIONS = 300
KILLS = 10  # of one process
BROKER_PAUSE_SECONDS = 3
CLIENTS = 6
CONFIG = {"executions": {"slots": 4}, "billing": {"signup_credits": 10_000},
          "webhooks": {"retry_schedule": [1] * 20, "allow_private_addresses": True}}
TERMINAL_TYPES = {f"sandtrail.execution.{name}" for name in TERMINAL}


class Clients:
    """Submit until all are accepted, each under an Idempotency-Key, whatever happens meanwhile."""

    def __init__(self, server, sink):
        self.server = server
        self.sink = sink
        self.accepted = {}  # number: execution id
        self.faults = []
        self.idle = HostWatch(server)
        self._next = iter(range(EXECUTIONS))
        self._lock = threading.Lock()
        self._threads = [threading.Thread(target=self._work) for _ in range(CLIENTS)]
        for thread in self._threads:
            thread.start()

    def done(self):
        return not any(thread.is_alive() for thread in self._threads)

    def _work(self):
        while True:
            with self._lock:
                number = next(self._next, None)
            if number is None:
                return
            body = {"command": ["sh", "-c", f"sleep 0.0{number % 9}; echo {number}"],
                    "callback_url": self.sink.url(f"/{number}"), "max_attempts": number % 2 + 1,
                    "limits": {"memory_mib": 16 + number % 50, "wall_ms": 10_000}}
            self.accepted[number] = self._submit(body)

    def _submit(self, body):
        key = str(uuid.uuid4())
        deadline = time.monotonic() + 120
        while time.monotonic() < deadline:
            with contextlib.suppress(httpx.TransportError):
                with Api.of(self.server) as api:
                    response = api.submit(body, key=key)
                if response.status_code in (200, 202):
                    return response.json()["id"]
                # 504: nobody knows; 503: not now. The same key makes both safe to repeat.
                if response.status_code not in (503, 504):
                    self.faults.append(response.text)
                    return None
            time.sleep(0.05)
        self.faults.append("not accepted in time")
        return None


def blows(server):
    """What befalls the server, one after the other."""
    def kill_all():
        server.kill()
        server.start()

    def kill(name):
        server.processes[name].kill()
        server.start_one(name)

    def pause_broker():
        server.kafka.pause()
        time.sleep(BROKER_PAUSE_SECONDS)
        server.kafka.resume()

    if not over_kafka():
        return [kill_all] * KILLS
    kills = [lambda name=name: kill(name) for name in server.processes]
    return [*kills[:3], pause_broker, *kills[3:], server.kafka.restart]


@pytest.fixture(scope="module")
def aftermath(server):
    """The clients, the server and the sink when all is over."""
    with WebhookSink() as sink:
        clients = Clients(server, sink)
        planned = blows(server)
        for number, blow in enumerate(planned, 1):
            # Evenly through the flow, wherever each request happens to be just then.
            part = EXECUTIONS * number // (len(planned) + 1)
            wait_until(lambda part=part: len(clients.accepted) >= part or clients.done(),
                       seconds=60, what="progress")
            blow()
        wait_until(clients.done, seconds=120, what="the end of the clients")
        assert clients.faults == []
        with Api.of(server) as api:
            def settled():
                rows = api.all("/v1/executions")
                return all(row["status"] in TERMINAL for row in rows) and \
                    api.balance()["held_microcredits"] == 0

            wait_until(settled, seconds=60, what="the end of all executions")
        wait_until(lambda: len({r.path for r in sink.received}) == EXECUTIONS, seconds=60,
                   what="a callback of each")
        yield clients


def test_every_accepted_execution_has_exactly_one_end(aftermath, server):
    with Api.of(server) as api:
        rows = {row["id"]: row for row in api.all("/v1/executions")}
    ids = set(aftermath.accepted.values())
    assert len(ids) == EXECUTIONS and set(rows) == ids
    assert all(row["status"] in ("finished", "lost") for row in rows.values())
    ends = collections.Counter()
    for record in records_of(server):
        if record["headers"]["ce_type"] in TERMINAL_TYPES and record.get("verdict") == "applied":
            ends[record["value"]["execution"]] += 1
    assert set(ends) == ids and set(ends.values()) == {1}


def test_no_program_of_a_killed_server_lives_on(aftermath):
    wait_until(lambda: not aftermath.idle.left(), 10,
               f"a clean host; left are {aftermath.idle.left()}")


def test_results_are_those_of_their_own_program(aftermath, server):
    finished = 0
    with Api.of(server) as api:
        for number, execution in aftermath.accepted.items():
            result = api.get(execution)
            if result["status"] == "finished" and result["verdict"] == "ok":
                assert result["stdout"] == f"{number}\n"
                finished += 1
            else:
                # Only what a kill hit, and only where no further attempt was allowed.
                assert result["status"] == "lost" and result["attempt"] == result["max_attempts"]
    assert finished >= EXECUTIONS // 2


def test_every_callback_came_under_one_id(aftermath, server):
    by_path = collections.defaultdict(list)
    for request in aftermath.sink.received:
        by_path[request.path].append(request)
    assert set(by_path) == {f"/{number}" for number in range(EXECUTIONS)}
    for number, execution in aftermath.accepted.items():
        requests = by_path[f"/{number}"]
        assert len({request.webhook_id for request in requests}) == 1
        assert len({request.body for request in requests}) == 1
        assert requests[0].message["data"]["id"] == execution


def test_every_microcredit_is_accounted_for(aftermath, server):
    with Api.of(server) as api:
        entries = api.all("/v1/billing/ledger")
        balance = api.balance()
        rows = {row["id"]: api.get(row["id"]) for row in api.all("/v1/executions")}
    sums = account_sums(entries)
    assert sum(sums.values()) == 0 and sums.get("held", 0) == 0
    settlements = collections.Counter(entry["execution"] for entry in entries
                                      if entry["kind"] == "settlement")
    assert set(settlements) == set(rows) and set(settlements.values()) == {1}
    total = 0
    for execution, row in rows.items():
        expected = 0
        if row["status"] == "finished":
            expected = rated(row["limits"], row["usage"]["wall_us"], balance["rate_card"])
        assert row["cost"]["settled_microcredits"] == expected, execution
        total += expected
    assert balance["settled_microcredits"] == total
    assert balance["granted_microcredits"] - total == balance["available_microcredits"]


def test_the_audit_log_has_no_gap(aftermath, server):
    with Api.of(server) as api:
        def entries():
            found = api.all("/v1/audit/entries", action="execution.create")
            return found if len(found) >= EXECUTIONS else None

        found = wait_until(entries, what="the audit of every request")
    created = [entry["resource"] for entry in found if entry["outcome"] == "success"]
    assert sorted(created) == sorted(aftermath.accepted.values())
    assert run_tool("audit", "verify", "--data-dir", server.data_dir).returncode == 0


def test_a_rebuild_from_the_beginning_comes_to_the_same(aftermath, server):
    assert run_tool("log", "verify", "--data-dir", server.data_dir).returncode == 0
    with Operator(server) as operator:
        status = operator.get("/operator/status")
    assert status["ready"] and not any("stopped" in p for p in status["partitions"])
    assert sum(role["effects_parked"] for p in status["partitions"] for role in p["roles"]) == 0
