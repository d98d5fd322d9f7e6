# SPDX-License-Identifier: Apache-2.0
"""Records as a stranger's tool, kcat, reads and writes them."""

import contextlib
import json
from dataclasses import dataclass, field

from confluent_kafka import Producer
from kafka_cluster import ANSWER_SECONDS_MAX


@dataclass
class Read:
    """One record. `headers` keeps names that come more than once."""
    topic: str  # without the prefix
    partition: int
    offset: int
    headers: list  # [(name, text)]
    key: str | None
    value: str | None

    @property
    def place(self):
        return f"{self.topic}/{self.partition}/{self.offset}"

    @property
    def bytes(self):
        """All that the appender wrote."""
        parts = [self.key or "", self.value or ""]
        parts += [part for header in self.headers for part in header]
        return "\0".join(parts).encode()


@dataclass
class Forged:
    """What to write: one record of `value`, or, of several lines, a record a line."""
    topic: str
    value: bytes | None = b""  # None: a tombstone
    headers: list = field(default_factory=list)  # [(name, text, or None for one without value)]
    key: str | None = None
    partition: int = 0
    lines: bool = False
    options: tuple = ()  # further ones of kcat


class Kcat:
    """Topics of one server, without its prefix."""

    def __init__(self, server, directory):
        self._kafka = server.kafka
        self._prefix = server.prefix
        self._directory = directory

    def topics(self):
        """{name: number of partitions}"""
        listed = json.loads(self._kafka.kcat("-L", "-J").stdout)["topics"]
        return {topic["topic"].removeprefix(self._prefix): len(topic["partitions"])
                for topic in listed if topic["topic"].startswith(self._prefix)}

    def ends(self, topic):
        """{partition: the offset after its last record}"""
        partitions = range(self.topics()[topic])
        asked = [word for number in partitions
                 for word in ("-t", f"{self._prefix}{topic}:{number}:-1")]
        answers = [line.split() for line in self._kafka.kcat("-Q", *asked).stdout.splitlines()]
        ends = {int(words[1].strip("[]")): int(words[3]) for words in answers}
        assert set(ends) == set(partitions)
        return ends

    def read(self, topic):
        """Every record that is there, in the order of each partition."""
        printed = self._kafka.kcat("-C", "-t", self._prefix + topic, "-o", "beginning", "-e", "-J")
        found = []
        for line in printed.stdout.splitlines():
            shown = json.loads(line)
            names = shown.get("headers", [])
            found.append(Read(topic, shown["partition"], shown["offset"],
                              list(zip(names[::2], names[1::2])), shown["key"], shown["payload"]))
        return found

    def write(self, forged, check=True):
        """The finished process of kcat."""
        content = self._directory / "forged"
        words = ["-P", "-t", self._prefix + forged.topic, "-p", str(forged.partition),
                 "-X", "message.max.bytes=2000000", "-X", "topic.message.timeout.ms=20000"]
        if forged.value:
            content.write_bytes(forged.value)
            words += ["-k", forged.key] if forged.key is not None else []
            words += ["-l"] if forged.lines else []
        else:
            # A line with nothing behind the key: the one way to write nothing.
            content.write_bytes((forged.key or "").encode() + b"\1\n")
            words += ["-l", "-K", "\\x01"] + (["-Z"] if forged.value is None else [])
        for name, text in forged.headers:
            words += ["-H", name if text is None else f"{name}={text}"]
        return self._kafka.kcat(*words, *forged.options, content, check=check)

    @contextlib.contextmanager
    def open_transaction(self, forged, headers):
        """Written in a transaction that stays open meanwhile and is aborted at the end. kcat, which
        commits at once, cannot."""
        producer = Producer(self._kafka.settings(others={
            "transactional.id": "strangers", "transaction.timeout.ms": 300_000}))
        producer.init_transactions(ANSWER_SECONDS_MAX)
        producer.begin_transaction()
        producer.produce(self._prefix + forged.topic, forged.value, forged.key,
                         partition=forged.partition, headers=forged.headers + headers)
        assert producer.flush(ANSWER_SECONDS_MAX) == 0
        yield
        producer.abort_transaction(ANSWER_SECONDS_MAX)
