# SPDX-License-Identifier: Apache-2.0
"""Whatever clients send, the answer is a problem document that says what is wrong."""

import json
from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest
from api import Api, Operator, pointers, problem

# As a user has it who configured nothing: no calls to private addresses.
CONFIG = {"webhooks": {"allow_private_addresses": False}}
FINE = {"command": ["true"]}
CODE_BYTES_MAX = 256 * 1024
BODY_BYTES_MAX = 2 << 20


def post(api, body, **headers):
    return api.http.post("/v1/executions", content=body,
                         headers={"Content-Type": "application/json"} | headers)


NOT_JSON = {
    "nothing": b"",
    "cut off": b'{"command": ["tr',
    "two values": b"{} {}",
    "trailing comma": b'{"command": ["true"],}',
    "single quotes": b"{'command': ['true']}",
    "a bare word": b"true!",
    "not a number": b'{"max_attempts": NaN}',
    "a byte that is not UTF-8": b'{"language": "sh", "code": "\xff"}',
    "UTF-8 of a surrogate": b'{"language": "sh", "code": "\xed\xa0\x80"}',
    "an overlong encoding": b'{"language": "sh", "code": "\xc0\xaf"}',
    "half a surrogate pair": b'{"language": "sh", "code": "\\ud800"}',
    "a control character": b'{"language": "sh", "code": "a\x01b"}',
    "too deep a list": b"[" * 100_000,
    "too deep an object": b'{"a":' * 1000 + b"1" + b"}" * 1000,
    "a depth that closes": b"[" * 40 + b"]" * 40,
}


@pytest.mark.parametrize("name", NOT_JSON)
def test_what_is_not_json_is_refused(api, name):
    problem(post(api, NOT_JSON[name]), 400, "malformed_json")


@pytest.mark.parametrize("body", [b"[]", b"null", b"1", b'"text"'])
def test_json_that_is_no_object_is_refused(api, body):
    problem(post(api, body), 422, "invalid_request")


def test_a_body_over_the_limit_is_refused(api):
    body = json.dumps({"command": ["true", "x" * BODY_BYTES_MAX]}).encode()
    problem(post(api, body), 413, "body_too_large")


def test_a_body_of_another_kind_is_refused(api):
    problem(post(api, b"command=true", **{"Content-Type": "application/x-www-form-urlencoded"}),
            415, "unsupported_media_type")
    problem(api.http.post("/v1/executions", content=b"{}"), 415, "unsupported_media_type")


