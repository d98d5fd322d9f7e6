# SPDX-License-Identifier: Apache-2.0
"""What clients do with executions besides running them: wait, cancel, list, read their writes."""

import threading
import time

import pytest
from api import Api, problem
from sandtrail_server import wait_until

SLOTS = 2
CONFIG = {"executions": {"slots": SLOTS}, "billing": {"signup_credits": 100_000}}
SLEEP = {"command": ["sleep", "1000"], "limits": {"wall_ms": 600_000, "memory_mib": 16}}
QUICK = {"command": ["true"], "limits": {"memory_mib": 16}}


def cancel(api, execution):
    return api.http.post(f"/v1/executions/{execution}/cancel")


def started(api, execution):
    return wait_until(lambda: api.get(execution)["status"] == "started", what="the start")


# --- cancelling ---

def test_a_running_program_is_cancelled(api):
    execution = api.submit(SLEEP).json()["id"]
    started(api, execution)
    assert cancel(api, execution).status_code == 202
    result = api.wait(execution, 20)
    assert result["status"] == "finished" and result["verdict"] == "cancelled"
    assert result["decided_by"] == "caller" and result["cancel_requested"] is True
    wait_until(lambda: "settled_microcredits" in api.get(execution)["cost"], what="settlement")
    cost = api.get(execution)["cost"]
    assert 0 < cost["settled_microcredits"] < cost["hold_microcredits"], "what it used, no more"


def test_what_waits_is_cancelled_without_a_start_and_for_nothing(api):
    running = [api.submit(SLEEP).json()["id"] for _ in range(SLOTS)]
    for execution in running:
        started(api, execution)
    waiting = api.submit(SLEEP).json()["id"]
    assert api.get(waiting)["status"] == "requested"
    assert cancel(api, waiting).status_code == 202
    result = api.wait(waiting, 20)
    assert result["status"] == "cancelled" and "started_at" not in result
    assert [name for _, name, _ in api.events(waiting)] == [
        "execution.requested", "execution.cancel_requested", "execution.cancelled"]
    for execution in running:
        cancel(api, execution)
        api.wait(execution, 20)


def test_cancelling_twice_is_cancelling_once_and_after_the_end_too_late(api):
    execution = api.submit(SLEEP).json()["id"]
    assert {cancel(api, execution).status_code for _ in range(3)} <= {200, 202}
    api.wait(execution, 20)
    names = [name for _, name, _ in api.events(execution)]
    assert names.count("execution.cancel_requested") == 1
    done = api.run(QUICK)["id"]
    problem(cancel(api, done), 409, "wrong_state")


def test_a_race_of_end_and_cancel_has_one_outcome(api):
    executions = [api.submit({"command": ["sleep", f"0.0{n % 10}"]}).json()["id"]
                  for n in range(20)]
    for execution in executions:
        assert cancel(api, execution).status_code in (200, 202, 409)
    for execution in executions:
        result = api.wait(execution, 30)
        assert (result["status"], result.get("verdict")) in {
            ("cancelled", None), ("finished", "cancelled"), ("finished", "ok")}


# --- waiting ---

def test_a_wait_that_is_too_short_answers_with_what_there_is(api):
    response = api.submit(SLEEP, wait=1)
    assert response.status_code == 202 and response.json()["status"] in ("requested", "started")
    assert response.headers["location"] == response.json()["urls"]["self"]
    assert int(response.headers["retry-after"]) >= 1
    execution = response.json()["id"]
    before = time.monotonic()
    assert api.get(execution, wait=1)["status"] == "started"
    assert time.monotonic() - before >= 0.9
    cancel(api, execution)
    assert api.get(execution, wait=30)["status"] == "finished"


@pytest.mark.parametrize("prefer", ["wait=0", "wait=-1", "wait=soon", "wait=", "respond-async",
                                    "handling=lenient, wait=0", "wait=99999999999999999999"])
