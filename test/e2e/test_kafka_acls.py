# SPDX-License-Identifier: Apache-2.0
"""infra/kafka/acls.txt on a broker that enforces it: what each user may do, and no more. What the
roles need is tried with the roles themselves."""

import shlex
import subprocess
from itertools import product

import pytest
from confluent_kafka import Consumer, KafkaError, KafkaException, Producer
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
    for topic in TOPICS:
        kafka.make_topic(PREFIX + topic, user="gateway")


def error_of(call):
    """The code of the error that `call` raises, or None."""
    try:
        call()
        return None
    except KafkaException as refused:
        return refused.args[0].code()


def may_write(kafka, user, topic):
    """As the roles do it: with idempotence, which is granted to whoever may write to some topic."""
    answers = []
    producer = Producer(kafka.settings(user, {
        "enable.idempotence": True, "error_cb": lambda error: answers.append(error.code())}))
    producer.produce(topic, b"{}", partition=0, on_delivery=lambda error, _:
                     answers.append(error.code() if error else None))
    try:
        wait_until(lambda: producer.flush(0.1) == 0, 30, "an answer")
    except KafkaException as fatal:
        answers.append(fatal.args[0].code())
    refusals = {KafkaError.TOPIC_AUTHORIZATION_FAILED, KafkaError.CLUSTER_AUTHORIZATION_FAILED}
    assert answers[0] is None or answers[0] in refusals
    return answers[0] is None


def may_read(kafka, user, topic):
    """A consumer's way: metadata, marks, records."""
    done = kafka.kcat("-C", "-t", topic, "-e", "-o", "beginning", user=user, check=False)
    assert done.returncode == 0 or "authorization failed" in done.stderr, done.stderr
    return done.returncode == 0


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
    assert {topic for topic in TOPICS if may_write(kafka, user, PREFIX + topic)} == WRITES[user]
    assert not may_write(kafka, user, "events"), "a topic of another prefix"


@pytest.mark.parametrize("user", WRITES)
def test_everybody_reads_the_log_but_keys_only_who_opens_payloads(kafka, topics, user):
    readable = {topic for topic in TOPICS if may_read(kafka, user, PREFIX + topic)}
    assert readable == set(TOPICS) - (set() if user in READS_KEYS else {"keys"})


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


def test_the_principal_can_be_a_certificates_subject():
    printed = subprocess.run([ROOT / "infra/kafka/acls", "--principal", "User:CN=%,OU=%",
                              "webhooks"], capture_output=True, text=True, check=True).stdout
    assert '"User:CN=webhooks,OU=webhooks"' in printed and "gateway" not in printed