BAD_VALUES = {
    "unknown field": (FINE | {"comand": []}, ["/comand"]),
    "unknown field inside": (FINE | {"limits": {"wall": 1}}, ["/limits/wall"]),
    "pointer with escapes": (FINE | {"a/b~c": 1}, ["/a~1b~0c"]),
    "wrong type": (FINE | {"max_attempts": "3"}, ["/max_attempts"]),
    "wrong type in a list": ({"command": ["true", 1]}, ["/command/1"]),
    "nothing to run": ({}, [""]),
    "code without a language": ({"code": "1"}, ["/language"]),
    "language without code": ({"language": "python"}, ["/code"]),
    "both ways at once": ({"language": "sh", "code": "1", "command": ["true"]},
                          ["/code", "/language"]),
    "unknown language": ({"language": "cobol", "code": "1"}, ["/language"]),
    "code over the limit": ({"language": "sh", "code": "#" * (CODE_BYTES_MAX + 1)}, ["/code"]),
    "empty program name": ({"command": [""]}, ["/command/0"]),
    "NUL in an argument": ({"command": ["a\0b"]}, ["/command/0"]),
    "too many arguments": ({"command": ["true"] * 129}, ["/command"]),
    "too long arguments": (FINE | {"args": ["x" * 20_000] * 2}, ["/args"]),
    "negative time": (FINE | {"limits": {"wall_ms": -1}}, ["/limits/wall_ms"]),
    "no time": (FINE | {"limits": {"wall_ms": 0}}, ["/limits/wall_ms"]),
    "absurd time": (FINE | {"limits": {"wall_ms": 10 ** 15}}, ["/limits/wall_ms"]),
    "absurd memory": (FINE | {"limits": {"memory_mib": 10 ** 9}}, ["/limits/memory_mib"]),
    "no processes": (FINE | {"limits": {"processes": 0}}, ["/limits/processes"]),
    "half a core too little": (FINE | {"limits": {"cpu_millis": 1}}, ["/limits/cpu_millis"]),
    "fraction": (FINE | {"limits": {"disk_mib": 1.5}}, ["/limits/disk_mib"]),
    "number too large for any machine": (FINE | {"limits": {"output_bytes": 10 ** 30}},
                                         ["/limits/output_bytes"]),
    "several limits": (FINE | {"limits": {"wall_ms": 1, "memory_mib": 1}},
                       ["/limits/wall_ms", "/limits/memory_mib"]),
    "network": (FINE | {"network": "full"}, ["/network"]),
    "too many attempts": (FINE | {"max_attempts": 6}, ["/max_attempts"]),
    "absolute path": (FINE | {"files": [{"path": "/etc/passwd", "content": ""}]},
                      ["/files/0/path"]),
    "path that leads out": (FINE | {"files": [{"path": "a/../../b", "content": ""}]},
                            ["/files/0/path"]),
    "file twice": (FINE | {"files": [{"path": "a", "content": ""}] * 2}, ["/files/1/path"]),
    "file below a file": (FINE | {"files": [{"path": "a", "content": ""},
                                            {"path": "a/b/c", "content": ""}]},
                          ["/files/1/path"]),
    "file in the place of the code": ({"language": "sh", "code": "", "files": [
        {"path": "main.sh", "content": ""}, {"path": "main.sh/a", "content": ""}]},
        ["/files/0/path", "/files/1/path"]),
    "file without content": (FINE | {"files": [{"path": "a"}]}, ["/files/0"]),
    "bad base64": (FINE | {"stdin_base64": "%%%"}, ["/stdin_base64"]),
    "name of a variable": (FINE | {"env": {"1A": "x"}}, ["/env/1A"]),
    "retention": (FINE | {"retention": "2 weeks"}, ["/retention"]),
    "retention too short": (FINE | {"retention": {"seconds": 0}}, ["/retention/seconds"]),
    "private callback": (FINE | {"callback_url": "http://127.0.0.1:9/"}, ["/callback_url"]),
    "callback to this machine": (FINE | {"callback_url": "http://localhost:9/"},
                                 ["/callback_url"]),
    "private callback in disguise": (FINE | {"callback_url": "http://[::ffff:10.0.0.1]/"},
                                     ["/callback_url"]),
    "metadata address": (FINE | {"callback_url": "http://169.254.169.254/latest"},
                         ["/callback_url"]),
    "address as one number": (FINE | {"callback_url": "http://2130706433/"}, ["/callback_url"]),
    "another scheme": (FINE | {"callback_url": "file:///etc/passwd"}, ["/callback_url"]),
}


@pytest.mark.parametrize("name", BAD_VALUES)
def test_bad_values_are_named_by_pointer(api, name):
    body, expected = BAD_VALUES[name]
    found = problem(api.submit(body), 422, "invalid_request")
    assert sorted(pointers(found)) == sorted(expected), found
    assert found["detail"]
    assert found["instance"] == "/v1/executions"


def test_the_problem_shows_the_clients_own_request_id(api):
    response = api.submit({}, Request_Id="my-request.1")
    assert problem(response, 422, "invalid_request")["request_id"] == "my-request.1"


def test_every_kind_of_problem_has_its_own_type(api):
    types = {problem(response, *expected)["type"] for response, *expected in (
        (api.submit({}), 422, "invalid_request"),
        (post(api, b"{"), 400, "malformed_json"),
        (api.http.get("/v1/nothing"), 404, "not_found"))}
    assert len(types) == 3


# --- keys ---

