# SPDX-License-Identifier: Apache-2.0
"""Two processes of each role, and two hosts on machines of their own that know both launchers:
killed, standing still, replaced, leaving."""

import collections
import datetime
import json
import signal
import time

import pytest
from api import Api, Operator
from cluster_server import ROLES, ClusterServer
from host_process import Host
from host_work import host_of, launches_of, sleeping, started, submit
from log_checks import (applied, check_attempts, claims_of, kind_of, late_records,
                        least_available)
from rating import account_sums
from sandtrail_server import run_tool, wait_until
from traces import records_of

pytestmark = pytest.mark.cluster

SLOTS = 6
LEASE_SECONDS = 20  # lease and margin: then an attempt counts as lost
GRANT_CREDITS = "2.2"
GREEDY_MIB = 1024  # over a minute: holds more than a quarter of that
OWNING = [role for role in ROLES if role != "gateway"]
CONFIG = {"launcher": {"builtin_host": False}}
ECHO = {"command": ["echo", "hello"], "limits": {"memory_mib": 16}}


class Pairs:
    """The cluster, its hosts, and clients of two organisations."""

    def __init__(self, directory):
        self.server = ClusterServer(directory / "server", CONFIG, copies=2)
        self.hosts = [Host(directory / f"host{i}", self.server.launchers, SLOTS) for i in range(2)]
        self.apis = []

    def start(self):
        for host in self.hosts:
            host.start()
        self.server.start()
        for host in self.hosts:
            wait_until(lambda h=host: len(h.lines("host joined")) == 2, 30, "both sessions")
        self.wait_shared()
        by_owner = {}
        with Operator(self.server) as operator:
            while len(by_owner) < 2:
                made = operator.create_organization("tenant", grant_credits=GRANT_CREDITS)
                api = Api(self.server.url, made["api_key"])
                by_owner.setdefault(self.launcher_of(api), api)
        self.apis = list(by_owner.values())

    def stop(self):
        for api in self.apis:
            api.close()
        for host in self.hosts:
            host.kill()
        self.server.stop()

    def wait_shared(self):
        """Until both processes of each role act, and never both in one partition."""
        def shared(role):
            acting = self.server.acting(role).values()
            return all(len(names) == 1 for names in acting) and \
                len({name for names in acting for name in names}) == 2

        for role in OWNING:
            wait_until(lambda role=role: shared(role), 30, f"two that share {role}")

    def launcher_of(self, api):
        """The process that acts for this organisation."""
        partition = api.run(ECHO)["position"].rpartition("/")[0]
        return self.server.acting("launcher")[partition][0]

    def other(self, name):
        """The other process of the same role."""
        return next(copy for copies in self.server.copies.values() if name in copies
                    for copy in copies if copy != name)


@pytest.fixture(scope="module")
def pairs(directory):
    made = Pairs(directory)
    try:
        made.start()
        yield made
    finally:
        made.stop()


def milliseconds(rfc3339):
    return datetime.datetime.fromisoformat(rfc3339.replace("Z", "+00:00")).timestamp() * 1000


def test_both_hosts_get_work_from_both_launchers(pairs):
    submitted = [(api, submit(api, *[sleeping(0.3) for _ in range(8)])) for api in pairs.apis]
    for api, ids in submitted:
        for execution in ids:
            result = api.wait(execution)
            assert (result["verdict"], result["stdout"]) == ("ok", "done\n")
        counts = launches_of(pairs.hosts, ids)
        assert sorted(execution for execution, _ in counts.elements()) == sorted(ids)
        assert {host_of(pairs.hosts, execution) for execution in ids} == set(pairs.hosts)


