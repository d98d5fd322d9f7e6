# SPDX-License-Identifier: Apache-2.0
"""Payloads are gone when they should be, and never stand anywhere in plain text."""

import secrets

import pytest
from api import Api
from sandtrail_server import wait_until
from traces import events_of, files_that_hold, forms_of

CONFIG = {"audit": {"checkpoint_interval_ms": 200}}
LARGE = 100_000  # beyond what stands in a record: goes to the object store


class Marked:
    """A request whose every private part holds a mark of its own."""

    def __init__(self, retention, large=False):
        self.marks = {part: f"mark{secrets.token_hex(12)}" for part in
                      ("code", "stdin", "env", "stdout", "stderr", "file", "path", "arg",
                       "metadata", "thread", "callback")}
        m = self.marks
        padding = "#" * LARGE if large else ""
        # The output is made by the program: its mark stands reversed in the code.
        self.body = {
            "language": "python",
            "code": f"import sys\n# {m['code']}\nprint('{m['stdout'][::-1]}'[::-1])\n"
                    f"print('{m['stderr'][::-1]}'[::-1], file=sys.stderr)\n"
                    + ("print('x' * 60000)\n" if large else "") + padding,
            "stdin": m["stdin"], "env": {"SECRET": m["env"]}, "args": [m["arg"]],
            "files": [{"path": m["path"], "content": m["file"]}],
            "metadata": {"secret": m["metadata"]}, "thread": m["thread"],
            "callback_url": f"http://127.0.0.1:9/{m['callback']}",
            "retention": retention,
        }


def erased(api, execution):
    return wait_until(lambda: (lambda r: r if r["erased"] else None)(api.get(execution)),
                      what="the erasure")


def stored_objects(server):
    return {path for path in (server.data_dir / "objects").rglob("*") if path.is_file()}


@pytest.mark.parametrize("large", [False, True], ids=["small", "large"])
def test_after_its_time_a_payload_is_gone(server, large):
    marked = Marked({"seconds": 4}, large)
    with Api.of(server) as api:
        result = api.run(marked.body)
        assert result["stdout"].startswith(marked.marks["stdout"] + "\n")
        assert result["expires_at"] > result["ended_at"] and result["retention"] == "4s"
        key = next(event["payload"]["key"]
                   for kind, event in events_of(server, result["id"])
                   if kind == "sandtrail.execution.requested")
        wrapped = server.wrapped_key(key)
        assert server.keeps_key(key, wrapped), "the key is found while it lives"
        objects = stored_objects(server)
        assert bool(objects) == large
        shown = erased(api, result["id"])
        for name in ("stdout", "stderr", "metadata", "thread"):
            assert name not in shown, name
        for name in ("verdict", "exit_code", "usage", "cost", "ended_at"):
            assert shown[name] == result.get(name) or name == "cost", name
        assert api.all("/v1/executions", thread=marked.marks["thread"]) == []
        wait_until(lambda: "sandtrail.execution.key_destroyed" in
                   [kind for kind, _ in events_of(server, result["id"])],
                   what="the end of the key")
        names = [name for _, name, _ in api.events(result["id"])]
        assert names[-2:] == ["execution.erased", "execution.key_destroyed"]
    assert not server.keeps_key(key, wrapped)
    assert not stored_objects(server) & objects


def test_no_mark_stands_in_any_file_at_any_time(server):
    marked = [Marked("7d"), Marked("7d", large=True), Marked({"seconds": 1})]
    secrets_shown = []
    with Api.of(server) as api:
        endpoint = api.http.post("/v1/webhook-endpoints", json={"url": "http://127.0.0.1:9/"})
        secrets_shown.append(endpoint.json()["secret"])
        secrets_shown.append(api.http.post("/v1/api-keys", json={"name": "n"}).json()["api_key"])
        results = [api.run(one.body) for one in marked]
        # Also as it is while they run.
        wanted = [form for one in marked for mark in one.marks.values() for form in forms_of(mark)]
        wanted += [form for text in secrets_shown for form in forms_of(text)]
        assert files_that_hold(server.directory, wanted) == []
        for one, result in zip(marked, results):
            assert api.get(result["id"])["verdict"] == "ok"
            if one is not marked[2]:
                assert api.get(result["id"])["metadata"]["secret"] == one.marks["metadata"]
        erased(api, results[2]["id"])
    server.restart()
    assert files_that_hold(server.directory, wanted) == []
    with Api.of(server) as api:
        assert api.get(results[0]["id"])["stdout"] == marked[0].marks["stdout"] + "\n"
    server.kill()
    assert files_that_hold(server.directory, wanted) == []
    # The search itself finds what is there.
    (server.data_dir / "planted").write_bytes(b"..." + wanted[0] + b"...")
    assert files_that_hold(server.data_dir, wanted) == [server.data_dir / "planted"]
    (server.data_dir / "planted").unlink()
    server.start()


def test_what_is_kept_for_good_is_kept(server):
    with Api.of(server) as api:
        result = api.run({"command": ["echo", "kept"], "retention": "indefinite"})
        assert result["retention"] == "indefinite" and "expires_at" not in result


def test_erasure_that_was_due_while_the_server_was_down_is_made_up_for(server):
    marked = Marked({"seconds": 1})
    with Api.of(server) as api:
        result = api.run(marked.body)
    server.kill()
    server.start()
    with Api.of(server) as api:
        assert "stdout" not in erased(api, result["id"])