def changed(key, at=-1):
    return key[:at] + ("0" if key[at] != "0" else "1") + key[at:][1:]


@pytest.mark.parametrize("header, code", [
    (None, "unauthenticated"), ("", "unauthenticated"), ("Bearer", "unauthenticated"),
    ("Basic dXNlcjpwYXNz", "unauthenticated"),
    ("Bearer st_nonsense", "unauthenticated"), ("Bearer " + "x" * 10_000, "unauthenticated"),
])
def test_without_a_key_there_is_no_answer(server, header, code):
    headers = {} if header is None else {"Authorization": header}
    response = httpx.get(server.url + "/v1/executions", headers=headers, trust_env=False)
    problem(response, 401, code)
    assert response.headers["www-authenticate"].startswith("Bearer")


def test_a_wrong_key_is_unknown(server):
    key = server.api_key
    for wrong in (changed(key), changed(key, 5), changed(key, 40)):
        with Api(server.url, wrong) as client:
            problem(client.submit(FINE), 401, "key_unknown")


def test_a_revoked_key_is_refused_from_the_next_request_on(server, api, check):
    made = api.http.post("/v1/api-keys", json={"name": "short-lived"}).json()
    with Api(server.url, made["api_key"], check) as client:
        assert client.submit(FINE).status_code == 202
        assert api.http.delete(f"/v1/api-keys/{made['id']}").status_code == 204
        problem(client.submit(FINE), 401, "key_revoked")
    assert api.http.delete(f"/v1/api-keys/{made['id']}").status_code == 204
    problem(api.http.delete("/v1/api-keys/key_00000000000000000000000000"), 404, "not_found")


# --- credits ---

def test_without_credits_nothing_runs(server, operator, check):
    made = operator.create_organization("poor", grant_credits=0)
    with Api(server.url, made["api_key"], check) as client:
        problem(client.submit(FINE), 402, "insufficient_credits")
        assert client.all("/v1/executions") == []


def test_credits_that_go_elsewhere_meanwhile_end_in_a_rejection(server, operator, check):
    with Api.of(server) as rich:
        card = rich.balance()["rate_card"]["microcredits_per_gib_core_second"]
    body = {"command": ["true"],
            "limits": {"memory_mib": 1024, "cpu_millis": 1000, "wall_ms": 8000}}
    worst = 10 * card  # 1 GiB, one core, 8 s and 2 s of grace
    rejections = 0
    for turn in range(20):
        made = operator.create_organization(f"one only {turn}",
                                            grant_credits=f"{worst / 10 ** 6:.6f}")
        with Api(server.url, made["api_key"], check) as client:
            with ThreadPoolExecutor(6) as pool:
                answers = list(pool.map(lambda _, c=client: c.submit(body), range(6)))
            accepted = [answer.json()["id"] for answer in answers if answer.status_code == 202]
            for answer in answers:
                if answer.status_code != 202:
                    problem(answer, 402, "insufficient_credits")
            results = [client.wait(execution) for execution in accepted]
            rejected = [result for result in results if result["status"] == "rejected"]
            assert sum(result["status"] == "finished" for result in results) == 1
            assert 1 + len(rejected) == len(accepted)
            for result in rejected:
                assert result["rejection"]["reason"] == "insufficient_credits"
            assert client.balance()["available_microcredits"] >= 0
            rejections += len(rejected)
        if rejections:
            return
    raise AssertionError("no request was ever overtaken by another")


# --- methods and paths ---

