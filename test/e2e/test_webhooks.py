# SPDX-License-Identifier: Apache-2.0
"""Webhooks as receivers see them: retries, refusals, signatures, and what the API says of them."""

import contextlib
import ipaddress
import socket
import time
from email.utils import formatdate
from pathlib import Path

import pytest
import standardwebhooks
from api import Api, problem
from sandtrail_server import wait_until
from webhook_sink import Answer, WebhookSink

SCHEDULE = [1, 1, 2]  # seconds
SLACK = 0.1  # clocks of sink and server differ in their rounding
CONFIG = {"webhooks": {"retry_schedule": SCHEDULE}}
QUICK = {"command": ["true"]}


def deliveries(api, execution):
    return api.all(f"/v1/executions/{execution}/deliveries")


def delivery_of(api, execution):
    """The one delivery about an execution, with its attempts."""
    (listed,) = wait_until(lambda: deliveries(api, execution), what="the delivery")
    return api.http.get(f"/v1/deliveries/{listed['id']}").json()


def ended(api, execution):
    def over():
        delivery = delivery_of(api, execution)
        return delivery if delivery["status"] != "scheduled" else None

    return wait_until(over, what="the end of the delivery")


def gaps(received):
    return [later.at - sooner.at for sooner, later in zip(received, received[1:])]


def test_a_delivery_is_tried_again_by_the_schedule(api, sink):
    sink.script("/flaky", 500, 503, 404, 200)
    result = api.run(QUICK | {"callback_url": sink.url("/flaky")})
    received = sink.wait_for(4, "/flaky")
    for gap, wait in zip(gaps(received), SCHEDULE):
        assert gap >= wait - SLACK
    assert len({request.webhook_id for request in received}) == 1
    assert len({request.body for request in received}) == 1
    timestamps = [int(request.headers["webhook-timestamp"]) for request in received]
    assert timestamps == sorted(timestamps) and timestamps[0] < timestamps[-1]
    delivery = ended(api, result["id"])
    assert delivery["status"] == "delivered" and delivery["id"] == received[0].webhook_id
    assert [attempt["status"] for attempt in delivery["attempts"]] == [500, 503, 404, 200]
    assert [attempt["number"] for attempt in delivery["attempts"]] == [1, 2, 3, 4]
    assert all(attempt["total_us"] > 0 for attempt in delivery["attempts"])


def test_after_the_last_wait_a_delivery_is_given_up(api, sink):
    sink.script("/never", 500)
    result = api.run(QUICK | {"callback_url": sink.url("/never")})
    delivery = ended(api, result["id"])
    assert delivery["status"] == "exhausted" and delivery["reason"] == "attempts"
    assert len(sink.at("/never")) == len(SCHEDULE) + 1 == delivery["attempt_count"]


def test_a_receiver_that_is_not_there_is_tried_again(api, sink):
    sink.close()
    result = api.run(QUICK | {"callback_url": sink.url("/late")})
    wait_until(lambda: delivery_of(api, result["id"]).get("attempts"), what="the first attempt")
    sink.open()
    assert ended(api, result["id"])["status"] == "delivered"
    attempt = delivery_of(api, result["id"])["attempts"][0]
    assert attempt["status"] == 0 and attempt["error"] == "unavailable"


@pytest.mark.parametrize("status", [429, 503])
def test_retry_after_is_honoured(api, sink, status):
    path = f"/wait-{status}"
    sink.script(path, Answer(status, {"Retry-After": "3"}), 200)
    api.run(QUICK | {"callback_url": sink.url(path)})
    received = sink.wait_for(2, path)
    assert gaps(received)[0] >= 3 - SLACK


def test_retry_after_may_be_a_date(api, sink):
    until = int(time.time()) + 4
    sink.script("/date", Answer(503, {"Retry-After": formatdate(until, usegmt=True)}), 200)
    api.run(QUICK | {"callback_url": sink.url("/date")})
    sink.wait_for(2, "/date")
    assert time.time() >= until - SLACK


def test_redirects_are_failures_and_never_followed(api, sink):
    sink.script("/moved", Answer(302, {"Location": sink.url("/elsewhere")}),
                Answer(307, {"Location": sink.url("/elsewhere")}), 200)
    result = api.run(QUICK | {"callback_url": sink.url("/moved")})
    delivery = ended(api, result["id"])
    assert [attempt["status"] for attempt in delivery["attempts"]] == [302, 307, 200]
    assert sink.at("/elsewhere") == []


