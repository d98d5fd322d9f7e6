# SPDX-License-Identifier: Apache-2.0
"""Three brokers (replication 3, two must have a record) under load, while they are killed, stand
still and hand their leadership on, and while a process of clients is killed; then what all clients
saw is checked. Tests of this module build on each other."""

import json
import time

import pytest
from confluent_kafka import ElectionType
from confluent_kafka import TopicPartition as Where
from conftest import BROKERS
from log_clients import LogClients, check, read_all
from processes import wait_until

PARTITIONS = 4
TOPIC = "f.history"
PAUSE_SECONDS = 3  # longer than a broker's session: others lead meanwhile
ALL_AWAY_SECONDS = 4
ALL_AWAY_SECONDS_TORTURE = 60
ROUNDS_TORTURE = 3
COMMON = {"prefix": "f.", "replication": 3, "min_insync": 2, "partitions": PARTITIONS}


class Load:
    """Three processes: one as the product is, one that gives appends up soon, one with many
    unanswered."""

    def __init__(self, directory, kafka):
        self.history = directory / "kafka"
        self.kafka = kafka
        self.processes = []

    def start(self):
        log = f"kafka://{self.kafka.bootstrap}"
        shapes = {"a": {"in_flight": 4}, "b": {"in_flight": 4, "append_timeout_ms": 1500},
                  "c": {"in_flight": 200}}
        self.processes = [LogClients(self.history, name, log, appenders=2, rate=150, **shape,
                                     **COMMON).start() for name, shape in shapes.items()]
        self.wait_progress()
        return self

    def wait_progress(self):
        for process in self.processes:
            process.wait_progress()

    def leaders(self):
        """{partition: its leader} by the brokers that answer."""
        topic = self.kafka.admin().list_topics(TOPIC, timeout=10).topics[TOPIC]
        return {number: found.leader for number, found in topic.partitions.items()}

    def end(self):
        for process in self.processes:
            process.kill()


@pytest.fixture(scope="module", name="load")
def load_of_three(directory, kafka):
    load = Load(directory, kafka)
    try:
        yield load.start()
    finally:
        load.kafka.keep_logs(directory)
        load.end()


def nodes(torture):
    """Whom it befalls, one after the other."""
    return [1, 2, 3] * ROUNDS_TORTURE if torture else [1]


def test_brokers_are_killed_one_by_one(load, torture):
    for node in nodes(torture):
        load.kafka.kill(node)
        load.wait_progress()
        load.kafka.restart(node)
        load.wait_progress()


def test_brokers_stand_still_one_by_one(load, torture):
    for node in [node % BROKERS + 1 for node in nodes(torture)]:
        load.kafka.pause(node)
        try:
            time.sleep(PAUSE_SECONDS)
            load.wait_progress()
        finally:
            load.kafka.resume(node)
        load.wait_progress()


def test_leaders_move_while_all_brokers_live(load, torture):
    load.kafka.wait_answers()
    admin = load.kafka.admin()
    for _ in range(ROUNDS_TORTURE if torture else 1):
        before = load.leaders()
        # The first of the replicas is who should lead; all have what was acknowledged.
        plan = {"version": 1, "partitions": [
            {"topic": TOPIC, "partition": number,
             "replicas": [(leader + step) % BROKERS + 1 for step in range(BROKERS)]}
            for number, leader in before.items()]}
        file = load.history / "plan"
        file.write_text(json.dumps(plan), encoding="utf-8")
        load.kafka.tool("org.apache.kafka.tools.reassign.ReassignPartitionsCommand",
                        "--reassignment-json-file", file, "--execute")
        wanted = {one["partition"]: one["replicas"][0] for one in plan["partitions"]}

        def moved(wanted=wanted):
            admin.elect_leaders(ElectionType.PREFERRED,
                                [Where(TOPIC, number) for number in wanted]).result(10)
            return load.leaders() == wanted

        wait_until(moved, 30, "other leaders")
        assert any(before[number] != leader for number, leader in wanted.items())
        load.wait_progress()


def test_a_process_of_clients_is_killed_and_goes_on(load, torture):
    for process in load.processes * (ROUNDS_TORTURE if torture else 1):
        process.restart()
    load.wait_progress()


def test_all_brokers_stand_still_for_a_while(load, torture):
    for node in range(1, BROKERS + 1):
        load.kafka.pause(node)
    try:
        time.sleep(ALL_AWAY_SECONDS_TORTURE if torture else ALL_AWAY_SECONDS)
    finally:
        for node in range(1, BROKERS + 1):
            load.kafka.resume(node)
    load.wait_progress()


def test_all_brokers_are_killed_at_once(load, torture):
    if not torture:
        pytest.skip("only with SANDTRAIL_TORTURE=1")
    for node in range(1, BROKERS + 1):
        load.kafka.kill(node)
    load.kafka.start()
    load.wait_progress()


def test_and_every_promise_was_kept(load, record_testsuite_property):
    load.kafka.wait_answers()
    for process in load.processes:
        process.stop()
    read_all(load.history, f"kafka://{load.kafka.bootstrap}", **COMMON)
    report = check(load.history, "--kafka")
    assert report["not_committed"] + report["unknown"] > 0, "no fault hit an append"
    # Hardly any: each retry is recognised, unless the client had to begin a new sequence.
    assert report["committed_repeatedly"] * 100 < report["committed"]
    record_testsuite_property("kafka: appends, acknowledged (twice there), not committed, unknown",
                              f"{report['appends']}, {report['committed']} "
                              f"({report['committed_repeatedly']}), {report['not_committed']}, "
                              f"{report['unknown']}")
