# SPDX-License-Identifier: Apache-2.0
"""The clients' process, which holds the embedded log, is killed again and again at full speed."""

import random
import time

from log_clients import LogClients, check, read_all

KILLS = 20
KILLS_TORTURE = 300
LIFE_SECONDS_MAX = 0.35  # from the start on: some die before they have opened the log


def test_kill_9_at_any_moment_leaves_a_log_that_keeps_its_promises(directory, torture,
                                                                   record_testsuite_property):
    history = directory / "embedded"
    log = f"embedded:{directory}/log"
    # Some hundred positions are read again by the next life: what stands there must be the same.
    clients = LogClients(history, "a", log, appenders=3, in_flight=16, rate=2500, back=300)
    draw = random.Random(20260131)
    kills = KILLS_TORTURE if torture else KILLS
    for _ in range(kills):
        clients.start()
        time.sleep(draw.uniform(0.01, LIFE_SECONDS_MAX))
        clients.kill()
    clients.start().wait_progress()
    clients.stop()
    read_all(history, log)
    report = check(history)
    assert report["committed"] > 20 * kills
    assert report["unknown"] > 0, "no kill hit an append"
    assert len(list(history.glob("a.*.jsonl"))) > kills // 2
    record_testsuite_property("embedded: kills, appends, acknowledged, unknown",
                              f"{kills}, {report['appends']}, {report['committed']}, "
                              f"{report['unknown']}")
