# SPDX-License-Identifier: Apache-2.0
"""Requests made up at random, within and around the limits: each is refused as a whole or runs to a
verdict, and none is answered with a failure of ours."""

import random
from concurrent.futures import ThreadPoolExecutor

import pytest
from api import Api, pointers

REQUESTS = 250
CONFIG = {"executions": {"slots": 4}, "billing": {"signup_credits": 1_000_000}}
LETTERS = "abc/ .\n\t\\\"'é€🦀\x01\x7f*$"
PARTS = ["a", "b", "main.py", "main", "main.sh", "x" * 200, "ü", " ", "..a", "-n", "tmp", "é\n"]
PROGRAMS = ["true", "cat", "sh", "./a", "a", "/usr/bin/env", "/", "", "x" * 300, "ls"]
CODES = ["", "exit 1", "print(1)", "int main(){}", "echo $1"]
VARIABLES = ["A", "PATH", "HOME", "LANG", "LD_PRELOAD", "TMPDIR", "_", "IFS"]


def make_body(rnd):
    def text(most):
        return "".join(rnd.choice(LETTERS) for _ in range(rnd.randint(0, most)))

    def sometimes(share, name, make):
        if rnd.random() < share:
            body[name] = make()

    body = {}
    if rnd.random() < 0.5:
        body["language"] = rnd.choice(["python", "sh", "bash", "perl", "c"])
        body["code"] = rnd.choice([*CODES, text(50)])
    else:
        body["command"] = [rnd.choice(PROGRAMS)] + [text(20) for _ in range(rnd.choice([0, 1, 9]))]
    sometimes(0.5, "args", lambda: [text(200) for _ in range(rnd.choice([0, 1, 128]))])
    sometimes(0.6, "files", lambda: [
        {"path": "/".join(rnd.choice(PARTS) for _ in range(rnd.randint(1, 3))),
         "content": text(rnd.choice([0, 10, 5000])), "executable": rnd.random() < 0.5}
        for _ in range(rnd.choice([1, 2, 5, 32]))])
    sometimes(0.5, "env", lambda: {rnd.choice(VARIABLES): text(30) for _ in range(3)})
    sometimes(0.5, "stdin", lambda: text(rnd.choice([0, 10, 20_000])))
    sometimes(0.2, "thread", lambda: text(20))
    sometimes(0.2, "metadata", lambda: {text(5): text(5)})
    choices = {"memory_mib": [8, 16, 64, 8192], "processes": [1, 2, 1024], "disk_mib": [1, 1024],
               "cpu_millis": [50, 8000], "output_bytes": [0, 1, 262_144]}
    body["limits"] = {name: rnd.choice(values) for name, values in choices.items()
                      if rnd.random() < 0.5} | {"wall_ms": rnd.choice([10, 200, 1000])}
    return body


@pytest.mark.parametrize("seed", [1, 2])
def test_nothing_a_client_sends_is_our_failure(server, check, seed):
    rnd = random.Random(seed)
    bodies = [make_body(rnd) for _ in range(REQUESTS)]

    def send(body):
        with Api.of(server, check) as client:
            return client.submit(body, wait=30)

    with ThreadPoolExecutor(6) as pool:
        answers = list(pool.map(send, bodies))
    assert sum(answer.status_code == 200 for answer in answers) > REQUESTS // 2
    for body, answer in zip(bodies, answers):
        shown = answer.json()
        if answer.status_code == 422:
            assert pointers(shown), shown
        else:
            assert answer.status_code == 200, (body, shown)
            assert shown["verdict"] not in ("internal_error", "cancelled"), (body, shown)