def test_a_slow_receiver_holds_up_only_itself(api, sink):
    sink.script("/slow", Answer(200, delay_seconds=3))
    for _ in range(20):
        api.submit(QUICK | {"callback_url": sink.url("/slow", host="127.0.0.2")})
    api.run(QUICK | {"callback_url": sink.url("/quick")})
    (request,) = sink.wait_for(1, "/quick", seconds=10)
    assert request.message["type"] == "execution.finished"


def test_large_answers_and_odd_fields_do_no_harm(api, sink):
    sink.script("/large", Answer(200, {"X-Odd": "\xe4" * 1000}, body=b"x" * (5 << 20)))
    result = api.run(QUICK | {"callback_url": sink.url("/large")})
    assert ended(api, result["id"])["status"] == "delivered"


def test_output_that_is_large_stays_out_of_the_message(api, sink):
    api.run({"command": ["sh", "-c", "yes | head -c 60000"],
             "callback_url": sink.url("/output")})
    message = sink.wait_for(1, "/output")[0].message
    assert message["data"]["output_omitted"] is True and "stdout" not in message["data"]
    assert len(sink.at("/output")[0].body) < 20_000
    api.run({"command": ["printf", "\\377"], "callback_url": sink.url("/bytes")})
    data = sink.wait_for(1, "/bytes")[0].message["data"]
    assert data["stdout_base64"] == "/w==" and "stdout" not in data


# --- endpoints ---

@pytest.fixture
def endpoint(api, sink):
    """A function that makes an endpoint; it is deleted after the test."""
    made = []

    def make(path, events=None):
        body = {"url": sink.url(path)} | ({"events": events} if events else {})
        response = api.http.post("/v1/webhook-endpoints", json=body)
        assert response.status_code == 201, response.text
        made.append(response.json())
        return made[-1]

    yield make
    for row in made:
        api.http.delete(f"/v1/webhook-endpoints/{row['id']}")


def test_an_endpoint_gets_what_it_asked_for(api, sink, endpoint):
    everything = endpoint("/all")
    finished = endpoint("/finished", ["execution.finished"])
    endpoint("/cancelled", ["execution.cancelled", "execution.lost"])
    endpoint("/any", ["execution.*"])
    result = api.run(QUICK)
    for path, row in (("/all", everything), ("/finished", finished)):
        (request,) = sink.wait_for(1, path)
        message = standardwebhooks.Webhook(row["secret"]).verify(request.body, request.headers)
        assert message["data"]["id"] == result["id"]
    sink.wait_for(1, "/any")
    wait_until(lambda: all(row["status"] == "delivered" for row in deliveries(api, result["id"])),
               what="all deliveries")
    assert len(deliveries(api, result["id"])) == 3 and sink.at("/cancelled") == []
    assert finished["secret"] != everything["secret"]
    (listed,) = api.all(f"/v1/webhook-endpoints/{finished['id']}/deliveries")
    assert listed["endpoint"] == finished["id"] and listed["callback"] is False


def test_endpoints_can_be_seen_and_deleted_and_never_show_their_secret(api, sink, endpoint):
    row = endpoint("/seen", ["execution.finished"])
    shown = api.http.get(f"/v1/webhook-endpoints/{row['id']}").json()
    assert shown == {name: value for name, value in row.items() if name != "secret"}
    assert shown in api.all("/v1/webhook-endpoints")
    assert api.http.delete(f"/v1/webhook-endpoints/{row['id']}").status_code == 204
    problem(api.http.get(f"/v1/webhook-endpoints/{row['id']}"), 404, "not_found")
    api.run(QUICK | {"callback_url": sink.url("/after")})
    sink.wait_for(1, "/after")
    assert sink.at("/seen") == []


@pytest.mark.parametrize("body, pointer", [
    ({"url": "nonsense"}, "/url"), ({"url": "ftp://example.com/"}, "/url"),
    ({"url": "https://user:pass@example.com/"}, "/url"),
    ({"url": "https://example.com/", "events": ["sandbox.*"]}, "/events/0"),
    ({"url": "https://example.com/" + "x" * 3000}, "/url"), ({}, "/url"),
])
def test_endpoints_that_make_no_sense_are_refused(api, body, pointer):
    response = api.http.post("/v1/webhook-endpoints", json=body)
    assert [e["pointer"] for e in problem(response, 422, "invalid_request")["errors"]] == [pointer]


