# SPDX-License-Identifier: Apache-2.0
"""Moving house: what one process did on its embedded log goes on as a process for each role over
Kafka, with its history, ids, provenance, bills and audit proofs."""

import json
import os
import shutil
import subprocess

import pytest
from api import TERMINAL, Api
from cluster_server import ClusterServer, SharedBroker
from confluent_kafka import Consumer, KafkaException, TopicPartition
from processes import NotStarted, build_folder, program, wait_until
from sandtrail_server import EmbeddedServer, run_tool
from webhook_sink import WebhookSink

CONFIG = {"log": {"events_partitions": 4}}
EXECUTIONS = 8
LARGE = 60_000  # over what stands in a record
LONG = 1_000_000 if os.environ.get("SANDTRAIL_TORTURE") else 20_000  # records
LONG_SECONDS_MAX = 1800
MOVED = ("root.key", "audit.key", "audit.vkey", "dev.json")

pytestmark = pytest.mark.cluster


def digests(place, config):
    """{partition: digests of all rows} of a log folded from its beginning."""
    done = run_tool("log", "digests", "--at", place, "--config", config, "--json",
                    timeout=LONG_SECONDS_MAX)
    return {one.pop("partition"): one for one in json.loads(done.stdout)["partitions"]}


def audit(server):
    done = run_tool("audit", "verify", "--json", "--data-dir", server.data_dir, "--config",
                    server.config_file)
    return json.loads(done.stdout)


def balance(api):
    """Without the position it is of: that grows with every claim."""
    return {name: value for name, value in api.balance().items() if name != "position"}


def copy_words(old, new):
    return ("log", "copy", "--from", f"embedded:{old}", "--to", f"kafka://{new.kafka.bootstrap}",
            "--config", new.config_file, "--json")


def copy(old, new):
    return run_tool(*copy_words(old.data_dir, new), "--keys")


def a_cluster(directory, root_key=None):
    """One that can be copied to: its settings are written, no process of it runs."""
    cluster = ClusterServer(directory, CONFIG, kafka=SharedBroker.cluster())
    cluster.data_dir.mkdir(parents=True)
    if root_key:
        shutil.copy(root_key, cluster.data_dir / "root.key")
    cluster.prepare()
    return cluster


def filled(cluster):
    """How many records the topic of events holds in its first partition."""
    consumer = Consumer(cluster.kafka.settings(others={"group.id": "e2e-reader"}))
    try:
        return consumer.get_watermark_offsets(TopicPartition(cluster.prefix + "events", 0), 5)[1]
    except KafkaException:
        return 0  # not made yet
    finally:
        consumer.close()


def body(sink, number):
    """Of the request of that number; the first one's code is too large for a record."""
    code = f"print({number})" + (" #" + "x" * LARGE if number == 0 else "")
    return {"language": "python", "code": code, "callback_url": sink.url(f"/{number}"),
            "limits": {"wall_ms": 10_000}}


class Before:
    """A life on one machine, and what was known of it when it stopped."""

    def __init__(self, directory, sink):
        self.server = EmbeddedServer(directory / "one", CONFIG).start()
        with Api.of(self.server) as api:
            for number in range(EXECUTIONS):
                result = api.run(body(sink, number), key=f"first-{number}")
                assert result["status"] == "finished", result
            wait_until(lambda: len({r.path for r in sink.received}) == EXECUTIONS,
                       what="callbacks")
            wait_until(lambda: api.balance()["held_microcredits"] == 0, what="settlements")
            wait_until(lambda: audit(self.server)["pending"] == 0, what="the audit of all")
            self.executions = {row["id"]: api.get(row["id"]) for row in api.all("/v1/executions")}
            self.balance = balance(api)
            self.ledger = api.all("/v1/billing/ledger")
            self.entries = api.all("/v1/audit/entries")
        assert self.server.stop() == 0
        self.audit = audit(self.server)


@pytest.fixture(name="moved", scope="module")
def a_moved_server(directory):
    """(before, the cluster, what the copy said)"""
    with WebhookSink() as sink:
        before = Before(directory, sink)
        cluster = ClusterServer(directory / "many", CONFIG, kafka=SharedBroker.cluster())
        cluster.data_dir.mkdir(parents=True)
        for name in MOVED:
            shutil.copy(before.server.data_dir / name, cluster.data_dir / name)
        shutil.copytree(before.server.data_dir / "objects", cluster.data_dir / "objects")
        cluster.prepare()
        said = json.loads(copy(before.server, cluster).stdout)
        cluster.start()
        yield before, cluster, said, sink
        cluster.stop()


