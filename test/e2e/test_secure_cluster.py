# SPDX-License-Identifier: Apache-2.0
"""The roles with the rights that infra/kafka/acls.txt gives them and no others, over a broker that
enforces it, everything over TLS; and what a process says whose user lacks one."""

import json
import os
import time
from pathlib import Path

import httpx
import pytest
from api import Api, problem
from kafka_cluster import KafkaCluster
from processes import wait_until
from sandtrail_server import run_tool
from secure_cluster import SecureServer

pytestmark = pytest.mark.cluster

PREFIX = "st."
ECHO = {"command": ["echo", "hello"], "limits": {"memory_mib": 16}}
WATCHED_SECONDS = 3


@pytest.fixture(scope="module", name="kafka")
def enforcing_broker():
    with KafkaCluster(auth="acl+tls") as cluster:
        yield cluster


@pytest.fixture(scope="module", name="server")
def secure_server(directory, kafka):
    """Started by whoever may not make the topics first: they wait for the one that may."""
    kafka.grant(prefix=PREFIX, creator="gateway")
    server = SecureServer(directory / "server", kafka, PREFIX, {"log": {"events_partitions": 4}})
    server.prepare()
    for name, process in server.processes.items():
        if name != "gateway":
            process.start(server.environment_of(name))
    missing = "topic st.keys is not there, and the user of this process may not create it"
    wait_until(lambda: missing in server.processes["webhooks"].log_tail(), 30, "the wait for it")
    server.processes["gateway"].start(server.environment_of("gateway"))
    server.wait_ready()
    yield server
    server.stop()


def event_types(server, execution):
    """As a person reads them who may look at the log and nothing else."""
    said = run_tool("log", "cat", "events", "--json", "--config", server.config_file,
                    environment=server.reader).stdout
    records = [json.loads(line) for line in said.splitlines()]
    return [record["headers"]["ce_type"].removeprefix("sandtrail.execution.")
            for record in records if record["value"].get("execution") == execution]


def runs(server, sink, path):
    """An execution, and that its receiver was told."""
    with Api.of(server) as api:
        result = api.run(ECHO | {"callback_url": sink.url(path), "retention": {"seconds": 2},
                                 "max_attempts": 3})
    assert result["stdout"] == "hello\n"
    sink.wait_for(1, path)
    return result["id"]


def test_an_execution_runs_is_told_of_erased_and_audited(server, sink):
    execution = runs(server, sink, "/first")
    wait_until(lambda: "key_destroyed" in event_types(server, execution), what="the key's end")
    types = event_types(server, execution)
    assert types[:2] == ["requested", "assigned"]
    assert types[-2:] == ["erased", "key_destroyed"]

    def verified():
        done = run_tool("audit", "verify", "--json", "--config", server.config_file,
                        environment=server.reader)
        return json.loads(done.stdout)

    report = wait_until(lambda: (lambda r: r["unsigned"] == 0 and r)(verified()),
                        what="a checkpoint over all entries")
    assert report["verified"] and report["entries"] > 0 and report["checkpoints"] > 0


def test_output_comes_live_and_an_operator_sees_hosts_over_tls(server):
    with Api.of(server) as api:
        body = ECHO | {"command": ["sh", "-c", "echo live; sleep 30"]}
        execution = api.submit(body).json()["id"]
        with api.output(execution) as events:
            assert "live" in json.dumps(next(data for _, name, data in events if name == "stdout"))
        api.cancel(execution)
        assert api.wait(execution)["verdict"] == "cancelled"
    shown = run_tool("status", "--config", server.config_file, environment=server.operator).stdout
    assert "hst_" in shown and server.launchers[0] in shown


def test_a_person_who_looks_is_told_what_they_may_not(server):
    done = run_tool("log", "cat", "keys", "--config", server.config_file,
                    environment=server.reader, check=False)
    assert done.returncode == 3 and "lacks the right Describe on topic st.keys" in done.stderr


def test_processes_come_back_and_hand_over(server, sink, directory):
    second = server.process_as("webhooks", "webhooks", directory / "second")
    second.wait_ready()
    assert server.processes["webhooks"].stop() == 0
    runs(server, sink, "/second")
    server.start_one("webhooks")
    assert second.stop() == 0
    for name in ("launcher", "gateway"):
        server.processes[name].kill()
        server.start_one(name)
        runs(server, sink, f"/{name}")


