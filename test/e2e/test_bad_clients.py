# SPDX-License-Identifier: Apache-2.0
"""Clients that are slow, half gone or too many, while others are served."""

import contextlib
import os
import socket
from concurrent.futures import ThreadPoolExecutor
from urllib.parse import urlsplit

import pytest
from api import TERMINAL, Api, problem
from sandtrail_server import wait_until

CONFIG = {"executions": {"slots": 4}, "billing": {"signup_credits": 100_000}}
FINE = {"command": ["true"], "limits": {"memory_mib": 16}}
REQUEST = b"POST /v1/executions HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"


@contextlib.contextmanager
def connections(server, count):
    """Plain TCP connections."""
    address = urlsplit(server.url)
    with contextlib.ExitStack() as stack:
        yield [stack.enter_context(socket.create_connection((address.hostname, address.port), 30))
               for _ in range(count)]


def answer_of(client):
    """All that the server says until it closes."""
    client.settimeout(30)
    answer = b""
    with contextlib.suppress(ConnectionResetError):
        while block := client.recv(65536):
            answer += block
    return answer


def test_slow_clients_do_not_hold_up_others(server, api):
    with connections(server, 200) as slow:
        for client in slow[:100]:
            client.sendall(REQUEST[:40])  # never the end of its fields
        for client in slow[100:]:
            client.sendall(REQUEST + b"Content-Length: 1000\r\n\r\n{")  # never the whole body
        for _ in range(20):
            assert api.run(FINE)["verdict"] == "ok"


def test_clients_that_go_away_half_way_do_no_harm(server, api):
    with connections(server, 50) as clients:
        for client in clients:
            client.sendall(REQUEST + b"Content-Length: 1000\r\n\r\n{")
            client.shutdown(socket.SHUT_WR)
    key = f"Authorization: Bearer {server.api_key}\r\n".encode()
    body = b'{"command": ["sleep", "0.2"]}'
    with connections(server, 20) as clients:
        for client in clients:  # asks for the result and does not wait for it
            client.sendall(REQUEST + key + b"Prefer: wait=30\r\nContent-Length: %d\r\n\r\n%s"
                           % (len(body), body))
    wait_until(lambda: not api.http.get("/v1/executions", params={"limit": 100, "status":
                                                                  "requested"}).json()["data"],
               what="the end of what the gone asked for")
    assert api.run(FINE)["verdict"] == "ok"


def test_readers_that_stall_do_not_hold_up_others(server, api):
    done = api.run({"command": ["true"]})
    key = f"Authorization: Bearer {server.api_key}\r\n"
    line = f"GET /v1/executions/{done['id']}/events HTTP/1.1\r\nHost: x\r\n{key}\r\n"
    with connections(server, 100) as clients:
        for client in clients:
            client.sendall(line.encode())  # and never reads
        for _ in range(20):
            assert api.run(FINE)["verdict"] == "ok"


NOT_HTTP = {
    "noise": b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03 hello\r\n\r\n",
    "no version": b"GET /v1/executions\r\n\r\n",
    "two lengths": REQUEST + b"Content-Length: 2\r\nContent-Length: 3\r\n\r\n{}",
    "length and chunks": REQUEST + b"Content-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n{}",
    "negative length": REQUEST + b"Content-Length: -1\r\n\r\n",
    "bad chunk": REQUEST + b"Transfer-Encoding: chunked\r\n\r\nzz\r\n",
    "space in a name": b"GET / HTTP/1.1\r\nHost : x\r\n\r\n",
    "folded field": b"GET / HTTP/1.1\r\nHost: x\r\nA: b\r\n c\r\n\r\n",
    "NUL in a field": b"GET / HTTP/1.1\r\nHost: x\r\nA: b\0c\r\n\r\n",
    "fields without end": b"GET / HTTP/1.1\r\nHost: x\r\n" + b"A: b\r\n" * 20_000 + b"\r\n",
    "target without end": b"GET /" + b"a" * 100_000 + b" HTTP/1.1\r\nHost: x\r\n\r\n",
}


@pytest.mark.parametrize("name", NOT_HTTP)
def test_what_is_not_http_is_refused_and_the_connection_closed(server, api, name):
    with connections(server, 1) as (client,):
        with contextlib.suppress(BrokenPipeError, ConnectionResetError):
            client.sendall(NOT_HTTP[name])
        answer = answer_of(client)
    assert answer[:10] in (b"HTTP/1.1 4", b"HTTP/1.1 5", b""), answer[:200]
    if answer:
        assert b"application/problem+json" in answer
    assert api.http.get("/v1/languages").status_code == 200


def test_more_than_the_queue_holds_is_refused_and_nothing_accepted_is_lost(server, operator):
    limits = {"queued_max": 40, "running_max": 4}
    made = operator.create_organization("busy", grant_credits=1000, limits=limits)
    with Api(server.url, made["api_key"]) as client:
        with ThreadPoolExecutor(16) as pool:
            answers = list(pool.map(lambda _: client.submit(FINE), range(300)))
        accepted = [answer.json()["id"] for answer in answers if answer.status_code == 202]
        refused = [answer for answer in answers if answer.status_code != 202]
        assert len(accepted) >= 40 and refused, "both happen"
        for answer in refused:
            problem(answer, answer.status_code,
                    "queue_full" if answer.status_code == 429 else "overloaded")
            assert int(answer.headers["retry-after"]) >= 1
        results = [client.wait(execution) for execution in accepted]
        assert {result["status"] for result in results} == {"finished"}
        listed = client.all("/v1/executions")
        assert {row["id"] for row in listed} == set(accepted), "what was refused left nothing"
        assert all(row["status"] in TERMINAL for row in listed)


def test_the_process_is_as_it_was_after_all_this(server, api):
    """No descriptors stay open for clients that went away."""
    def descriptors():
        return len(os.listdir(f"/proc/{server.pid}/fd"))

    before = descriptors()
    with connections(server, 300):
        wait_until(lambda: descriptors() >= before + 290, what="the connections")
    wait_until(lambda: descriptors() <= before + 2, what="their end")
    assert api.http.get("/v1/languages").status_code == 200
