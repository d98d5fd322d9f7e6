# SPDX-License-Identifier: Apache-2.0
"""Live output from hosts elsewhere: from them to the gateway, and to nobody else."""

import ssl

import httpx
import pytest
from api import Api, sse_events
from host_process import Host
from processes import Process, free_port
from sandtrail_server import run_tool, wait_until

EXECUTION = "exe_00000000000000000000000001"
PATH = f"/data/v1/executions/{EXECUTION}/attempts/1/output"
WAITS = "while :; do sleep 1000; done"  # until it is ended


@pytest.fixture(scope="module")
def certs(directory):
    path = directory / "certs"
    run_tool("certs", "create-ca", "--dir", path)
    for role in ("gateway", "host", "launcher", "operator"):
        run_tool("certs", "issue", role, "--name", "one", "--address", "127.0.0.1", "--dir", path)
    return path


@pytest.fixture(scope="module")
def data_plane(directory, certs):
    """The address of a host with certificates. It has no launcher: it would serve all the same."""
    place = directory / "tls-host"
    place.mkdir()
    host = Process(place, "host", [
        "host", "--join", f"127.0.0.1:{free_port()}", "--listen", "127.0.0.1:0",
        "--admin-listen", "off", "--data-dir", place / "data", "--slots", 1])
    host.start({"SANDTRAIL_CLUSTER_CA_FILE": str(certs / "ca.crt"),
                "SANDTRAIL_CLUSTER_CERT_FILE": str(certs / "host-one.crt"),
                "SANDTRAIL_CLUSTER_KEY_FILE": str(certs / "host-one.key")})
    host.wait_ready()
    words = [line.split() for line in host.said.splitlines()]
    yield next(line[1] for line in words if line[:1] == ["output"])
    assert host.stop() == 0


def as_role(certs, role):
    context = ssl.create_default_context(cafile=certs / "ca.crt")
    if role:
        context.load_cert_chain(certs / f"{role}-one.crt", certs / f"{role}-one.key")
    return httpx.Client(verify=context, trust_env=False, timeout=30)


def test_a_gateway_is_told_what_the_host_runs(certs, data_plane):
    with as_role(certs, "gateway") as client:
        with client.stream("GET", f"https://{data_plane}{PATH}?stdout=0&stderr=7") as response:
            assert response.status_code == 200
            assert response.headers["content-type"] == "text/event-stream"
            assert list(sse_events(response.iter_lines())) == [(None, "end", {"end": "unknown"})]
        assert client.get(f"https://{data_plane}{PATH}?stdout=x").status_code == 400
        assert client.get(f"https://{data_plane}/data/v1/executions").status_code == 404
        assert client.post(f"https://{data_plane}{PATH}").status_code == 405


@pytest.mark.parametrize("role", ["host", "launcher", "operator"])
def test_other_roles_are_refused(certs, data_plane, role):
    with as_role(certs, role) as client:
        assert client.get(f"https://{data_plane}{PATH}").status_code == 403


def test_without_a_certificate_there_is_no_answer(certs, data_plane):
    with as_role(certs, None) as client, pytest.raises(httpx.TransportError):
        client.get(f"https://{data_plane}{PATH}")
    # In the clear: told what to do, and nothing else.
    answer = httpx.get(f"http://{data_plane}{PATH}", trust_env=False)
    assert (answer.status_code, "HTTPS" in answer.text) == (400, True)


@pytest.mark.embedded
def test_a_host_that_dies_leaves_a_gap_and_the_next_attempt_starts_over(directory, new_server,
                                                                       check):
    where = f"127.0.0.1:{free_port()}"
    server = new_server("joined", {"launcher": {"listen": where, "builtin_host": False}}).start()
    host = Host(directory / "host", [where]).start()
    wait_until(lambda: host.lines("host joined"), 30, "joining")
    try:
        with Api.of(server, check) as api:
            response = api.submit({"command": ["sh", "-c", f"echo one; {WAITS}"],
                                   "max_attempts": 2, "limits": {"wall_ms": 120_000}})
            execution = response.json()["id"]
            with api.output(execution) as events:
                assert [next(events)[1:] for _ in range(2)] == \
                    [("attempt", {"number": 1}), ("stdout", {"offset": 0, "text": "one\n"})]
                assert api.get(execution)["status"] == "started"
                host.kill()
                assert next(events)[1:] == ("gap", {"reason": "host_unreachable"})
                host.start()  # what its earlier epoch ran is gone
                assert [next(events)[1:] for _ in range(2)] == \
                    [("attempt", {"number": 2}), ("stdout", {"offset": 0, "text": "one\n"})]
                api.cancel(execution)
                rest = list(events)
            assert [name for _, name, _ in rest] == ["finished"]
            assert rest[0][2]["verdict"] == "cancelled"
    finally:
        host.stop()
        server.stop()