def cpu_seconds(pid):
    fields = Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def health_of(process):
    """Its health's address, which it names before it is ready."""
    lines = [json.loads(line) for line in process.log_tail(100_000).splitlines()]
    return next(line["health"] for line in lines if line["msg"] == "starting")


def wrong_users(server, directory):
    """Processes, each with what it has to say."""
    bad_password = directory / "bad.password"
    bad_password.touch(mode=0o600)
    bad_password.write_text("not it\n", encoding="utf-8")
    refused = server.client_of("webhooks", bad_password)
    stranger = server.client_of("webhooks", ca_file=server.certs / "ca.crt")

    def process(role, user, name, **environment):
        return server.process_as(role, user, directory / name, **environment)

    return {
        process("auditor", "webhooks", "a"):
            ["join group st.", "lacks the right Read on group st.sandtrail-auditor"],
        process("webhooks", "billing", "b"): ["lacks the right Describe on topic st.keys"],
        process("auditor", "reader", "c"): ["lacks the right Write on topic st.events"],
        process("webhooks", "webhooks", "d", SANDTRAIL_LOG_KAFKA=refused):
            ["Invalid username or password", "see sasl.* of log.kafka"],
        process("webhooks", "webhooks", "e", SANDTRAIL_LOG_KAFKA=stranger):
            ["certificate verify failed", "see ssl.* of log.kafka"],
    }


def test_a_process_with_the_wrong_user_says_what_is_missing_and_waits(server, directory):
    wrong = wrong_users(server, directory)
    try:
        for process, texts in wrong.items():
            for text in texts:
                wait_until(lambda p=process, t=text: t in p.log_tail(100_000), 30, text)
            health = health_of(process) + "/readyz"

            def not_ready(health=health, text=texts[-1]):
                answer = httpx.get(health, trust_env=False)
                return answer.status_code == 503 and text in answer.text

            wait_until(not_ready, 30, f"readyz to say {texts[-1]}")
        before = {process: (cpu_seconds(process.pid), len(process.log_tail(10**7).splitlines()))
                  for process in wrong}
        time.sleep(WATCHED_SECONDS)
        for process, (cpu, lines) in before.items():
            # It looks once a second whether that has changed.
            assert cpu_seconds(process.pid) - cpu < WATCHED_SECONDS / 4, process.log
            assert len(process.log_tail(10**7).splitlines()) - lines < 10 * WATCHED_SECONDS
        for process in wrong:
            process.ask_to_stop()
        assert [process.wait_stopped() for process in wrong] == [0] * len(wrong)
    finally:
        for process in wrong:
            process.kill()


def test_a_right_that_is_taken_away_is_named_and_what_waits_goes_on_with_it(server, kafka, sink):
    webhooks = server.processes["webhooks"]
    with Api.of(server) as api:
        with kafka.without("webhooks", "WRITE", "st.events"):
            waits = api.run(ECHO | {"callback_url": sink.url("/waits")})
            assert waits["stdout"] == "hello\n"
            lacks = "append to st.events: the user of this process lacks the right Write on topic"
            wait_until(lambda: lacks in webhooks.log_tail(100_000), 30, lacks)
            wait_until(lambda: lacks in httpx.get(webhooks.admin_url + "/readyz",
                                                  trust_env=False).text, 30, "readyz")
            assert sink.at("/waits") == []
        sink.wait_for(1, "/waits", 60)
        with kafka.without("gateway", "WRITE", "st.events"):
            wait_until(lambda: api.submit(ECHO).status_code == 503, 30, "a refusal")
            refused = problem(api.submit(ECHO), 503, "log_away")
            assert "lacks the right Write on topic st.events" in refused["detail"]
        wait_until(lambda: api.submit(ECHO).status_code == 202, 60, "writes again")


def test_roles_take_topics_that_an_administrator_made(server, kafka, directory):
    kafka.make_log("made.", partitions=4)
    kafka.grant("webhooks", prefix="made.")
    process = server.process_as("webhooks", "webhooks", directory / "made",
                                SANDTRAIL_LOG_TOPIC_PREFIX="made.")
    process.wait_ready()
    assert process.stop() == 0