def test_gone_disables_the_endpoint(api, sink, endpoint):
    sink.script("/gone", 410)
    row = endpoint("/gone")
    result = api.run(QUICK)
    shown = wait_until(lambda: (lambda r: r if not r["enabled"] else None)(
        api.http.get(f"/v1/webhook-endpoints/{row['id']}").json()), what="the disabling")
    assert "410" in shown["disabled_reason"]
    assert ended(api, result["id"])["status"] == "exhausted"
    api.run(QUICK | {"callback_url": sink.url("/still-called")})
    sink.wait_for(1, "/still-called")
    assert len(sink.at("/gone")) == 1


def test_messages_about_rejected_and_cancelled_executions(server, api, sink, endpoint):
    endpoint("/ends", ["execution.*"])
    # Slots of the host: the rest waits, and can still be cancelled as never started.
    running = [api.submit({"command": ["sleep", "100"], "limits": {"wall_ms": 100_000}}).json()
               for _ in range(4)]
    waiting = running[-1]["id"]
    api.http.post(f"/v1/executions/{waiting}/cancel")
    assert api.wait(waiting)["status"] in ("cancelled", "finished")
    for row in running:
        api.http.post(f"/v1/executions/{row['id']}/cancel")
    ends = {row["id"]: api.wait(row["id"]) for row in running}
    for request in sink.wait_for(4, "/ends"):
        end = ends[request.message["data"]["id"]]
        assert request.message["type"] == f"execution.{end['status']}"
        if end["status"] == "finished":
            assert end["verdict"] == "cancelled"


# --- addresses ---

def name_on_loopback():
    """(name, address): a name of this machine, other than localhost, for a loopback address."""
    names = [socket.gethostname()]
    for line in Path("/etc/hosts").read_text(encoding="utf-8").splitlines():
        names += line.partition("#")[0].split()[1:]
    for name in names:
        with contextlib.suppress(OSError):
            address = socket.gethostbyname(name)
            if name != "localhost" and ipaddress.ip_address(address).is_loopback:
                return name, address
    return None


def test_names_that_resolve_to_private_addresses_are_refused_when_called(new_server, api):
    found = name_on_loopback()
    if found is None:
        pytest.skip("no name of this machine but localhost leads to a loopback address")
    name, address = found
    strict = new_server("strict", {"webhooks": {"allow_private_addresses": False,
                                                "retry_schedule": [1]}}).start()
    with WebhookSink(address) as sink, Api.of(strict) as client:
        url = sink.url("/private", host=name)
        result = client.run(QUICK | {"callback_url": url})
        attempt = wait_until(lambda: delivery_of(client, result["id"]).get("attempts"),
                             what="the attempt")[0]
        assert attempt["error"] == "address_not_allowed" and attempt["status"] == 0
        assert ended(client, result["id"])["status"] == "exhausted"
        assert sink.received == []
        api.run(QUICK | {"callback_url": url})
        sink.wait_for(1, "/private")
    assert strict.stop() == 0


def test_networks_can_be_allowed_one_by_one(new_server, sink):
    some = new_server("some", {"webhooks": {"allow_private_addresses": False,
                                            "allow_cidrs": ["127.0.0.1/32"]}}).start()
    with Api.of(some) as client:
        client.run(QUICK | {"callback_url": sink.url("/allowed")})
        sink.wait_for(1, "/allowed")
        problem(client.submit(QUICK | {"callback_url": sink.url("/no", host="127.0.0.2")}),
                422, "invalid_request")
    assert some.stop() == 0


# --- restarts ---

@pytest.mark.parametrize("end", ["stop", "kill"])
def test_retries_go_on_after_a_restart(server, sink, end):
    path = f"/restart-{end}"
    sink.script(path, 500, 500, 200)
    with Api.of(server) as client:
        result = client.run(QUICK | {"callback_url": sink.url(path)})
        sink.wait_for(1, path)
        if end == "stop":  # by then it is written down, and the next one is a while away
            wait_until(lambda: delivery_of(client, result["id"])["attempt_count"] == 1)
    getattr(server, end)()
    server.start()
    received = sink.wait_for(3, path)
    assert len({request.webhook_id for request in received}) == 1
    assert len({request.body for request in received}) == 1
    with Api.of(server) as client:
        delivery = ended(client, result["id"])
    assert delivery["status"] == "delivered"
    # The attempt that was under way when it was killed may not have been written down.
    assert len(sink.at(path)) - delivery["attempt_count"] in ((0, 1) if end == "kill" else (0,))
