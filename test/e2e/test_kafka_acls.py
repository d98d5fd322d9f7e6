# SPDX-License-Identifier: Apache-2.0
"""infra/kafka/acls.txt on a broker that enforces it: what each user may do, and no more. What the
roles need is tried with the roles themselves."""

import shlex
import subprocess
from itertools import product

import pytest
from confluent_kafka import (OFFSET_BEGINNING, Consumer, KafkaError, KafkaException, Producer,
                             TopicPartition)
from confluent_kafka.admin import (AclBindingFilter, AclOperation, AclPermissionType, AdminClient,
                                   ResourcePatternType, ResourceType)
from kafka_cluster import KafkaCluster
from sandtrail_server import ROOT, wait_until

PREFIX = "st."
TOPICS = ("events", "platform", "audit", "keys")
ROLES = ("gateway", "launcher", "billing", "retention", "webhooks", "auditor")
WRITES = {"gateway": {"events", "platform", "keys"}, "launcher": {"events"},
          "billing": {"events", "platform"}, "retention": {"events", "keys"},
          "webhooks": {"events"}, "auditor": {"events", "platform", "audit"}, "reader": set()}
READS_KEYS = {"gateway", "launcher", "retention", "webhooks"}


@pytest.fixture(scope="module")
def kafka():
    with KafkaCluster(auth="acl+tls") as cluster:
        cluster.grant(prefix=PREFIX, creator="gateway")
        yield cluster


@pytest.fixture(scope="module")
def topics(kafka):
    """Made by the one role that may."""
    kafka.make_topic("events")
    for topic in TOPICS:
        kafka.make_topic(PREFIX + topic, user="gateway")


def error_of(call):
    """The code of the error that `call` raises, or None."""
    try:
        call()
        return None
    except KafkaException as refused:
        return refused.args[0].code()


def writable(kafka, user, topics):
    """As the roles append: with idempotence, granted to whoever may write to some topic."""
    answers = {}
    fatal = []
    producer = Producer(kafka.settings(user, {
        "enable.idempotence": True, "error_cb": lambda error: fatal.append(error.code())}))
    for topic in topics:
        producer.produce(topic, b"{}", partition=0, on_delivery=lambda error, message:
                         answers.update({message.topic(): error.code() if error else None}))
    try:
        wait_until(lambda: producer.flush(0.1) == 0, 30, "all answers")
    except KafkaException as error:
        fatal.append(error.args[0].code())
    if fatal:
        assert set(fatal) == {KafkaError.CLUSTER_AUTHORIZATION_FAILED}
        return set()
    assert set(answers) == set(topics)
    assert set(answers.values()) <= {None, KafkaError.TOPIC_AUTHORIZATION_FAILED}
    return {topic for topic, error in answers.items() if error is None}


def readable(kafka, user, topics):
    """Those whose end a consumer reaches."""
    consumer = Consumer(kafka.settings(user, {
        "group.id": PREFIX + "sandtrail-reader", "enable.auto.commit": False,
        "enable.partition.eof": True}))
    # librdkafka says nothing more about assigned partitions of a topic that may not be described.
    refused = {topic for topic in topics if is_hidden(consumer, topic)}
    reached = set()
    consumer.assign([TopicPartition(topic, 0, OFFSET_BEGINNING) for topic in topics
                     if topic not in refused])

    def answered():
        message = consumer.poll(0.2)
        error = message.error() if message else None
        if error and error.code() == KafkaError._PARTITION_EOF:
            reached.add(message.topic())
        elif error:
            assert error.code() == KafkaError.TOPIC_AUTHORIZATION_FAILED
            refused.add(message.topic())
        return len(reached) + len(refused) == len(topics)

    try:
        wait_until(answered, 30, "all answers")
    finally:
        consumer.close()
    return reached


def is_hidden(consumer, topic):
    error = consumer.list_topics(topic, timeout=10).topics[topic].error
    assert error is None or error.code() == KafkaError.TOPIC_AUTHORIZATION_FAILED
    return error is not None


