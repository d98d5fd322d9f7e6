# SPDX-License-Identifier: Apache-2.0
"""Connections to brokers end in the middle of appends: before the broker has all of one, or after
it has done it and before anybody hears of it. And a broker refuses some records for good."""

import contextlib

import pytest
from confluent_kafka.admin import AlterConfigOpType, ConfigEntry, ConfigResource
from cutting_proxy import CuttingProxy
from log_clients import LogClients, check, read_all

APPENDS = 60  # of each of two appenders
APPENDS_TORTURE = 1500
ONE_IN = 10  # Produce requests to a broker: after a cut the client waits, up to a second


@pytest.mark.parametrize("fate", ["answer", "request"])
def test_what_is_cut_off_is_there_once(kafka, fate, directory, torture, record_testsuite_property):
    history = directory / fate
    with contextlib.ExitStack() as stack:
        proxies = [stack.enter_context(CuttingProxy(
            port, target, lambda number: fate if number % ONE_IN == 0 else None))
                   for port, target in kafka.proxy_ports()]
        log = ",".join(f"127.0.0.1:{proxy.port}" for proxy in proxies)
        clients = LogClients(history, "a", f"kafka://{log}", prefix=f"{fate}.", appenders=2,
                             operations=APPENDS_TORTURE if torture else APPENDS, in_flight=5)
        try:
            clients.start().wait()
        finally:
            clients.kill()
        cuts = sum(proxy.cuts[fate] for proxy in proxies)
    read_all(history, f"kafka://{kafka.bootstrap}", prefix=f"{fate}.")
    report = check(history)
    assert cuts >= 5
    assert report["unknown_there_repeatedly"] == 0
    # Each was tried until it was in the log, once.
    assert report["not_committed"] == 0
    assert report["committed"] + report["unknown_there_once"] == report["appends"]
    record_testsuite_property(f"connections cut, {fate}: cuts, appends, unknown",
                              f"{cuts}, {report['appends']}, {report['unknown']}")


def test_what_is_too_large_for_the_broker_is_refused_and_the_rest_goes_on(kafka, directory):
    history = directory / "large"
    log = f"kafka://{kafka.bootstrap}"
    read_all(history, log, prefix="large.")  # makes the topic
    setting = ConfigEntry("max.message.bytes", "400",
                          incremental_operation=AlterConfigOpType.SET)
    admin = kafka.admin()
    for done in admin.incremental_alter_configs([ConfigResource(
            ConfigResource.Type.TOPIC, "large.history",
            incremental_configs=[setting])]).values():
        done.result(10)
    # One at a time: the broker refuses a batch as a whole.
    LogClients(history, "a", log, prefix="large.", appenders=3, operations=100,
               in_flight=1).start().wait()
    read_all(history, log, prefix="large.")
    report = check(history)
    assert report["not_committed"] > 50 and report["committed"] > 50 and report["unknown"] == 0
