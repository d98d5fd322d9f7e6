# SPDX-License-Identifier: Apache-2.0
"""scripts/kafka and the cluster that other tests get from it: what it promises them."""

import subprocess

import pytest
from confluent_kafka import Consumer, KafkaError, KafkaException, Producer, TopicPartition
from confluent_kafka.admin import AdminClient
from kafka_cluster import SCRIPT, KafkaCluster, process_start
from sandtrail_server import wait_until


@pytest.fixture(scope="module")
def kafka():
    with KafkaCluster() as cluster:
        yield cluster


def append(kafka, topic, values, settings=None):
    """Appends and waits; returns the values that were acknowledged."""
    acknowledged = []
    producer = Producer(kafka.settings(others={"enable.idempotence": True, **(settings or {})}))
    for value in values:
        producer.produce(topic, value, partition=0, on_delivery=lambda error, message:
                         acknowledged.append(message.value()) if error is None else None)
    producer.flush(30)
    return acknowledged


def read_all(kafka, topic):
    """Every value of partition 0 up to its end at the time of the call."""
    consumer = Consumer(kafka.settings(others={
        "group.id": "reader-test", "enable.auto.commit": False, "auto.offset.reset": "error"}))
    try:
        where = TopicPartition(topic, 0, 0)
        high = wait_until(lambda: high_mark(consumer, where), 30, "a mark that is not 0")
        consumer.assign([where])
        values = []

        def more():
            for message in consumer.consume(1000, 0.5):
                if message.error():
                    raise KafkaException(message.error())
                values.append(message.value())
            return len(values) >= high

        wait_until(more, 30, f"{high} records of {topic}")
        return values
    finally:
        consumer.close()


def high_mark(consumer, where):
    """0 as long as a new leader does not know it yet."""
    try:
        return consumer.get_watermark_offsets(where, timeout=10)[1]
    except KafkaException as refused:
        assert refused.args[0].code() == KafkaError.OFFSET_NOT_AVAILABLE
        return 0


def test_a_second_start_changes_nothing_and_says_the_address(kafka):
    before = (kafka.directory / "1/pid").read_text()
    again = subprocess.run([SCRIPT, "start", "--name", kafka.name], capture_output=True, text=True,
                           check=True)
    assert again.stdout == kafka.bootstrap + "\n" and again.stderr == ""
    assert (kafka.directory / "1/pid").read_text() == before
    said = subprocess.run([SCRIPT, "status", "--name", kafka.name], capture_output=True, text=True,
                          check=True).stdout
    assert kafka.bootstrap in said and f"pid {before.split()[0]}" in said


def test_a_second_start_with_other_options_is_refused(kafka):
    done = subprocess.run([SCRIPT, "start", "--name", kafka.name, "--brokers", "3"],
                          capture_output=True, text=True, check=False)
    assert done.returncode == 2 and "--brokers 1" in done.stderr and kafka.running()


def test_a_topic_of_the_admin_tool_carries_records_with_headers_for_kcat(kafka):
    kafka.tool("org.apache.kafka.tools.TopicCommand", "--create", "--topic", "headers",
               "--partitions", "2", "--config", "message.timestamp.type=LogAppendTime")
    kafka.kcat("-P", "-t", "headers", "-p", "1", "-k", "key", "-H", "ce_id=evt_1", "-H",
               "ce_type=sandtrail.test", stdin="value")
    read = kafka.kcat("-C", "-t", "headers", "-p", "1", "-e", "-f", "%p %o %k %h %s\n").stdout
    assert read == "1 0 key ce_id=evt_1,ce_type=sandtrail.test value\n"


def test_topics_do_not_come_about_by_accident(kafka):
    assert append(kafka, "nobody-made-this", [b"x"], {"message.timeout.ms": 2000}) == []
    assert "nobody-made-this" not in kafka.kcat("-L").stdout


