# SPDX-License-Identifier: Apache-2.0
"""Output while the program runs: live, whole, resumable, and never to those who may not see it."""

import base64
import json
import secrets
import subprocess

import httpx
import pytest
from api import Api
from sandtrail_server import program, run_tool, wait_until

CONFIG = {"executions": {"slots": 4}}
WAITS = "while :; do sleep 1000; done"  # until it is ended
LIMITS = {"wall_ms": 120_000, "memory_mib": 64}


def start(api, script, **more):
    """The id of an execution of a shell script that is accepted, and runs soon."""
    body = {"command": ["sh", "-c", script], "limits": LIMITS | more.pop("limits", {})} | more
    response = api.submit(body)
    assert response.status_code == 202, response.text
    return response.json()["id"]


def until(events, name):
    """Events up to and with the first of that name."""
    taken = []
    for event in events:
        taken.append(event)
        if event[1] == name:
            return taken
    raise AssertionError(f"no {name} among {[event[1] for event in taken]}")


def bytes_of(events, out=b"", err=b""):
    """Both streams, as a client puts them together from what it had and these events."""
    seen = {"stdout": out, "stderr": err}
    for _, name, data in events:
        if name == "attempt":
            seen = {"stdout": b"", "stderr": b""}
        if name in seen:
            assert data["offset"] == len(seen[name])
            assert ("text" in data) != ("base64" in data)
            seen[name] += data["text"].encode() if "text" in data \
                else base64.b64decode(data["base64"], validate=True)
    return seen["stdout"], seen["stderr"]


def kept_bytes(result, stream):
    if f"{stream}_base64" in result:
        return base64.b64decode(result[f"{stream}_base64"])
    return result[stream].encode()


def names(events):
    return [name for _, name, _ in events]


def test_output_comes_while_the_program_runs(api, server):
    mark = f"mark{secrets.token_hex(8)}"
    execution = start(api, f"echo {mark}; echo warned >&2; {WAITS}")
    assert api.get(execution)["urls"]["output"] == f"/v1/executions/{execution}/output"
    with api.output(execution) as events:
        taken = until(events, "stderr")
        assert bytes_of(taken) == (mark.encode() + b"\n", b"warned\n")
        assert taken[0][1:] == ("attempt", {"number": 1})
        assert api.get(execution)["status"] == "started"
        api.cancel(execution)
        rest = list(events)
    assert names(rest) == ["finished"]
    assert rest[0][2]["status"] == "finished" and rest[0][2]["verdict"] == "cancelled"
    result = api.get(execution)
    assert (result["stdout"], result["stderr"]) == (mark + "\n", "warned\n")
    assert mark not in server.log_tail(1 << 24)


def test_a_late_reader_and_one_after_the_end_see_the_same(api):
    # In one write, so that both lines are there when the first is seen.
    execution = start(api, f"printf 'one\\ntwo\\n'; {WAITS}")
    with api.output(execution) as events:
        until(events, "stdout")
    with api.output(execution) as late:
        taken = until(late, "stdout")
        api.cancel(execution)
        taken += list(late)
    with api.output(execution) as after:
        stored = list(after)
    assert bytes_of(taken) == bytes_of(stored) == (b"one\ntwo\n", b"")
    assert names(stored) == ["attempt", "stdout", "finished"]
    assert taken[-1][2] == stored[-1][2]


def test_a_reader_resumes_behind_any_event(api):
    execution = start(api, f"echo one; echo two >&2; {WAITS}")
    with api.output(execution) as events:
        taken = until(events, "stderr")
    # In the midst of it: nothing comes twice.
    with api.output(execution, last=taken[-1][0]) as events:
        api.cancel(execution)
        assert names(events) == ["finished"]
    with api.output(execution, last="1-2-0") as events:
        assert bytes_of(events, out=b"on") == (b"one\n", b"two\n")
    with api.output(execution) as events:
        whole = list(events)
    for number, (last, _, _) in enumerate(whole[:-1]):
        with api.output(execution, last=last) as events:
            assert list(events) == whole[number + 1:]
    response = api.http.get(f"/v1/executions/{execution}/output",
                            headers={"Last-Event-ID": "nonsense"})
    assert response.status_code == 400


def test_any_bytes_in_any_pieces_come_as_they_were(api):
    code = ("import os\n"
            "data = bytes(range(256)) * 20 + 'äöü€😀'.encode() * 300 + bytes(range(255, -1, -1))\n"
            "for at in range(0, len(data), 7):\n"
            "    os.write(1 if at % 14 else 2, data[at:at + 7])\n")
    body = {"language": "python", "code": code}
    execution = api.submit(body).json()["id"]
    with api.output(execution) as events:
        taken = list(events)
    result = api.wait(execution)
    assert bytes_of(taken) == (kept_bytes(result, "stdout"), kept_bytes(result, "stderr"))
    assert len(kept_bytes(result, "stdout")) + len(kept_bytes(result, "stderr")) == \
        256 * 20 + len("äöü€😀".encode()) * 300 + 256


def test_text_that_is_written_byte_by_byte_comes_as_text(api):
    code = ("import os, time\n"
            "for byte in 'größer als 5 €, 😀\\n'.encode():\n"
            "    os.write(1, bytes([byte]))\n"
            "    time.sleep(0.01)\n")
    execution = api.submit({"language": "python", "code": code}).json()["id"]
    with api.output(execution) as events:
        taken = list(events)
    assert bytes_of(taken)[0].decode() == "größer als 5 €, 😀\n"
    assert all("text" in data for _, name, data in taken if name == "stdout")