def may_join(kafka, user, group, topic):
    """Whether the group gives it a partition."""
    consumer = Consumer(kafka.settings(user, {
        "group.id": group, "enable.auto.commit": False, "auto.offset.reset": "earliest"}))
    try:
        consumer.subscribe([topic])
        answers = []

        def answered():
            message = consumer.poll(0.2)
            if message is not None and message.error():
                answers.append(message.error().code())
            return answers or consumer.assignment()

        wait_until(answered, 30, f"an answer of {group}")
        assert not answers or answers[0] == KafkaError.GROUP_AUTHORIZATION_FAILED
        return not answers
    finally:
        consumer.close()


def test_only_the_creator_makes_topics_and_only_ours(kafka, topics):
    for user in ("launcher", "reader"):
        refused = error_of(lambda: kafka.make_topic(f"{PREFIX}events", user=user))
        assert refused == KafkaError.TOPIC_AUTHORIZATION_FAILED, user
    refused = error_of(lambda: kafka.make_topic(f"{PREFIX}other", user="gateway"))
    assert refused == KafkaError.TOPIC_AUTHORIZATION_FAILED


@pytest.mark.parametrize("user", WRITES)
def test_a_user_appends_to_the_topics_of_its_role_and_to_no_other(kafka, topics, user):
    # The last one is a topic of another prefix.
    asked = [PREFIX + topic for topic in TOPICS] + ["events"]
    assert writable(kafka, user, asked) == {PREFIX + topic for topic in WRITES[user]}


@pytest.mark.parametrize("user", WRITES)
def test_everybody_reads_the_log_but_keys_only_who_opens_payloads(kafka, topics, user):
    found = readable(kafka, user, [PREFIX + topic for topic in TOPICS])
    expected = set(TOPICS) - (set() if user in READS_KEYS else {"keys"})
    assert found == {PREFIX + topic for topic in expected}


def test_a_role_joins_its_own_group_and_no_other(kafka, topics):
    for user, role in product(ROLES[1:3], ROLES[1:3]):
        joined = may_join(kafka, user, f"{PREFIX}sandtrail-{role}", PREFIX + "events")
        assert joined == (user == role), (user, role)


def test_nobody_deletes_records_or_topics(kafka, topics):
    for user in ("gateway", "retention", "auditor"):
        admin = kafka.admin(user)
        future = admin.delete_topics([PREFIX + "audit"])[PREFIX + "audit"]
        refused = error_of(lambda future=future: future.result(10))
        assert refused == KafkaError.TOPIC_AUTHORIZATION_FAILED, user


def test_a_client_without_a_password_or_with_a_wrong_one_is_refused(kafka):
    settings = kafka.settings("gateway")
    assert AdminClient(settings).list_topics(timeout=10).brokers
    for wrong in ({"sasl.password": "not it"}, {"security.protocol": "SSL"}):
        with pytest.raises(KafkaException):
            AdminClient(settings | wrong).list_topics(timeout=3)


def acls(kafka):
    everything = AclBindingFilter(ResourceType.ANY, None, ResourcePatternType.ANY, None, None,
                                  AclOperation.ANY, AclPermissionType.ANY)
    admin = kafka.admin()
    return {(acl.restype, acl.name, acl.principal, acl.operation)
            for acl in admin.describe_acls(everything).result(10)}


def test_kafkas_own_tool_understands_what_the_script_prints(kafka):
    """Taking away and giving back the rights of one user."""
    before = acls(kafka)
    assert any(acl[2] == "User:reader" for acl in before)
    for change in (["--remove"], []):
        printed = subprocess.run([ROOT / "infra/kafka/acls", "--prefix", PREFIX, *change, "reader"],
                                 capture_output=True, text=True, check=True).stdout
        for line in printed.splitlines():
            kafka.tool("org.apache.kafka.tools.AclCommand", *shlex.split(line))
        there = acls(kafka)
        expected = {acl for acl in before if acl[2] != "User:reader"} if change else before
        assert there == expected
