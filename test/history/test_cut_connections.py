# SPDX-License-Identifier: Apache-2.0
"""Connections to the broker end in the middle of appends: before the broker has all of one, or
after it has done it and before anybody hears of it."""

import contextlib
import random

import pytest
from cutting_proxy import CuttingProxy
from kafka_cluster import KafkaCluster
from log_clients import LogClients, check, read_all

APPENDS = 400  # of each appender
APPENDS_TORTURE = 10_000
ONE_IN = 12  # Produce requests


@pytest.fixture(scope="module", name="kafka")
def broker_behind_a_proxy():
    with KafkaCluster(proxies=True) as kafka:
        yield kafka


@pytest.fixture(name="proxies")
def cutting_proxies(kafka, fates):
    draw = random.Random(7)
    with contextlib.ExitStack() as stack:
        yield [stack.enter_context(CuttingProxy(port, target, lambda number: draw.choice(fates)
                                                if draw.randrange(ONE_IN) == 0 else None))
               for port, target in kafka.proxy_ports()]


@pytest.mark.parametrize("fates", [["answer"], ["request"], ["answer", "request"]], ids="/".join)
def test_what_is_cut_off_is_there_once_or_not_at_all(kafka, proxies, fates, directory, torture,
                                                     record_testsuite_property):
    name = "-".join(fates)
    history = directory / name
    log = ",".join(f"127.0.0.1:{proxy.port}" for proxy in proxies)
    clients = LogClients(history, "a", f"kafka://{log}", prefix=f"{name}.", appenders=2,
                         operations=APPENDS_TORTURE if torture else APPENDS, in_flight=5)
    clients.start().wait()
    read_all(history, f"kafka://{kafka.bootstrap}", prefix=f"{name}.")
    report = check(history)
    for fate in ("answer", "request"):
        cuts = sum(proxy.cuts[fate] for proxy in proxies)
        assert (cuts >= 5) == (fate in fates), cuts
        record_testsuite_property(f"{name}: connections cut, {fate}", cuts)
    assert report["unknown_there_repeatedly"] == 0
    # Each was tried until it was in the log, once.
    assert report["not_committed"] == 0
    assert report["committed"] + report["unknown_there_once"] == report["appends"]
