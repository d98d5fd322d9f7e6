# SPDX-License-Identifier: Apache-2.0
"""Measures the event log over Kafka, on a broker of its own: appends beside Kafka's own
kafka-producer-perf-test and beside a bare librdkafka, how soon another process sees a record, and
executions beside those over the embedded log. Everything in turns.

Every kind of record has the same bytes in all: ours key, headers and value, as the product encodes
an event; Kafka's tool can send values only.
"""

import contextlib
import json
import os
import random
import re
import statistics
import string
import subprocess
import sys
import tempfile
from pathlib import Path

import server

ROOT = Path(__file__).resolve().parents[2]
# Brokers and clusters come up as they do for the tests.
sys.path.append(str(ROOT / "test" / "e2e"))
from cluster_server import ClusterServer  # noqa: E402  pylint: disable=wrong-import-position
from kafka_cluster import KafkaCluster  # noqa: E402  pylint: disable=wrong-import-position

PREFIX = "bench."
TOPIC = PREFIX + "bench"  # kafka_bench makes it
TURNS = 5
SECONDS_MAX = 120  # of one program
SIZES = (512, 1024)
LINGERS_MS = (0, 5)
# Bytes in a turn: enough for a second of each client, and for Java to compile what is hot.
WARMUP_BYTES = 100 << 20
MEASURED_BYTES = 200 << 20
UNANSWERED_BYTES = 32 << 20
# What our producer has, by the Java client's names. Its own defaults would be smaller batches.
PRODUCER = {"acks": "all", "enable.idempotence": "true", "batch.size": "1000000",
            "buffer.memory": str(UNANSWERED_BYTES)}
TOOL = "kafka-producer-perf-test"
BARE = "bare librdkafka, same records"
EMBEDDED = "sandtrail dev, embedded log"


class Bench:
    """kafka_bench and Kafka's tool against one broker."""

    def __init__(self, build, kafka):
        self.program = build / "bench" / "kafka_bench"
        self.kafka = kafka

    def turn(self, verb, *arguments):
        """The figures of one turn, over a topic without old records."""
        self._run("prepare")
        return json.loads(self._run(verb, *map(str, arguments)))

    def tool(self, linger_ms, warmup, records, payload):
        """Records a second, as Kafka's tool says of what follows its warm-up."""
        self._run("prepare")
        # Payloads of a file: making random ones takes the tool longer than sending them.
        said = self.kafka.tool("org.apache.kafka.tools.ProducerPerformance", "--topic", TOPIC,
                               "--num-records", str(warmup + records),
                               "--warmup-records", str(warmup), "--throughput", "-1",
                               "--reporting-interval", "60000", "--payload-file", str(payload),
                               "--command-property", f"linger.ms={linger_ms}",
                               *(f"{key}={value}" for key, value in PRODUCER.items()))
        found = re.search(r"(\d+) steady state records sent, ([\d.]+) records/sec", said)
        if not found or int(found.group(1)) != records:
            raise RuntimeError(f"kafka: {TOOL} said: {said[-500:]}")
        return float(found.group(2))

    def _run(self, verb, *arguments):
        done = subprocess.run([self.program, verb, self.kafka.bootstrap, PREFIX, *arguments],
                              stdout=subprocess.PIPE, text=True, check=False, timeout=SECONDS_MAX)
        if done.returncode != 0:
            raise RuntimeError(f"kafka: kafka_bench {verb} failed")
        return done.stdout


def write_payloads(path, size):
    """Lines of letters, different ones."""
    source = random.Random(size)
    path.write_text("".join("".join(source.choices(string.ascii_letters, k=size)) + "\n"
                            for _ in range(256)), encoding="ascii")