def test_status_names_both_owners_and_both_hosts_of_each_launcher(pairs):
    server = pairs.server
    names = {server.status_of(name)["process"] for name in server.copies["launcher"]}
    assert len(names) == 2
    status = json.loads(run_tool("status", "--config", server.config_file, "--json").stdout)
    owners = [owner["process"] for partition in status["partitions"]
              for owner in partition["owners"] if owner["role"] == "launcher"]
    assert collections.Counter(owners) == {name: len(owners) // 2 for name in names}
    joined = {(host["launcher"], host["id"]) for host in status["hosts"] if host["connected"]}
    assert len(joined) == 4 and {launcher for launcher, _ in joined} == set(server.launchers)


def test_a_killed_host_loses_what_it_ran_and_only_what_may_runs_again(pairs):
    victim = pairs.hosts[0]
    once = [(api, e) for api in pairs.apis for e in submit(api, *[sleeping(4)] * 3)]
    twice = [(api, e) for api in pairs.apis for e in submit(api, *[sleeping(4, attempts=2)] * 3)]
    wait_until(lambda: all(started(api, [execution]) for api, execution in once + twice))
    there = {execution for _, execution in once + twice
             if host_of(pairs.hosts, execution) is victim}
    victim.kill()
    victim.start()
    later = [(api, e) for api in pairs.apis for e in submit(api, *[sleeping(0.1)] * 3)]
    for api, execution in once + twice + later:
        lost = (api, execution) in once and execution in there
        assert api.wait(execution, 60)["status"] == ("lost" if lost else "finished")
    assert any(execution in there for _, execution in once)
    assert any(execution in there for _, execution in twice)
    counts = launches_of(pairs.hosts, {execution for _, execution in once + twice + later})
    assert set(counts.values()) == {1}
    runs = collections.Counter(execution for execution, _ in counts)
    for api, execution in once + twice + later:
        again = (api, execution) in twice and execution in there
        assert runs[execution] == (2 if again else 1)


def test_what_a_host_says_that_stood_still_past_its_lease_counts_for_nothing(pairs):
    """Of what it ran, some ends while it stands still, and some would go on."""
    short, long = sleeping(5, attempts=2), sleeping(60, wall_ms=90_000)
    # Hosts get work in turn.
    ids = [(api, execution) for api in pairs.apis
           for execution in submit(api, short, short, long, long)]
    wait_until(lambda: all(started(api, [execution]) for api, execution in ids))
    victim = host_of(pairs.hosts, ids[-1][1])
    there = [(api, e) for api, e in ids if host_of(pairs.hosts, e) is victim]
    assert victim.running() > 0
    epochs = len(victim.lines("a new epoch begins"))
    victim.stand_still()
    try:
        for api, execution in there:
            wait_until(lambda a=api, e=execution: a.get(e)["attempt"] == 2 or
                       a.get(e)["status"] == "lost", LEASE_SECONDS + 20, "the end of an attempt")
    finally:
        victim.go_on()
    wait_until(lambda: victim.running() == 0, 3, "an empty host")
    wait_until(lambda: len(victim.lines("a new epoch begins")) > epochs, 15, "a new epoch")
    for api, execution in ids:
        if api.get(execution)["status"] == "started" and api.get(execution)["max_attempts"] == 1:
            api.cancel(execution)
    for api, execution in ids:
        lost = (api, execution) in there and api.get(execution)["max_attempts"] == 1
        assert api.wait(execution)["status"] == ("lost" if lost else "finished")
    counts = launches_of(pairs.hosts, {execution for _, execution in ids})
    assert set(counts.values()) == {1}
    assert not [record for record in applied(records_of(pairs.server))
                if kind_of(record) == "execution.finished" and record["value"]["attempt"] == 1 and
                record["value"]["execution"] in {execution for _, execution in there}]


def test_a_killed_launcher_loses_no_result(pairs):
    """Its successor takes the hosts over, and applies what they kept."""
    server = pairs.server
    victim = pairs.launcher_of(pairs.apis[0])
    # So spaced that some end while nobody acts for their organisation, whenever that begins.
    ids = {api: submit(api, *[sleeping(seconds) for seconds in (1, 2, 3)]) for api in pairs.apis}
    wait_until(lambda: all(started(api, ids[api]) for api in pairs.apis))
    server.processes[victim].kill()
    try:
        for api in pairs.apis:
            for execution in ids[api]:
                result = api.wait(execution)
                assert (result["status"], result["verdict"]) == ("finished", "ok"), result
                assert result["stdout"] == "done\n"
        successor = server.status_of(pairs.other(victim))["process"]
    finally:
        server.start_one(victim)
        pairs.wait_shared()
    everything = {execution for there in ids.values() for execution in there}
    assert launches_of(pairs.hosts, everything) == {(execution, 1): 1 for execution in everything}
    records = records_of(server)
    assert any(had_ended_at_claim(records, execution, successor)
               for execution in ids[pairs.apis[0]])


def had_ended_at_claim(records, execution, claimer):
    """Whether the program had ended when that process claimed the partition, and its result was
    applied only then."""
    about = {kind_of(record): record for record in applied(records)
             if record["value"].get("execution") == execution}
    began, finished = about["execution.started"], about["execution.finished"]
    claim = [record for record in claims_of(records, "launcher")
             if record["partition"] == finished["partition"] and
             record["position"] < finished["position"]][-1]
    ended = milliseconds(began["stamp"]) + finished["value"]["usage"]["wall_us"] / 1000
    return claim["value"]["instance"] == claimer and ended < milliseconds(claim["stamp"])


def test_a_replaced_launcher_that_goes_on_appends_only_what_is_void(pairs):
    """It is stopped with reports under way: those that the broker has not got yet stay with it, and
    its successor hears of them from the hosts. Requests wait for what the reports set free."""
    server = pairs.server
    api = pairs.apis[0]
    for _ in range(3):
        victim = pairs.launcher_of(api)
        before = len(late_records(records_of(server), "launcher"))
        ids = submit(api, *[sleeping(1.2 + 0.06 * i) for i in range(2 * SLOTS)],
                     *[sleeping(1, memory_mib=GREEDY_MIB) for _ in range(6)])
        wait_until(lambda: any(api.get(e)["status"] == "finished" for e in ids[:2 * SLOTS]))
        server.kafka.pause()
        try:
            wait_until(lambda: not any(host.running() for host in pairs.hosts), 10, "all ends")
            server.processes[victim].signal(signal.SIGSTOP)
        finally:
            server.kafka.resume()
        try:
            wait_until(lambda: all(server.acts(pairs.other(victim)).values()), 30, "a successor")
            results = [api.wait(execution) for execution in ids]
        finally:
            server.processes[victim].signal(signal.SIGCONT)
        pairs.wait_shared()
        assert all(result["verdict"] == "ok" for result in results[:2 * SLOTS])
        greedy = collections.Counter(result["status"] for result in results[2 * SLOTS:])
        assert set(greedy) == {"finished", "rejected"}
        late = late_records(records_of(server), "launcher")
        assert not applied(late)
        counts = launches_of(pairs.hosts, ids)
        assert set(counts.values()) == {1}
        assert len(counts) == 2 * SLOTS + greedy["finished"]
        if len(late) > before:
            return
    pytest.fail("it had nothing under way")


def test_who_leaves_hands_over_and_who_dies_is_replaced(pairs, record_testsuite_property):
    """Of each role the first process, and then the other one; all roles at the same time."""
    server = pairs.server
    for leaves, said in ((True, "left"), (False, "died")):
        going = [server.copies[role][0 if leaves else 1] for role in OWNING]
        had = {role: {partition for partition, names in server.acting(role).items()
                      if names == [name] and partition.startswith("events/")}
               for role, name in zip(OWNING, going)}
        assert all(had.values())
        ids = [(api, e) for api in pairs.apis for e in submit(api, sleeping(1), sleeping(0.1))]
        began = time.time() * 1000
        for name in going:
            server.processes[name].signal(signal.SIGTERM if leaves else signal.SIGKILL)
        codes = [server.processes[name].wait_stopped() for name in going]
        assert set(codes) == {0 if leaves else -signal.SIGKILL}
        ids += [(api, e) for api in pairs.apis for e in submit(api, sleeping(0.1))]
        for name in map(pairs.other, going):
            wait_until(lambda n=name: all(server.acts(n).values()), 30, f"{name} to take over")
        for api, execution in ids:
            assert api.wait(execution)["verdict"] == "ok"
        records = records_of(server)
        for role in OWNING:
            claims = first_claims(records, role, began)
            assert had[role] <= set(claims)
            record_testsuite_property(f"{role} {said}, ms until others act",
                                      round(max(claims.values())))
        server.start_these(*going)
        pairs.wait_shared()


def first_claims(records, role, since):
    """{partition: milliseconds from then on to the first claim}. What the others had before, the
    group gives them anew: that counts as well."""
    claims = {}
    for record in claims_of(records, role):
        took = milliseconds(record["stamp"]) - since
        if took >= 0:
            claims.setdefault(f"{record['topic']}/{record['partition']}", took)
    return claims


def test_either_gateway_serves_what_the_other_took(pairs):
    second = pairs.server.processes["gateway-2"].said_url("API")
    with Api(second, pairs.server.api_key) as elsewhere, Api.of(pairs.server) as api:
        execution = elsewhere.run(ECHO)
        seen = api.http.get(f"/v1/executions/{execution['id']}",
                            headers={"Sandtrail-Position": execution["position"]})
        assert seen.status_code == 200 and seen.json()["stdout"] == "hello\n"


def test_when_all_is_over_nothing_is_overspent_doubled_or_held(pairs):
    server = pairs.server
    for api in pairs.apis:
        wait_until(lambda a=api: a.balance()["held_microcredits"] == 0, 20, "settlement")
        balance = api.balance()
        assert 0 <= balance["available_microcredits"] == \
            balance["granted_microcredits"] - balance["settled_microcredits"]
        sums = account_sums(api.all("/v1/billing/ledger"))
        assert sum(sums.values()) == 0 and sums.get("held", 0) == 0
    records = records_of(server)
    assert min(least_available(records).values()) >= 0
    ends = check_attempts(records)
    assert set(ends.values()) == {"finished", "rejected", "lost"}
    counts = launches_of(pairs.hosts, set(ends))
    assert set(counts.values()) == {1}
    for role in OWNING:
        assert not applied(late_records(records, role)), role
    assert not any(host.running() for host in pairs.hosts)
    assert run_tool("log", "verify", "--data-dir", server.data_dir).returncode == 0
    assert run_tool("audit", "verify", "--data-dir", server.data_dir).returncode == 0
