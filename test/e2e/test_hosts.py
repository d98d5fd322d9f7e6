# SPDX-License-Identifier: Apache-2.0
"""Hosts on machines of their own: killed, standing still, leaving; and their launcher killed."""

import collections
import time

import pytest
from api import Api
from host_process import Host
from host_work import host_of, launches_of, sleeping, started, submit
from processes import NotStarted, free_port
from sandtrail_server import wait_until

LEASE_SECONDS = 20  # lease and margin: then an attempt counts as lost


@pytest.fixture(scope="module")
def cluster(directory, new_server):
    """A server without a host of its own, and two that have joined it."""
    where = f"127.0.0.1:{free_port()}"
    server = new_server("server", {"launcher": {"listen": where, "builtin_host": False},
                                   "billing": {"signup_credits": 100_000}})
    hosts = [Host(directory / f"host{i}", [where]) for i in range(2)]
    try:
        for host in hosts:
            host.start()  # before there is a launcher: they wait for it
        server.start()
        for host in hosts:
            wait_until(lambda h=host: h.lines("host joined"), 30, "joining")
        yield server, hosts
    finally:
        for host in hosts:
            host.stop()


def test_both_hosts_get_work_and_each_attempt_runs_once(cluster):
    server, hosts = cluster
    with Api.of(server) as api:
        ids = submit(api, *[sleeping(0.2) for _ in range(20)])
        for execution in ids:
            result = api.wait(execution)
            assert (result["status"], result["verdict"]) == ("finished", "ok")
            assert result["stdout"] == "done\n"
    counts = launches_of(hosts, ids)
    assert set(counts) == {(execution, 1) for execution in ids}
    assert set(counts.values()) == {1}
    assert all(any(launch[0] in ids for launch in host.launches()) for host in hosts)


def test_a_large_input_and_a_large_output_pass(cluster):
    server, _ = cluster
    code = "#" * 200_000 + "\nimport sys; sys.stdout.write('x' * 262144)\n"
    with Api.of(server) as api:
        result = api.run({"language": "python", "code": code,
                          "limits": {"output_bytes": 262_144, "memory_mib": 128}})
    assert result["verdict"] == "ok"
    assert len(result["stdout"]) == 262_144


def test_a_cancel_reaches_the_host(cluster):
    server, hosts = cluster
    with Api.of(server) as api:
        [execution] = submit(api, sleeping(50))
        wait_until(lambda: started(api, [execution]))
        assert api.http.post(f"/v1/executions/{execution}/cancel").status_code in (200, 202)
        result = api.wait(execution, 20)
        assert (result["status"], result["verdict"]) == ("finished", "cancelled")
    wait_until(lambda: sum(host.running() for host in hosts) == 0, 10, "an empty host")


def test_a_killed_launcher_loses_no_result(cluster):
    server, hosts = cluster
    with Api.of(server) as api:
        ids = submit(api, *[sleeping(2), sleeping(2), sleeping(6), sleeping(6)])
        wait_until(lambda: started(api, ids))
    server.kill()
    time.sleep(3)  # some of them end while nobody listens
    server.start()
    with Api.of(server) as api:
        for execution in ids:
            result = api.wait(execution)
            assert (result["status"], result["verdict"]) == ("finished", "ok"), result
    assert launches_of(hosts, ids) == {(execution, 1): 1 for execution in ids}


def test_a_killed_host_loses_what_it_ran_and_only_what_may_runs_again(cluster):
    server, hosts = cluster
    with Api.of(server) as api:
        once = submit(api, sleeping(8), sleeping(8))
        twice = submit(api, sleeping(4, attempts=2), sleeping(4, attempts=2))
        wait_until(lambda: started(api, once + twice))
        victim = hosts[0]
        lost = {e for e in once + twice if host_of(hosts, e) is victim}
        assert lost
        victim.kill()
        try:
            # What is placed there before anybody knows, has certainly not started.
            later = submit(api, *[sleeping(0.1) for _ in range(3)])
            for execution in once + twice + later:
                status = api.wait(execution, 90)["status"]
                expected = "lost" if execution in lost and execution in once else "finished"
                assert status == expected, execution
        finally:
            victim.start()
    counts = launches_of(hosts, once + twice + later)
    assert set(counts.values()) == {1}
    runs = collections.Counter(execution for execution, _ in counts)
    for execution in once + later:
        assert runs[execution] == 1
    for execution in twice:
        assert runs[execution] == (2 if execution in lost else 1)


def test_a_host_that_stood_still_past_its_lease_has_nothing_running(cluster):
    server, hosts = cluster
    with Api.of(server) as api:
        wait_until(lambda: len(hosts[0].lines("host joined")) > 1, 30, "joining again")
        ids = submit(api, *[sleeping(45) for _ in range(4)])
        wait_until(lambda: started(api, ids))
        victim = hosts[1]
        there = [e for e in ids if host_of(hosts, e) is victim]
        assert there
        assert victim.running() > 0
        victim.stand_still()
        try:
            for execution in there:
                assert api.wait(execution, LEASE_SECONDS + 20)["status"] == "lost"
        finally:
            victim.go_on()
        wait_until(lambda: victim.running() == 0, 3, "an empty host")
        wait_until(lambda: victim.lines("a new epoch begins"), 15, "a new epoch")
        [execution] = submit(api, sleeping(0.1))
        assert api.wait(execution)["status"] == "finished"
        for execution in ids:
            api.http.post(f"/v1/executions/{execution}/cancel")
        for execution in ids:
            expected = "lost" if execution in there else "finished"
            assert api.wait(execution)["status"] == expected
    assert set(launches_of(hosts, ids).values()) == {1}


def test_a_host_that_leaves_takes_no_work_and_ends_what_it_has(cluster):
    server, hosts = cluster
    with Api.of(server) as api:
        ids = submit(api, *[sleeping(2) for _ in range(4)])
        wait_until(lambda: started(api, ids))
        assert hosts[0].stop() == 0
        for execution in ids:
            assert api.wait(execution)["verdict"] == "ok"
        [execution] = submit(api, sleeping(0.1))
        assert api.wait(execution)["status"] == "finished"
        assert host_of(hosts, execution) is hosts[1]
        hosts[0].start()


def test_when_all_is_over_nothing_is_held(cluster):
    server, hosts = cluster
    with Api.of(server) as api:
        wait_until(lambda: api.balance()["held_microcredits"] == 0, 20, "settlement")
        assert api.balance()["available_microcredits"] >= 0
    assert sum(host.running() for host in hosts) == 0


def test_two_hosts_cannot_share_a_directory(cluster, directory):
    _, hosts = cluster
    twin = Host(directory / "twin", hosts[1].launchers)
    twin.data_dir = hosts[1].data_dir
    with pytest.raises(NotStarted, match="another host lives in"):
        twin.start()
    twin.kill()