def test_each_record_is_where_it_was(moved):
    before, cluster, said, _ = moved
    assert said["same"] and said["found"] == 0 and said["keys"] > EXECUTIONS
    assert said["records"] == sum(part["high"] for part in said["partitions"])
    done = run_tool("log", "cat", "events", "--json", "--data-dir", before.server.data_dir)
    old = [json.loads(line) for line in done.stdout.splitlines()]
    done = run_tool("log", "cat", "events", "--json", "--config", cluster.config_file)
    new = {(record["partition"], record["position"]): record
           for record in map(json.loads, done.stdout.splitlines())}
    assert [new[(record["partition"], record["position"])] for record in old] == old


def test_every_projection_of_the_old_records_is_equal(directory, moved):
    before, _, _, _ = moved
    # The topics go on; an equal copy of the embedded log and of the topics as they were is compared
    # record by record and row by row.
    other = a_cluster(directory / "again", before.server.data_dir / "root.key")
    copy(before.server, other)
    old, new = f"embedded:{before.server.data_dir}", f"kafka://{other.kafka.bootstrap}"
    done = run_tool("log", "compare", "--from", old, "--to", new, "--config", other.config_file,
                    "--json")
    assert json.loads(done.stdout)["same"]
    assert digests(old, other.config_file) == digests(new, other.config_file)
    # Again: it finds everything there.
    again = json.loads(copy(before.server, other).stdout)
    assert again["records"] == 0 and again["same"]


def test_executions_bills_and_audit_are_the_same(moved):
    before, cluster, _, sink = moved
    with Api.of(cluster) as api:
        assert {one: api.get(one) for one in before.executions} == before.executions
        assert balance(api) == before.balance
        ledger = api.all("/v1/billing/ledger")
        assert [row for row in ledger if row in before.ledger] == before.ledger
        entries = api.all("/v1/audit/entries")
        assert [row for row in entries if row in before.entries] == before.entries
        # The same key gives the same execution, not another one.
        first = api.submit(body(sink, 1), key="first-1")
        assert first.status_code in (200, 202) and first.json()["id"] in before.executions
    found = audit(cluster)
    assert found["verified"] and found["entries"] >= before.audit["entries"]


def test_new_work_is_done(moved):
    _, cluster, _, sink = moved
    with Api.of(cluster) as api:
        result = api.run({"language": "python", "code": "print('moved')",
                          "callback_url": sink.url("/new")})
        assert result["status"] in TERMINAL and result["stdout"] == "moved\n"
        wait_until(lambda: any(r.path == "/new" for r in sink.received), what="the callback")
        wait_until(lambda: api.balance()["held_microcredits"] == 0, what="the settlement")
    wait_until(lambda: audit(cluster)["pending"] == 0, what="the audit")
    for name in ("gateway", "auditor"):
        done = run_tool("log", "verify", "--config", cluster.config_file, "--socket",
                        cluster.data_dir / name / "operator.sock", "--json")
        assert json.loads(done.stdout)["same"]


def test_a_topic_that_is_still_filled_is_no_log(directory):
    cluster = a_cluster(directory / "half")
    cluster.kafka.make_topic(cluster.prefix + "events", 4, {
        "message.timestamp.type": "CreateTime", "retention.ms": "-1", "retention.bytes": "-1",
        "min.insync.replicas": "1", "unclean.leader.election.enable": "false"})
    with pytest.raises(NotStarted, match="unfinished copy"):
        cluster.start_one("billing")


def test_a_long_log_is_copied_although_the_copy_is_killed(directory):
    old = directory / "long"
    subprocess.run([build_folder() / "bench/log_fill", old, str(LONG)], check=True,
                   stdout=subprocess.DEVNULL, timeout=LONG_SECONDS_MAX)
    cluster = a_cluster(directory / "long-cluster")
    words = copy_words(old, cluster)
    first = subprocess.Popen([program(), *words], stdout=subprocess.DEVNULL,
                             stderr=subprocess.DEVNULL)
    wait_until(lambda: filled(cluster) > 0 or first.poll() is not None, what="the first records")
    first.kill()
    first.wait()
    done = json.loads(run_tool(*words, timeout=LONG_SECONDS_MAX).stdout)
    assert done["same"] and done["found"] > 0
    assert done["found"] + done["records"] == sum(part["high"] for part in done["partitions"])
    assert done["found"] + done["records"] > LONG * 0.99
    new = f"kafka://{cluster.kafka.bootstrap}"
    assert digests(f"embedded:{old}", cluster.config_file) == digests(new, cluster.config_file)


def test_a_log_in_use_is_not_copied(directory):
    server = EmbeddedServer(directory / "busy", CONFIG).start()
    try:
        done = run_tool("log", "copy", "--from", f"embedded:{server.data_dir}", "--to",
                        f"embedded:{directory / 'nowhere'}", check=False)
        assert done.returncode == 3 and "another process has the log" in done.stderr
    finally:
        server.stop()
