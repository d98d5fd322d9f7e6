# SPDX-License-Identifier: Apache-2.0
"""What every process shows to Prometheus of its log, its lag and its disk."""

import re

import httpx
import pytest
from api import Api
from sandtrail_server import over_kafka, wait_until

ON_THEIR_WAY = 50  # records, while a process is asked
SERIES = re.compile(r'^sandtrail_(\w+)(?:\{(.*)\})? (\S+)$')


def metrics(url):
    """{name: {labels: value}} of one process."""
    found = {}
    for line in httpx.get(url + "/metrics", trust_env=False).text.splitlines():
        if series := SERIES.match(line):
            name, labels, value = series.groups()
            pairs = tuple(sorted(re.findall(r'(\w+)="([^"]*)"', labels or "")))
            found.setdefault(name, {})[pairs] = float(value)
    return found


def total(series, **labels):
    """The sum of those with these labels."""
    return sum(value for pairs, value in series.items() if set(labels.items()) <= set(pairs))


@pytest.fixture(name="worked", scope="module")
def a_server_that_has_worked(server):
    with Api.of(server) as api:
        for number in range(5):
            api.run({"command": ["echo", str(number)], "limits": {"memory_mib": 16}})
        wait_until(lambda: api.balance()["held_microcredits"] == 0, what="settlements")
    return server


def test_appends_are_measured(worked):
    seen = [one for one in map(metrics, worked.admin_urls) if "append_seconds_count" in one]
    assert len(seen) == (6 if over_kafka() else 1)
    appended = sum(total(one["appends_total"], topic="events", outcome="committed") for one in seen)
    assert appended >= 5 * 5  # requested, assigned, started, finished, settled
    for one in seen:
        committed = total(one["appends_total"], outcome="committed")
        answered = total(one["appends_total"])
        assert abs(total(one["append_seconds_count"]) - answered) <= ON_THEIR_WAY
        assert total(one["append_bytes_total"]) >= committed
        assert one["append_queue_records"][()] >= 0 and one["append_queue_bytes"][()] >= 0
        assert total(one["log_batch_records_sum"]) >= committed - ON_THEIR_WAY
    if not over_kafka():
        (one,) = seen
        assert total(one["log_batch_records_count"]) <= total(one["log_batch_records_sum"])


def test_lag_is_told_for_each_role_and_partition(worked):
    partitions = 16 + 2 if over_kafka() else 4 + 2
    roles = set()
    for url in worked.admin_urls:
        one = metrics(url)
        if "consumer_lag_records" not in one:
            continue  # a host has no log
        for name in ("consumer_lag_records", "consumer_lag_seconds", "log_end_position"):
            assert len(one[name]) == partitions, name
        wait_until(lambda url=url: total(metrics(url)["consumer_lag_records"]) == 0, what="no lag")
        assert all(value < 60 for value in one["consumer_lag_seconds"].values())
        for pairs in one.get("role_lag_records", {}):
            assert pairs in one["role_lag_seconds"]
            roles.add(dict(pairs)["role"])
        for group in {dict(pairs)["group"] for pairs in one.get("rebalances_total", {})}:
            assert total(one["rebalances_total"], group=group) >= 1
            assert total(one["ownership_changes_total"], group=group, change="assigned") >= 1
    assert roles == {"launcher", "billing", "retention", "webhooks", "auditor"}


def test_the_disk_is_watched(worked):
    for url in worked.admin_urls:
        one = metrics(url)
        if "consumer_lag_records" not in one:
            continue
        parts = {"store"} if over_kafka() else {"log", "store", "keys"}
        assert {dict(pairs)["part"] for pairs in one["disk_bytes"]} == parts
        assert all(value > 0 for value in one["disk_bytes"].values())
        assert one["disk_free_bytes"][()] > 0
        assert (one["disk_reserve_bytes"][()] > 0) == (not over_kafka())
        assert one["log_health"][()] == 0
