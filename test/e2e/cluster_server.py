# SPDX-License-Identifier: Apache-2.0
"""A process for each role over Kafka, and a host: one settings file, one broker for the whole run,
topics of its own for each server."""

import base64
import json
import os
import socket
import uuid

import httpx
from confluent_kafka import OFFSET_BEGINNING, Consumer, KafkaError, TopicPartition
from files import files_that_hold
from kafka_cluster import KafkaCluster
from processes import NotStarted, Process, wait_until
from sandtrail_server import AnyServer, run_tool, toml_of

ROLES = ("gateway", "launcher", "billing", "retention", "webhooks", "auditor")
HOST = "host"
OPERATOR_SECONDS_MAX = 30


def free_port():
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return found.getsockname()[1]


class SharedBroker:
    """Started by the first server that wants it, stopped when the run ends."""

    _cluster = None

    @classmethod
    def cluster(cls):
        if cls._cluster is None:
            cls._cluster = KafkaCluster().start()
        return cls._cluster

    @classmethod
    def stop(cls):
        if cls._cluster is not None:
            cls._cluster.stop(purge=True)
            cls._cluster = None


class ClusterServer(AnyServer):
    """The processes by name in `processes`; a test may stop, kill and start each."""

    def __init__(self, directory, config=None, environment=None, data_dir=None, kafka=None):
        self.kafka = kafka or SharedBroker.cluster()
        self.prefix = f"e2e-{uuid.uuid4().hex[:12]}."
        super().__init__(directory, config, environment, data_dir)
        # A fixed one, since a launcher that starts again must be found where it was.
        self.launcher_port = free_port()
        self.processes = {name: Process(self.directory, name, [name, "--config", self.config_file])
                          for name in (*ROLES, HOST)}

    def _write_config(self, sections):
        # Written when it starts: a test may choose another data directory until then.
        self._sections = sections

    def _write(self):
        sections = {name: dict(keys) for name, keys in self._sections.items()}
        sections.setdefault("log", {}).update({
            "url": f"kafka://{self.kafka.bootstrap}", "topic_prefix": self.prefix,
            "replication": 1, "min_insync": 1, "session_timeout_ms": 2000})
        launcher = f"127.0.0.1:{self.launcher_port}"
        sections.setdefault("launcher", {}).update({"listen": launcher})
        sections.setdefault("cluster", {}).update({"launchers": [launcher]})
        sections.setdefault("host", {}).setdefault("listen", "127.0.0.1:0")
        text = toml_of(sections, {"data_dir": os.path.abspath(self.data_dir)})
        self.config_file.write_text(text, encoding="utf-8")

    # --- life ---

    def prepare(self):
        """The settings and the keys that all processes share."""
        self._write()
        made = run_tool("init", "--config", self.config_file, check=False)
        if made.returncode != 0:
            raise NotStarted(f"exit code {made.returncode}: {made.stderr}")

    def start(self, wait=True):
        self.prepare()
        for name, process in self.processes.items():
            process.start(self.environment_of(name))
        if wait:
            self.wait_ready()
        return self

    def start_one(self, name):
        self.processes[name].start(self.environment_of(name))
        self.processes[name].wait_ready()
        self._learn()

    def environment_of(self, _name):
        """What a process gets besides the settings that all share."""
        return self.environment

    def wait_ready(self):
        try:
            for process in self.processes.values():
                process.wait_ready()
        except NotStarted:
            self.kill()
            raise
        self._learn()
        self._wait_live()

    def stop(self):
        """SIGTERM to all at once, and the worst exit code; None if none runs."""
        for process in self.processes.values():
            process.ask_to_stop()
        codes = [process.wait_stopped() for process in self.processes.values()]
        codes = [code for code in codes if code is not None]
        return max(codes, key=abs) if codes else None

    def kill(self):
        """SIGKILL to all."""
        for process in self.processes.values():
            process.kill()

    @property
    def process(self):
        """The gateway's; None while it does not run."""
        return self.processes["gateway"].process

    # --- what a first user has to know ---

    def _learn(self):
        """Makes an organisation at the first start; keeps what `sandtrail dev` would."""
        gateway = self.processes["gateway"]
        if gateway.process is None:
            return
        path = self.data_dir / "dev.json"
        path_of_socket = str(self.data_dir / "gateway/operator.sock")
        if path.exists():
            facts = json.loads(path.read_text(encoding="utf-8"))
        else:
            with self._operator(path_of_socket) as client:
                answer = client.post("/operator/organizations", json={"name": "dev"})
            assert answer.status_code == 201, answer.text
            made = answer.json()
            facts = {"api_key": made["api_key"], "callback_secret": made["callback_secret"],
                     "organization": made["organization"]["id"]}
        self._facts = facts | {"url": gateway.said_url("API"), "operator_socket": path_of_socket}
        with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w",
                  encoding="utf-8") as file:
            json.dump(self._facts, file)

    def _operator(self, path):
        return httpx.Client(transport=httpx.HTTPTransport(uds=path), base_url="http://localhost",
                            timeout=OPERATOR_SECONDS_MAX)

    def status_of(self, name):
        """What one process says of itself and of all."""
        with self._operator(str(self.data_dir / name / "operator.sock")) as client:
            return client.get("/operator/status").json()

    def _wait_live(self):
        """Until some process acts for each role on each partition, as `sandtrail dev` waits."""
        def live(name):
            roles = [role for partition in self.status_of(name)["partitions"]
                     for role in partition["roles"]]
            return roles and all(role["live"] for role in roles)

        for name in ROLES:
            if name != "gateway":
                wait_until(lambda name=name: live(name), what=f"{name} to be live")
        wait_until(lambda: any(host["connected"] for host in self.status_of("launcher")["hosts"]),
                   what="the host to join")

    # --- what it said ---

    @property
    def log(self):
        return self.processes["gateway"].log

    @property
    def said(self):
        return "".join(process.said for process in self.processes.values())

    def log_tail(self, chars=4000):
        """Of every process."""
        return "\n".join(f"--- {name}\n{process.log_tail(chars)}"
                         for name, process in self.processes.items())

    @property
    def admin_url(self):
        return self.processes["gateway"].admin_url

    @property
    def admin_urls(self):
        """Of every process."""
        return [process.admin_url for process in self.processes.values()]

    @property
    def pid(self):
        """The gateway's: it is the one that clients may do harm to."""
        return self.processes["gateway"].pid

    def status_field(self, name):
        return self.processes["gateway"].status_field(name)

    # --- the key store: a topic, whose tombstones erase for all who read it at once, and from the
    # --- brokers' files once they compact it

    def wrapped_key(self, key):
        """The end of what the key store holds of a data key."""
        value = self._newest_keys().get(key)
        assert value is not None, f"{key} is not in the topic"
        return base64.b64decode(json.loads(value)["wrapped"])[-32:]

    def keeps_key(self, key, wrapped):
        """Whether a reader of the topic gets it, or a file of any process has it."""
        return key in self._newest_keys() or files_that_hold(self.data_dir, [wrapped]) != []

    def _newest_keys(self):
        """{key id: value} as a reader that begins now would have it at the end."""
        found = {}
        consumer = Consumer(self.kafka.settings(others={
            "group.id": "e2e-reader", "enable.auto.commit": False, "enable.partition.eof": True}))
        try:
            consumer.assign([TopicPartition(self.prefix + "keys", 0, OFFSET_BEGINNING)])
            while True:
                message = consumer.poll(10)
                assert message is not None, "the broker sends nothing"
                if message.error():
                    assert message.error().code() == KafkaError._PARTITION_EOF, message.error()
                    return found
                name = message.key().decode()
                found.pop(name, None)
                if message.value() is not None:
                    found[name] = message.value()
        finally:
            consumer.close()

    @property
    def host_directory(self):
        """Where the host keeps what it knows of itself."""
        return self.data_dir / HOST