def test_a_line_that_python_prints_comes_when_it_is_printed(api):
    code = "import time\nprint('now', 1)\ntime.sleep(1000)\n"
    execution = api.submit({"language": "python", "code": code, "limits": LIMITS}).json()["id"]
    taken = []
    with api.output(execution) as events:
        for event in events:
            taken.append(event)
            if bytes_of(taken)[0] == b"now 1\n":
                api.cancel(execution)
    assert taken[-1][2]["verdict"] == "cancelled"


def test_past_the_cap_it_is_told_and_nothing_more_comes(api):
    script = f"head -c 5000 /dev/zero | tr '\\0' x; {WAITS}"
    execution = start(api, script, limits={"output_bytes": 1000})
    with api.output(execution) as events:
        taken = until(events, "truncated")
        assert taken[-1][2] == {"stream": "stdout", "offset": 1000}
        assert bytes_of(taken) == (b"x" * 1000, b"")
        api.cancel(execution)
        end = list(events)
    assert names(end) == ["finished"]
    # Of a program that is ended from outside the total is a lower bound.
    assert end[0][2]["stdout_truncated"] is True and 1000 < end[0][2]["stdout_bytes"] <= 5000


def test_a_program_that_waits_for_its_host_is_followed_from_its_beginning(api):
    """The stream is there before the program: all slots are taken."""
    busy = [start(api, WAITS) for _ in range(4)]
    wait_until(lambda: all(api.get(one)["status"] == "started" for one in busy))
    execution = start(api, f"echo first; {WAITS}")
    with api.output(execution) as events:
        api.cancel(busy[0])
        assert bytes_of(until(events, "stdout")) == (b"first\n", b"")
        for one in [*busy[1:], execution]:
            api.cancel(one)
        assert names(events) == ["finished"]


def test_an_execution_that_never_runs_has_an_end(api):
    busy = [start(api, WAITS) for _ in range(4)]
    wait_until(lambda: all(api.get(one)["status"] == "started" for one in busy))
    execution = start(api, "true")
    with api.output(execution) as events:
        api.cancel(execution)
        taken = list(events)
    assert names(taken) == ["finished"] and taken[0][2]["status"] == "cancelled"
    for one in busy:
        api.cancel(one)


def test_a_revoked_key_cuts_the_stream(api, server):
    response = api.http.post("/v1/api-keys", json={"name": "reader", "role": "viewer"})
    assert response.status_code == 201
    key = response.json()
    execution = start(api, f"echo first; {WAITS}")
    with Api(server.url, key["api_key"]) as reader, reader.output(execution) as events:
        until(events, "stdout")
        assert api.http.delete(f"/v1/api-keys/{key['id']}").status_code == 204
        with pytest.raises(httpx.RemoteProtocolError):
            list(events)
    api.cancel(execution)


def test_of_an_erased_execution_there_is_the_end_alone(api):
    result = api.run({"command": ["echo", "secret"], "retention": {"seconds": 1}})
    wait_until(lambda: api.get(result["id"])["erased"], what="the erasure")
    with api.output(result["id"]) as events:
        taken = list(events)
    assert names(taken) == ["attempt", "finished"]
    assert taken[-1][2]["erased"] is True and taken[-1][2]["verdict"] == "ok"


def test_a_new_attempt_starts_over_and_says_so(new_server, check):
    server = new_server("killed").start()
    with Api.of(server, check) as api:
        execution = start(api, f"echo attempt; {WAITS}", max_attempts=2)
        with api.output(execution) as events:
            taken = until(events, "stdout")
            server.kill()
            with pytest.raises(httpx.TransportError):
                list(events)
    server.start()
    with Api.of(server, check) as api:
        with api.output(execution, last=taken[-1][0]) as events:
            more = until(events, "stdout")
            assert more[0][1:] == ("attempt", {"number": 2})
            assert more[-1][0].startswith("2-")
            assert bytes_of(more) == (b"attempt\n", b"")
            api.cancel(execution)
            assert names(events) == ["finished"]
    server.stop()


def test_the_command_line_shows_it_as_it_comes(api, server):
    mark = secrets.token_hex(8)
    process = subprocess.Popen(
        [program(), "run", "--data-dir", server.data_dir, "-m", f"mark={mark}", "--wall-ms",
         "120000", "--", "sh", "-c", f"echo first; echo warned >&2; {WAITS}"],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    try:
        assert process.stdout.readline() == "first\n"
        assert process.stderr.readline() == "warned\n"
        assert process.poll() is None
        execution = api.all("/v1/executions", **{"metadata[mark]": mark})[0]
        # What it prints is passed on before the log says that it began.
        wait_until(lambda: api.get(execution["id"])["status"] == "started")
        api.cancel(execution["id"])
        out, err = process.communicate(timeout=30)
        assert (process.returncode, out) == (125, "") and "cancelled" in err
    finally:
        process.kill()
        process.wait()
    done = run_tool("executions", "output", execution["id"], "--data-dir", server.data_dir)
    assert (done.stdout, done.stderr) == ("first\n", "warned\n")


def test_the_command_line_ends_when_nobody_reads_it(server):
    process = subprocess.Popen(
        [program(), "run", "--data-dir", server.data_dir, "--wall-ms", "120000", "--memory-mib",
         "64", "--", "sh", "-c", "while echo y; do sleep 0.05; done"],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    assert process.stdout.readline() == "y\n"
    process.stdout.close()
    assert process.wait(30) == 141
    process.stderr.close()
    rows = json.loads(run_tool("executions", "ls", "--status", "started", "--json", "--data-dir",
                               server.data_dir).stdout.splitlines()[0])
    run_tool("executions", "cancel", (rows[0] if isinstance(rows, list) else rows)["id"],
             "--data-dir", server.data_dir)
