# SPDX-License-Identifier: Apache-2.0
"""Roles as processes of their own: what they refuse, how they wait for the broker and for each
other, and what they do while it is away."""

import json
import socket
import time

import httpx
import pytest
from api import Api, problem
from processes import NotStarted, Process, wait_until
from sandtrail_server import Server, run_tool

ROLES = ("gateway", "launcher", "billing", "retention", "webhooks", "auditor")
ECHO = {"command": ["echo", "hello"], "limits": {"memory_mib": 16}}
STOP_SECONDS_MAX = 10


@pytest.fixture(name="nobody")
def nobody_listens():
    """An address of this machine at which nobody answers."""
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        yield f"127.0.0.1:{held.getsockname()[1]}"


@pytest.mark.embedded
@pytest.mark.parametrize("role", ROLES)
def test_a_role_needs_a_log_that_is_shared(role, tmp_path):
    help_text = run_tool(role, "--help").stdout
    assert help_text.startswith(f"Examples:\n  sandtrail {role} --log kafka://")
    done = run_tool(role, "--data-dir", tmp_path, check=False)
    assert done.returncode == 2
    assert "one writing process" in done.stderr and "sandtrail dev" in done.stderr


@pytest.mark.embedded
def test_the_name_of_a_role_and_a_word_is_a_verb_of_clients():
    done = run_tool("webhooks", "create", check=False)
    assert done.returncode == 2 and "there is no verb 'create'" in done.stderr
    help_text = run_tool("webhooks", "ls", "--help").stdout
    assert help_text.startswith("Examples:\n  sandtrail webhooks ls")


@pytest.mark.embedded
@pytest.mark.parametrize("role, name", [("gateway", "root.key"), ("auditor", "audit.key")])
def test_no_process_of_a_cluster_makes_a_shared_key(role, name, tmp_path, nobody):
    settings = tmp_path / "s.toml"
    settings.write_text(f'data_dir = "{tmp_path}"\n[log]\nurl = "kafka://{nobody}"\n')
    done = run_tool(role, "--config", settings, "--admin-listen", "off", check=False)
    assert done.returncode == 3
    assert f"{name} does not exist" in done.stderr and "sandtrail init" in done.stderr
    assert not (tmp_path / name).exists()
    run_tool("init", "--config", settings)
    made = (tmp_path / name).read_bytes()
    assert "there already" in run_tool("init", "--config", settings).stdout
    assert (tmp_path / name).read_bytes() == made


@pytest.mark.embedded
def test_a_process_waits_for_the_broker_and_says_so(tmp_path, nobody):
    billing = Process(tmp_path, "billing", ["billing", "--log", f"kafka://{nobody}", "--data-dir",
                                            "data", "--admin-listen", "127.0.0.1:0"]).start()
    try:
        def lines():
            return [json.loads(line) for line in billing.log.read_text().splitlines()]

        health = wait_until(lambda: next((line["health"] for line in lines()
                                          if line["msg"] == "starting"), None), what="health")
        assert httpx.get(health + "/livez", trust_env=False).status_code == 200
        ready = httpx.get(health + "/readyz", trust_env=False)
        assert ready.status_code == 503 and ready.text.startswith("waiting for the log")
        said = wait_until(lambda: next((line for line in lines()
                                        if line["msg"] == "not ready yet"), None), what="progress")
        assert nobody in said["log"] and said["because"] and said["waiting_ms"] > 0
        status = run_tool("status", "--data-dir", tmp_path / "data")
        assert "waiting for the log" in status.stdout
        began = time.monotonic()
        assert billing.stop() == 0
        assert time.monotonic() - began < STOP_SECONDS_MAX
    finally:
        billing.kill()


@pytest.mark.cluster
def test_processes_start_in_any_order_and_come_back_one_by_one(directory):
    server = Server(directory / "order")
    server.prepare()
    for name in reversed(server.processes):
        server.processes[name].start()
    server.wait_ready()
    try:
        with Api.of(server) as api:
            assert api.run(ECHO)["verdict"] == "ok"
        for name in server.processes:
            server.processes[name].kill()
            server.start_one(name)
            with Api.of(server) as api:
                result = api.run(ECHO | {"max_attempts": 3})
                assert result["stdout"] == "hello\n", name
        owners = {owner["role"]: owner["process"]
                  for partition in server.status_of("gateway")["partitions"]
                  for owner in partition["owners"]}
        assert set(owners) == set(ROLES) - {"gateway"}
        assert all(process.startswith(role + "-") for role, process in owners.items())
        shown = run_tool("status", "--config", server.config_file).stdout
        assert all(process in shown for process in owners.values())
    finally:
        server.stop()