def test_a_compacted_topic_soon_keeps_only_the_last_value_of_a_key(kafka):
    kafka.make_topic("compacted", config={
        "cleanup.policy": "compact", "segment.ms": "100", "max.compaction.lag.ms": "200",
        "min.cleanable.dirty.ratio": "0.01"})
    producer = Producer(kafka.settings())

    def offsets():
        # The active segment is never compacted: each look appends, so that it rolls.
        producer.produce("compacted", "x", key="filler")
        producer.flush(10)
        lines = kafka.kcat("-C", "-t", "compacted", "-e", "-f", "%o %k\n").stdout.splitlines()
        return [int(line.split()[0]) for line in lines if line.endswith("secret")]

    for value in range(5):
        producer.produce("compacted", str(value), key="secret")
    producer.flush(10)
    wait_until(lambda: offsets() == [4], 60, "compaction")


def test_acknowledged_records_survive_kill_9(kafka):
    kafka.make_topic("killed")
    values = [f"{n}".encode() for n in range(2000)]
    assert append(kafka, "killed", values) == values
    kafka.kill()
    assert not kafka.running() and not kafka.answers()
    kafka.restart()
    assert read_all(kafka, "killed") == values


def test_a_paused_broker_answers_nobody_until_it_is_resumed(kafka):
    kafka.pause()
    assert kafka.running() and not kafka.answers()
    kafka.resume()
    kafka.wait_answers()


def test_stop_ends_a_paused_broker_and_start_brings_its_records_back(kafka):
    kafka.make_topic("stopped")
    append(kafka, "stopped", [b"kept"])
    kafka.pause()
    kafka.stop()
    assert not kafka.running()
    kafka.start()
    assert read_all(kafka, "stopped") == [b"kept"]


def test_a_process_that_took_over_the_id_is_left_alone(kafka):
    file = kafka.directory / "1/pid"
    real = file.read_text()
    with subprocess.Popen(["sleep", "60"]) as bystander:
        try:
            # The id of a process that began at another time than the broker did.
            file.write_text(f"{bystander.pid} {real.split()[1]}\n")
            kafka.stop()
            assert not kafka.running()
            assert bystander.poll() is None
        finally:
            file.write_text(real)
            bystander.kill()
    assert kafka.running()


def test_what_belonged_to_a_process_that_is_gone_is_removed_by_the_next_start(kafka):
    orphan = f"{kafka.name}-orphan"
    # The owner is a shell that ends right after the start.
    subprocess.run(["bash", "-c", f"{SCRIPT} start --name {orphan} --port 0 --owner $$; true"],
                   check=True, capture_output=True)
    directory = kafka.directory.with_name(orphan)
    pid = (directory / "1/pid").read_text().split()[0]
    kafka.start()
    assert not directory.exists()
    assert process_start(pid) is None


def test_three_brokers_lose_one_and_go_on_and_two_are_too_few():
    with KafkaCluster(brokers=3) as three:
        three.make_topic("replicated")
        assert append(three, "replicated", [b"by three"]) == [b"by three"]
        three.kill(2)
        assert append(three, "replicated", [b"by two"]) == [b"by two"]
        three.kill(3)
        assert append(three, "replicated", [b"by one"], {"message.timeout.ms": 3000}) == []
        three.restart(2)
        three.wait_answers()
        assert read_all(three, "replicated")[:2] == [b"by three", b"by two"]


def test_a_tls_broker_takes_only_clients_with_a_certificate():
    with KafkaCluster(auth="tls") as tls:
        assert tls.answers()
        key = tls.directory / "tls/client.encrypted.key"
        password = key.with_suffix(".password").read_text().strip()
        settings = tls.settings(others={"ssl.key.location": str(key), "ssl.key.password": password})
        assert AdminClient(settings).list_topics(timeout=10).brokers
        for name in ("ssl.key.location", "ssl.key.password", "ssl.certificate.location"):
            del settings[name]
        with pytest.raises(KafkaException):
            AdminClient(settings).list_topics(timeout=3)
