# SPDX-License-Identifier: Apache-2.0
"""A Kafka cluster of the test's own, by scripts/kafka: brokers that can be paused, killed and
started again, and clients for them."""

import contextlib
import os
import re
import shlex
import shutil
import signal
import subprocess
import uuid
from pathlib import Path

from confluent_kafka import KafkaException
from confluent_kafka.admin import (AclBinding, AclBindingFilter, AclOperation, AclPermissionType,
                                   AdminClient, NewTopic, ResourcePatternType, ResourceType)
from sandtrail_server import ROOT, wait_until

SCRIPT = ROOT / "scripts/kafka"
START_SECONDS_MAX = 180  # the first start on a machine fetches the jars
ANSWER_SECONDS_MAX = 60
REQUEST_SECONDS_MAX = 10


class KafkaCluster:
    """Owns its brokers and their data: `with KafkaCluster() as kafka`. Nodes count from 1. It never
    signals a process that scripts/kafka did not start for it."""

    def __init__(self, brokers=1, auth="none", version=None, jit="fast", proxies=False):
        version = version or os.environ.get("SANDTRAIL_TEST_KAFKA_VERSION")
        self.name = f"test-{os.getpid()}-{uuid.uuid4().hex[:8]}"
        self.directory = ROOT / "build/kafka" / self.name
        self.brokers = brokers
        self.bootstrap = ""
        self._options = ["--brokers", str(brokers), "--auth", auth, "--port", "0", "--jit", jit,
                         "--owner", str(os.getpid()), *(["--version", version] if version else []),
                         *(["--proxies", "yes"] if proxies else [])]

    def __enter__(self):
        return self.start()

    def __exit__(self, *exception):
        self.stop(purge=True)

    # --- life ---

    def start(self):
        """Starts the brokers that do not run, and waits until all of them answer."""
        self.bootstrap = self._run("start", *self._options).strip()
        return self

    def stop(self, purge=False):
        """Ends the brokers in order, paused ones too; `purge` removes their data as well."""
        self._run("stop", *(["--purge"] if purge else []))

    def _run(self, verb, *options):
        done = subprocess.run([SCRIPT, verb, "--name", self.name, *options], capture_output=True,
                              text=True, timeout=START_SECONDS_MAX, check=False,
                              stdin=subprocess.DEVNULL)
        assert done.returncode == 0, f"scripts/kafka {verb} failed: {done.stderr[-4000:]}"
        return done.stdout

    # --- faults: of one node ---

    def pause(self, node=1):
        """SIGSTOP: its connections stay open, and nothing answers."""
        assert self._signal(node, signal.SIGSTOP), f"broker {node} does not run"

    def resume(self, node=1):
        assert self._signal(node, signal.SIGCONT), f"broker {node} does not run"

    def kill(self, node=1):
        """SIGKILL, and waits until it is gone with its sockets."""
        assert self._signal(node, signal.SIGKILL), f"broker {node} does not run"
        wait_until(lambda: not self.running(node), what=f"the end of broker {node}")

    def restart(self, node=1):
        """Kills it if it runs, starts it, and waits until all brokers answer."""
        if self.running(node):
            self.kill(node)
        return self.start()

    def running(self, node=1):
        """Whether its process exists, be it paused."""
        return self._signal(node, 0)

    def _signal(self, node, number):
        """False if the process is gone. The descriptor stays with the process that was looked at,
        so that no other process with the same id can be hit."""
        try:
            pid, started = (self.directory / str(node) / "pid").read_text().split()
            descriptor = os.pidfd_open(int(pid))
        except (FileNotFoundError, ProcessLookupError):
            return False
        try:
            if process_start(pid) != started:
                return False
            signal.pidfd_send_signal(descriptor, number)
            return True
        except ProcessLookupError:
            return False
        finally:
            os.close(descriptor)

    # --- clients ---

    def proxy_ports(self):
        """[(port, target)] of each node: where its clients are told to connect, and what a proxy
        there has to pass on to. Only with `proxies`."""
        first = int(self.bootstrap.split(",", maxsplit=1)[0].rpartition(":")[2])
        return [(first + 3 * self.brokers + node, first + 2 * self.brokers + node)
                for node in range(self.brokers)]

    def settings(self, user="admin", others=None):
        """Of a client of confluent-kafka: the address, how to authenticate, and `others` by
        librdkafka's names. Silent about brokers that a test has killed."""
        lines = (self.directory / "clients" / f"{user}.conf").read_text().splitlines()
        return {"bootstrap.servers": self.bootstrap,
                **dict(line.split("=", 1) for line in lines),
                "log_level": 0, **(others or {})}

    def admin(self, user="admin"):
        """To be kept while something is asked of it: its end ends what is under way."""
        return AdminClient(self.settings(user))

    def answers(self, user="admin"):
        """Whether a broker answers, and says that all of them are part of the cluster."""
        admin = self.admin(user)
        try:
            return len(admin.list_topics(timeout=2).brokers) == self.brokers
        except KafkaException:
            return False

    def wait_answers(self):
        wait_until(self.answers, ANSWER_SECONDS_MAX, "an answer of all brokers")

    def make_topic(self, name, partitions=1, config=None, user="admin"):
        """Replicated to all brokers. Raises KafkaException if it is refused."""
        topic = NewTopic(name, partitions, self.brokers, config=config or {})
        admin = self.admin(user)
        admin.create_topics([topic])[name].result(REQUEST_SECONDS_MAX)

    # As an administrator would, but in one request: Kafka's tools start a virtual machine for each
    # line that the scripts print.

    def grant(self, *users, prefix="", creator=None):
        """The ACLs that infra/kafka/acls prints."""
        creating = ["--creator", creator] if creator else []
        bindings = [binding for words in printed("acls", "--prefix", prefix, *creating, *users)
                    for binding in _bindings(words)]
        admin = self.admin()
        for future in admin.create_acls(bindings).values():
            future.result(REQUEST_SECONDS_MAX)

    @contextlib.contextmanager
    def without(self, user, operation, topic):
        """Takes one right away, and gives it back."""
        acl = (ResourceType.TOPIC, topic, ResourcePatternType.LITERAL, f"User:{user}", "*",
               AclOperation[operation], AclPermissionType.ALLOW)
        admin = self.admin()
        gone = [future.result(REQUEST_SECONDS_MAX)
                for future in admin.delete_acls([AclBindingFilter(*acl)]).values()]
        assert len(gone[0]) == 1, f"{user} has no such right"
        yield
        for future in admin.create_acls([AclBinding(*acl)]).values():
            future.result(REQUEST_SECONDS_MAX)

    def make_log(self, prefix, partitions):
        """The topics that infra/kafka/topics prints."""
        topics = [_new_topic(words) for words in printed(
            "topics", "--prefix", prefix, "--partitions", str(partitions), "--replication",
            str(self.brokers), "--min-insync", "1")]
        admin = self.admin()
        for future in admin.create_topics(topics).values():
            future.result(REQUEST_SECONDS_MAX)

    def kcat(self, *arguments, user="admin", stdin=None, check=True):
        """The finished process of kcat, with text output; bytes that are no text stay as they are,
        as surrogates."""
        done = subprocess.run(
            ["kcat", "-q", "-F", self.directory / "clients" / f"{user}.conf", "-b", self.bootstrap,
             *arguments], capture_output=True, encoding="utf-8", errors="surrogateescape",
            input=stdin, check=False, timeout=ANSWER_SECONDS_MAX)
        assert done.returncode == 0 or not check, f"kcat failed: {done.stderr[-2000:]}"
        return done

    def tool(self, java_class, *arguments, user="admin"):
        """What one of Kafka's own tools prints."""
        return subprocess.run(
            [SCRIPT, "tool", java_class, "--bootstrap-server", self.bootstrap, "--command-config",
             self.directory / "clients" / f"{user}.properties", *arguments], capture_output=True,
            text=True, check=True, timeout=ANSWER_SECONDS_MAX, stdin=subprocess.DEVNULL).stdout

    def keep_logs(self, target):
        """Copies what the brokers said to the directory `target`."""
        for log in self.directory.glob("*/log"):
            Path(target).mkdir(parents=True, exist_ok=True)
            shutil.copy(log, Path(target) / f"kafka-{log.parent.name}.log")


