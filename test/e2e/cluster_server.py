# SPDX-License-Identifier: Apache-2.0
"""Processes for the roles over Kafka, and a host: one settings file, one broker for the whole run,
topics of its own for each server."""

import base64
import collections
import json
import os
import uuid

import httpx
from confluent_kafka import OFFSET_BEGINNING, Consumer, KafkaError, TopicPartition
from files import files_that_hold
from kafka_cluster import KafkaCluster
from processes import NotStarted, Process, free_port, wait_until
from sandtrail_server import AnyServer, run_tool, toml_of

ROLES = ("gateway", "launcher", "billing", "retention", "webhooks", "auditor")
HOST = "host"
OPERATOR_SECONDS_MAX = 30


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
    """The processes by name in `processes`, "billing", "billing-2" and so on; a test may stop, kill
    and start each. There is one host, or none where the settings want none built in."""

    def __init__(self, directory, config=None, environment=None, data_dir=None, kafka=None,
                 copies=1):
        self.kafka = kafka or SharedBroker.cluster()
        self.prefix = f"e2e-{uuid.uuid4().hex[:12]}."
        super().__init__(directory, config, environment, data_dir)
        launcher = self._sections.get("launcher", {})
        # Fixed ones, since a launcher that starts again must be found where it was.
        self.launchers = [f"127.0.0.1:{free_port()}" for _ in range(copies)]
        self.launchers[0] = launcher.get("listen", self.launchers[0])
        self.copies = {role: [role, *(f"{role}-{i}" for i in range(2, copies + 1))]
                       for role in ROLES}
        self.processes = {name: Process(self.directory, name, [role, "--config", self.config_file])
                          for role, names in self.copies.items() for name in names}
        if launcher.get("builtin_host", True):
            self.processes[HOST] = Process(self.directory, HOST,
                                           [HOST, "--config", self.config_file])

    def _write_config(self, sections):
        # Written when it starts: a test may choose another data directory until then.
        self._sections = sections

    def _write(self):
        sections = {name: dict(keys) for name, keys in self._sections.items()}
        sections.setdefault("log", {}).update({
            "url": f"kafka://{self.kafka.bootstrap}", "topic_prefix": self.prefix,
            "replication": 1, "min_insync": 1, "session_timeout_ms": 2000})
        sections.setdefault("launcher", {}).update(
            {"listen": self.launchers[0], "builtin_host": False})
        sections.setdefault("cluster", {}).update({"launchers": self.launchers})
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
        for name in self.processes:
            self._start(name)
        if wait:
            self.wait_ready()
        return self

    def start_one(self, name):
        self.start_these(name)

    def start_these(self, *names):
        """Until they are ready."""
        for name in names:
            self._start(name)
        for name in names:
            self.processes[name].wait_ready()
        self._learn()

    def _start(self, name):
        process = self.processes[name]
        role, _, number = name.partition("-")
        if number:
            process.arguments = [role, "--config", str(self.config_file),
                                 "--data-dir", str(self.data_dir / name)]
        process.start(self.environment_of(name))

    def environment_of(self, name):
        """What a process gets besides the settings that all share."""
        role, _, number = name.partition("-")
        if role == "launcher" and number:
            return self.environment | {"SANDTRAIL_LAUNCHER_LISTEN": self.launchers[int(number) - 1]}
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
        for role in ROLES:
            if role != "gateway":
                wait_until(lambda role=role: self.is_live(role), what=f"{role} to be live")
        if HOST in self.processes:
            wait_until(lambda: any(host["connected"]
                                   for host in self.status_of("launcher")["hosts"]),
                       what="the host to join")

    def is_live(self, role):
        """Whether some process acts for it on each of its partitions."""
        acting = self.acting(role)
        return bool(acting) and all(acting.values())

    def acting(self, role):
        """{partition: names of the processes that say they act there for the role}"""
        found = collections.defaultdict(list)
        for name in self.copies[role]:
            if self.processes[name].process is not None:
                for partition, live in self.acts(name).items():
                    found[partition] += [name] * live
        return found

    def acts(self, name):
        """{partition: whether the process says that it acts there for its role}"""
        return {partition["partition"]: role["live"]
                for partition in self.status_of(name)["partitions"] for role in partition["roles"]}

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