@pytest.mark.parametrize("method, path, status, code", [
    ("GET", "/", 404, "not_found"),
    ("GET", "/v1", 404, "not_found"),
    ("GET", "/v1/executions/", 404, "not_found"),
    ("GET", "/v1/executions/nonsense", 404, "not_found"),
    ("GET", "/v1/executions/exe_00000000000000000000000000", 404, "not_found"),
    ("GET", "/v1/executions/exe_00000000000000000000000000/events", 404, "not_found"),
    ("POST", "/v1/executions/exe_00000000000000000000000000/cancel", 404, "not_found"),
    ("GET", "/v1/deliveries/whd_00000000000000000000000000", 404, "not_found"),
    ("GET", "/v1/../operator/organizations", 404, "not_found"),
    ("GET", "/operator/organizations", 404, "not_found"),
    ("GET", "/metrics", 404, "not_found"),
    ("PUT", "/v1/executions", 405, "method_not_allowed"),
    ("DELETE", "/v1/executions", 405, "method_not_allowed"),
    ("PATCH", "/v1/billing/balance", 405, "method_not_allowed"),
    ("GET", "/v1/executions?limit=0", 400, "invalid_parameter"),
    ("GET", "/v1/executions?limit=101", 400, "invalid_parameter"),
    ("GET", "/v1/executions?limit=ten", 400, "invalid_parameter"),
    ("GET", "/v1/executions?cursor=nonsense", 400, "invalid_parameter"),
    ("GET", "/v1/executions?status=sleeping", 400, "invalid_parameter"),
    ("GET", "/v1/executions?colour=red", 400, "invalid_parameter"),
    ("GET", "/v1/executions?a=%ff", 400, "invalid_parameter"),
    ("GET", "/v1/audit/entries?since=yesterday", 400, "invalid_parameter"),
])
def test_methods_paths_and_parameters(api, method, path, status, code):
    response = api.http.request(method, path)
    problem(response, status, code)
    if status == 405:
        assert response.headers["allow"]


def test_a_malformed_position_is_refused(api):
    for position in ("events", "events/x/1", "events/0/-1", "events/0/1/2"):
        response = api.http.get("/v1/billing/balance", headers={"Sandtrail-Position": position})
        problem(response, 400, "invalid_parameter")


# --- Idempotency-Key ---

def test_the_same_key_and_body_are_one_execution(api):
    first = api.submit(FINE, key="twice")
    second = api.submit(FINE, key="twice")
    assert first.status_code == 202 and second.status_code in (200, 202)
    assert first.json()["id"] == second.json()["id"]
    waited = api.submit(FINE, wait=30, key="twice")
    assert waited.status_code == 200 and waited.json()["id"] == first.json()["id"]
    assert api.submit(FINE, key="thrice").json()["id"] != first.json()["id"]


def test_the_same_key_with_another_body_is_a_conflict(api):
    assert api.submit(FINE, key="changes").status_code == 202
    problem(api.submit({"command": ["false"]}, key="changes"), 422, "idempotency_conflict")


def test_a_repeat_never_shows_a_secret_again(api):
    headers = {"Idempotency-Key": '"one-key"'}
    first = api.http.post("/v1/api-keys", json={"name": "once"}, headers=headers).json()
    again = api.http.post("/v1/api-keys", json={"name": "once"}, headers=headers).json()
    assert first["api_key"].startswith("st_")
    assert again == {name: value for name, value in first.items() if name != "api_key"}
    body = {"url": "https://example.com/hook"}
    headers = {"Idempotency-Key": '"one-endpoint"'}
    first = api.http.post("/v1/webhook-endpoints", json=body, headers=headers).json()
    again = api.http.post("/v1/webhook-endpoints", json=body, headers=headers).json()
    assert first["secret"].startswith("whsec_")
    assert again == {name: value for name, value in first.items() if name != "secret"}


@pytest.mark.parametrize("key", ['""', '"' + "k" * 300 + '"', '"open'])
def test_a_malformed_key_of_a_request_is_refused(api, key):
    response = api.http.post("/v1/executions", json=FINE, headers={"Idempotency-Key": key})
    problem(response, 400, "invalid_parameter")


def test_the_operators_socket_answers_in_the_same_form(server):
    with Operator(server) as operator:
        problem(operator.http.get("/operator/nothing"), 404, "not_found")
        problem(operator.http.post("/operator/organizations", json={"name": ""}),
                422, "invalid_request")
        problem(operator.http.post("/operator/organizations",
                                   json={"name": "x", "grant_credits": "-1"}),
                422, "invalid_request")