def test_odd_preferences_do_no_harm(api, prefer):
    response = api.http.post("/v1/executions", json=QUICK, headers={"Prefer": prefer})
    assert response.status_code in (200, 202), response.text


def test_many_wait_for_one(server, api):
    execution = api.submit(SLEEP).json()["id"]
    results = []

    def wait():
        with Api.of(server) as client:
            results.append(client.get(execution, wait=60)["verdict"])

    threads = [threading.Thread(target=wait) for _ in range(50)]
    for thread in threads:
        thread.start()
    started(api, execution)
    cancel(api, execution)
    for thread in threads:
        thread.join()
    assert results == ["cancelled"] * 50


# --- lists and positions ---

def test_pages_are_newest_first_and_hold_still_while_more_come(api):
    mine = [api.submit(QUICK | {"thread": "pages"}).json()["id"] for _ in range(7)]
    seen, cursor = [], {}
    while True:
        response = api.http.get("/v1/executions", params={"thread": "pages", "limit": 2} | cursor)
        page = response.json()
        seen += [row["id"] for row in page["data"]]
        api.submit(QUICK | {"thread": "pages"})
        if not page["has_more"]:
            assert "link" not in response.headers
            break
        assert response.headers["link"].endswith('rel="next"')
        cursor = {"cursor": page["next_cursor"]}
    assert seen == mine[::-1]
    assert not any("stdout" in row for row in page["data"]), "lists are without output"


def test_the_link_to_the_next_page_works_as_it_is(api):
    for _ in range(3):
        api.submit(QUICK | {"metadata": {"a b&c": "d=e/ü"}})
    response = api.http.get("/v1/executions", params={"metadata[a b&c]": "d=e/ü", "limit": 2})
    assert len(response.json()["data"]) == 2
    target = response.headers["link"].partition("<")[2].partition(">")[0]
    assert len(api.http.get(target).json()["data"]) == 1


def test_who_names_the_position_of_a_write_reads_it(server, api):
    with Api.of(server) as other:
        for number in range(20):
            written = api.submit(QUICK | {"thread": f"position-{number}"})
            position = written.headers["sandtrail-position"]
            found = other.http.get("/v1/executions", params={"thread": f"position-{number}"},
                                   headers={"Sandtrail-Position": position}).json()["data"]
            assert [row["id"] for row in found] == [written.json()["id"]]


def test_a_position_that_never_comes_is_not_waited_for_without_end(api):
    current = api.balance()["position"].split("/")
    future = "/".join([*current[:2], str(10 ** 9)])
    response = api.http.get("/v1/billing/balance", headers={"Sandtrail-Position": future})
    problem(response, 504, "not_yet")


def test_a_language_brings_its_limits_and_the_request_stands_over_them(api):
    defaults = {row["name"]: row["default_limits"]
                for row in api.http.get("/v1/languages").json()["data"]}
    for name, limits in ((name, limits) for name, limits in defaults.items() if name != "node"):
        row = api.submit({"language": name, "code": ""}).json()
        assert row["limits"] == limits, name
        row = api.submit({"language": name, "code": "", "limits": {"memory_mib": 333}}).json()
        assert row["limits"] == limits | {"memory_mib": 333}


def test_everything_at_its_limit_is_still_taken(api):
    body = {
        "language": "python",
        "code": "import sys\nprint(len(sys.stdin.buffer.read()), len(sys.argv))\n".ljust(
            256 * 1024, "#"),
        "stdin": "x" * (256 * 1024), "args": ["a"] * 128,
        "env": {f"V{n}": "v" * 500 for n in range(64)},
        "files": [{"path": f"{n}/" + "p" * 250, "content": "c" * 16_000} for n in range(32)],
        "metadata": {f"{n:02}".ljust(64, "k"): "m" * 512 for n in range(16)}, "thread": "t" * 128,
    }
    result = api.run(body)
    assert result["verdict"] == "ok", result
    assert result["stdout"] == f"{256 * 1024} 129\n"
    assert result["metadata"] == body["metadata"]