@pytest.mark.cluster
def test_another_root_key_is_refused(directory):
    server = Server(directory / "keys").start()
    server.stop()
    path = server.data_dir / "root.key"
    right = path.read_text()
    path.write_text("00" * 32 + "\n")
    for role in ("gateway", "retention", "launcher", "webhooks"):
        with pytest.raises(NotStarted, match="root.key is not the key"):
            server.processes[role].start()
            server.processes[role].wait_ready()
    path.write_text(right)
    server.start()
    with Api.of(server) as api:
        assert api.run(ECHO)["verdict"] == "ok"
    server.stop()


@pytest.mark.cluster
def test_while_the_broker_is_away_writes_are_refused_and_reads_say_how_old_they_are(directory):
    from cluster_server import ClusterServer  # pylint: disable=import-outside-toplevel
    from kafka_cluster import KafkaCluster  # pylint: disable=import-outside-toplevel
    with KafkaCluster() as kafka:
        server = ClusterServer(directory / "away", {"gateway": {"log_away_ms": 1000}}, kafka=kafka)
        server.start()
        try:
            with Api.of(server) as api:
                done = api.run(ECHO)["id"]
                assert api.http.get(f"/v1/executions/{done}").headers["age"] == "0"
                kafka.pause()

                # The first ones wait, and may end in any way but done: until it is noticed that the
                # log is away, and since when.
                def noticed():
                    answer = api.submit(ECHO)
                    assert answer.status_code in (503, 504), answer.text
                    return answer if "since 20" in answer.json()["detail"] else None

                problem(wait_until(noticed, 60, "notice"), 503, "log_away")
                read = api.http.get(f"/v1/executions/{done}")
                assert read.status_code == 200 and int(read.headers["age"]) >= 1
                ready = httpx.get(server.admin_url + "/readyz", trust_env=False)
                assert ready.status_code == 503 and "the log is away since" in ready.text
                assert httpx.get(server.admin_url + "/livez", trust_env=False).status_code == 200
                kafka.resume()
                wait_until(lambda: api.submit(ECHO).status_code == 202, 60, "writes again")
                wait_until(lambda: httpx.get(server.admin_url + "/readyz", trust_env=False)
                           .status_code == 200, 60, "readiness")
                assert api.http.get(f"/v1/executions/{done}").headers["age"] == "0"
                assert api.run(ECHO)["verdict"] == "ok"
        finally:
            kafka.resume()
            server.stop()


@pytest.mark.cluster
def test_topics_that_are_gone_are_noticed_and_not_begun_anew(directory):
    server = Server(directory / "gone", {"gateway": {"log_away_ms": 500}}).start()
    admin = server.kafka.admin()

    def remove(topic):
        name = server.prefix + topic
        admin.delete_topics([name])[name].result(30)

    try:
        with Api.of(server) as api:
            assert api.run(ECHO)["verdict"] == "ok"
            remove("events")

            def away():
                answer = api.submit(ECHO)
                assert answer.status_code in (503, 504), answer.text
                return answer.json()["code"] == "log_away"

            wait_until(away, 60, "notice")
            found = problem(api.submit(ECHO), 503, "log_away")
            assert server.prefix not in found["detail"]  # which is for operators only
        gone = f"topic {server.prefix}events is gone from"
        for url in server.admin_urls[:len(ROLES)]:
            wait_until(lambda u=url: gone in httpx.get(u + "/readyz", trust_env=False).text, 90,
                       url)
        assert server.stop() == 0
        with pytest.raises(NotStarted, match="acknowledged records are gone"):
            server.start_one("billing")
        remove("keys")
        with pytest.raises(NotStarted, match="the key store has lost what it held"):
            server.start_one("gateway")
    finally:
        server.kill()