def printed(script, *options):
    """The words of each line that a script of infra/kafka prints."""
    done = subprocess.run([ROOT / "infra/kafka" / script, *options], capture_output=True, text=True,
                          check=True)
    return [shlex.split(line) for line in done.stdout.splitlines()]


def _options(words, flags):
    """{option: values} of a command line."""
    said = {}
    words = iter(words)
    for word in words:
        if word not in flags:
            said.setdefault(word.removeprefix("--"), []).append(next(words))
    return said


def _new_topic(words):
    """One call of kafka-topics.sh as the topic it stands for."""
    said = _options(words, ("--create", "--if-not-exists"))
    return NewTopic(said["topic"][0], int(said["partitions"][0]),
                    int(said["replication-factor"][0]),
                    config=dict(setting.split("=", 1) for setting in said["config"]))


def _bindings(words):
    """One call of kafka-acls.sh as the ACLs it stands for."""
    said = _options(words, ("--add",))
    pattern = ResourcePatternType[said["resource-pattern-type"][0].upper()]
    for operation in said["operation"]:
        # DescribeConfigs is DESCRIBE_CONFIGS here.
        spelled = re.sub(r"(?<=.)([A-Z])", r"_\1", operation).upper()
        for resource in ("topic", "group"):
            for name in said.get(resource, []):
                yield AclBinding(ResourceType[resource.upper()], name, pattern,
                                 said["allow-principal"][0], "*", AclOperation[spelled],
                                 AclPermissionType.ALLOW)


def process_start(pid):
    """When it started, in clock ticks since boot; None if it is gone or only waits to be reaped. A
    zombie whose threads are still ending has its sockets still open."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    except (FileNotFoundError, ProcessLookupError):
        return None
    return None if fields[0] == "Z" and int(fields[17]) <= 1 else fields[19]