def rates(bench, size, linger_ms, payload):
    """Of one setting: (name, unit, ours, baseline's name, its value, more)."""
    warmup, records = WARMUP_BYTES // size, MEASURED_BYTES // size
    told = {"port": [], "bare": [], "tool": []}
    for _ in range(TURNS):
        for way in ("port", "bare"):
            told[way].append(bench.turn("append", way, "event", size, linger_ms, warmup, records,
                                        UNANSWERED_BYTES // size))
        told["tool"].append(bench.tool(linger_ms, warmup, records, payload))
    ours = [figures["records_per_second"] for figures in told["port"]]
    bare = [figures["records_per_second"] for figures in told["bare"]]
    more = {"turns": ours,
            "cpu_us_per_record": statistics.median(figures["cpu_us_per_record"]
                                                   for figures in told["port"])}
    name = f"acknowledged appends of {size} B, linger {linger_ms} ms"
    for baseline, turns in ((TOOL, told["tool"]), (BARE, bare)):
        yield (name, "records/s", statistics.median(ours), baseline, statistics.median(turns),
               {**more, "baseline_turns": turns})


def waits(bench, name, verb, *arguments):
    """p50 and p99 of one setting, in turns with a bare librdkafka."""
    told = {"port": [], "bare": []}
    for _ in range(TURNS):
        for way, turns in told.items():
            turns.append(bench.turn(verb, way, "event", *arguments))
    for figure in ("p50_ms", "p99_ms"):
        ours, bare = ([turn[figure] for turn in told[way]] for way in ("port", "bare"))
        yield (f"{name}, {figure[:3]}", "ms", statistics.median(ours), BARE,
               statistics.median(bare), {"turns": ours, "baseline_turns": bare})


def log_figures(build, kafka):
    """Of the log alone."""
    bench = Bench(build, kafka)
    with tempfile.TemporaryDirectory(prefix="sandtrail-bench-") as folder:
        for size in SIZES:
            payload = Path(folder) / f"payload-{size}"
            write_payloads(payload, size)
            for linger_ms in LINGERS_MS:
                yield from rates(bench, size, linger_ms, payload)
    # Bytes, linger, warm-up, records; and records a second.
    yield from waits(bench, "append to acknowledgement, 1 in flight", "ack", 1024, 0, 500, 4000)
    yield from waits(bench, "append to visible elsewhere, 100/s", "visible", 1024, 0, 50, 400, 100)
    yield from waits(bench, "append to visible elsewhere, 10 000/s", "visible",
                     1024, 0, 10_000, 40_000, 10_000)


@contextlib.contextmanager
def six_processes(build, kafka):
    """A process for each role: what a first user has to know."""
    os.environ["SANDTRAIL_BUILD"] = str(build)
    with tempfile.TemporaryDirectory(prefix="sandtrail-bench-") as folder:
        cluster = ClusterServer(folder, {"executions": {"slots": server.SLOTS}},
                                server.ENVIRONMENT, kafka=kafka)
        try:
            cluster.start()
            yield {"url": cluster.url, "api_key": cluster.api_key}
        finally:
            cluster.kill()


def execution_figures(build, kafka):
    """Of executions by HTTP: one process and six over Kafka, beside one on the embedded log."""
    log = (f'[log]\nurl = "kafka://{kafka.bootstrap}"\ntopic_prefix = "one."\n'
           'replication = 1\nmin_insync = 1\n')
    with server.server(build) as (_, embedded), server.server(build, log) as (_, one), \
            six_processes(build, kafka) as six:
        ways = {EMBEDDED: lambda: server.Client(embedded).run,
                "one": lambda: server.Client(one).run, "six": lambda: server.Client(six).run,
                server.BWRAP: lambda: server.bare_run}
        return server.compared(ways, [("/bin/true, one process over Kafka", "one", EMBEDDED),
                                      ("/bin/true, six processes over Kafka", "six", EMBEDDED),
                                      ("/bin/true, six processes over Kafka", "six",
                                       server.BWRAP)])


def measure(build):
    """Figures as (name, unit, ours, baseline's name, its value, more)."""
    for program in (build / "bench" / "kafka_bench", build / "bin" / "sandtrail"):
        if not program.exists():
            raise RuntimeError(f"{program} is not built")
    # Compiled as far as Java can: a broker in production is.
    with KafkaCluster(jit="full") as kafka:
        return [*log_figures(build, kafka), *execution_figures(build, kafka)]
