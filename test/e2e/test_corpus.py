# SPDX-License-Identifier: Apache-2.0
"""Two hundred real programs, four at a time, twice: each gets its verdict, and none leaves a trace
on the host."""

import collections
from concurrent.futures import ThreadPoolExecutor

import pytest
from api import Api
from corpus import programs
from host_watch import HostWatch
from sandtrail_server import wait_until

PARALLEL = 4
CONFIG = {"executions": {"slots": PARALLEL}, "billing": {"signup_credits": 100_000}}
PROGRAMS = programs()


@pytest.fixture(scope="module")
def watches(new_server):
    """(server, the host before it was started, the host before anything ran)"""
    server = new_server("server", CONFIG)
    before = HostWatch(server)
    server.start()
    return server, before, HostWatch(server)


@pytest.fixture(scope="module")
def server(watches):
    return watches[0]


def run_all(server, check):
    """[(program, result)] of all programs."""
    def run(program):
        with Api.of(server, check) as client:
            return program, client.run(program.request(), seconds=60)

    with ThreadPoolExecutor(PARALLEL) as pool:
        return list(pool.map(run, PROGRAMS))


def test_the_corpus_is_two_hundred_programs_of_many_kinds(api):
    assert len(PROGRAMS) == 200
    offered = {row["name"] for row in api.http.get("/v1/languages").json()["data"]}
    used = {program.row["language"] for program in PROGRAMS if "language" in program.row}
    assert used == {"python", "bash", "sh", "perl", "c", "cpp"}
    assert used <= offered
    verdicts = collections.Counter(program.row.get("verdict", "ok") for program in PROGRAMS)
    assert set(verdicts) == {"ok", "nonzero_exit", "signaled", "timeout", "memory_limit",
                             "output_limit", "process_limit", "compile_error"}


@pytest.mark.parametrize("turn", ["first", "second"])
def test_every_program_gets_its_verdict(server, check, turn):
    faults = [f"{program.group}: {program.name}: {'; '.join(program.faults(result))}"
              for program, result in run_all(server, check) if program.faults(result)]
    assert not faults, "\n".join(faults)


def test_afterwards_nothing_is_left_on_the_host(watches):
    server, before, idle = watches
    wait_until(lambda: not idle.left(), 10, f"a clean host; left are {idle.left()}")
    server.stop()
    wait_until(lambda: not before.left(), 10, f"a clean host; left are {before.left()}")
