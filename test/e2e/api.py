# SPDX-License-Identifier: Apache-2.0
"""A small client of the API, and of the operator's socket."""

import contextlib
import json
import time

import httpx

TERMINAL = ("finished", "rejected", "cancelled", "lost")
PROBLEM = "application/problem+json"


class Api:
    """Requests to one server under one key; every answer also goes to `check(response)`."""

    def __init__(self, url, api_key=None, check=None):
        headers = {"Authorization": f"Bearer {api_key}"} if api_key else {}
        hooks = {"response": [check]} if check else {}
        self.http = httpx.Client(base_url=url, headers=headers, timeout=90, event_hooks=hooks,
                                 limits=httpx.Limits(max_connections=64), trust_env=False)

    @classmethod
    def of(cls, server, check=None):
        return cls(server.url, server.api_key, check)

    def close(self):
        self.http.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    # --- executions ---

    def submit(self, body, wait=None, key=None, **fields):
        """The response to POST /v1/executions."""
        headers = {name.replace("_", "-"): value for name, value in fields.items()}
        if wait is not None:
            headers["Prefer"] = f"wait={wait}"
        if key is not None:
            headers["Idempotency-Key"] = f'"{key}"'
        return self.http.post("/v1/executions", json=body, headers=headers)

    def run(self, body, seconds=60, **fields):
        """The result of an execution, when it has ended."""
        response = self.submit(body, wait=min(seconds, 60), **fields)
        assert response.status_code in (200, 202), response.text
        result = response.json()
        if result["status"] in TERMINAL:
            return result
        return self.wait(result["id"], seconds)

    def get(self, execution, wait=None):
        headers = {"Prefer": f"wait={wait}"} if wait else {}
        response = self.http.get(f"/v1/executions/{execution}", headers=headers)
        assert response.status_code == 200, response.text
        return response.json()

    def wait(self, execution, seconds=60):
        """Its result, when it has ended."""
        deadline = time.monotonic() + seconds
        while True:
            left = deadline - time.monotonic()
            result = self.get(execution, wait=max(1, min(60, int(left))))
            if result["status"] in TERMINAL:
                return result
            assert left > 0, f"{execution} is still {result['status']} after {seconds} s"

    def events(self, execution, last=None):
        """Its events [(id, name, data)], read until the server ends the stream."""
        headers = {"Last-Event-ID": str(last)} if last is not None else {}
        with self.http.stream("GET", f"/v1/executions/{execution}/events",
                              headers=headers) as response:
            assert response.status_code == 200, response.read()
            assert response.headers["content-type"] == "text/event-stream"
            return [(int(number), name, data)
                    for number, name, data in sse_events(response.iter_lines())]

    @contextlib.contextmanager
    def output(self, execution, last=None):
        """An iterator over the events of its output, (id, name, data), as they come."""
        headers = {"Last-Event-ID": last} if last is not None else {}
        with self.http.stream("GET", f"/v1/executions/{execution}/output",
                              headers=headers) as response:
            assert response.status_code == 200, response.read()
            assert response.headers["content-type"] == "text/event-stream"
            yield sse_events(response.iter_lines())

    def cancel(self, execution):
        response = self.http.post(f"/v1/executions/{execution}/cancel")
        assert response.status_code == 202, response.text

    def all(self, path, **parameters):
        """Every item of a list, all pages of it."""
        items = []
        parameters = {"limit": 100} | parameters
        while True:
            response = self.http.get(path, params=parameters)
            assert response.status_code == 200, response.text
            page = response.json()
            items += page["data"]
            assert page["has_more"] == (page["next_cursor"] is not None)
            if not page["has_more"]:
                return items
            parameters["cursor"] = page["next_cursor"]

    def balance(self):
        response = self.http.get("/v1/billing/balance")
        assert response.status_code == 200, response.text
        return response.json()


class Operator:
    """The operator's verbs, over the unix socket."""

    def __init__(self, server):
        self.http = httpx.Client(transport=httpx.HTTPTransport(uds=server.operator_socket),
                                 base_url="http://operator", timeout=60)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.http.close()

    def create_organization(self, name, **rest):
        response = self.http.post("/operator/organizations", json={"name": name} | rest)
        assert response.status_code == 201, response.text
        return response.json()

    def get(self, path):
        response = self.http.get(path)
        assert response.status_code == 200, response.text
        return response.json()


def sse_events(lines):
    """(id, name, data) of a stream of lines, by the rules of server-sent events."""
    fields = {}
    for line in lines:
        if line == "":
            if "data" in fields:
                yield fields.get("id"), fields.get("event"), json.loads(fields["data"])
            fields = {}
        elif not line.startswith(":"):
            name, _, value = line.partition(":")
            value = value.removeprefix(" ")
            fields[name] = fields[name] + "\n" + value if name == "data" and name in fields \
                else value


def problem(response, status, code):
    """The problem document of an answer, which must be whole (RFC 9457)."""
    assert response.status_code == status, (response.status_code, response.text)
    assert response.headers["content-type"] == PROBLEM
    document = response.json()
    assert document["status"] == status
    assert document["code"] == code, document
    assert document["type"].endswith(f"/problems/{code}")
    assert document["title"]
    assert document["request_id"] == response.headers["request-id"]
    return document


def pointers(document):
    return [error["pointer"] for error in document.get("errors", [])]
