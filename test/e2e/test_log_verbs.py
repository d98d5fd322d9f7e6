# SPDX-License-Identifier: Apache-2.0
"""Verbs over the log of a running server: what it holds, what is in it, and dropping its oldest."""

import json

import pytest
from api import Api
from sandtrail_server import over_kafka, run_tool, wait_until
from traces import records_of

COUNT = 4


def said(server, *verb, check=True):
    done = run_tool("log", *verb, "--json", "--data-dir", server.data_dir, check=check)
    return json.loads(done.stdout) if check else done


@pytest.fixture(name="worked", scope="module")
def a_server_that_has_worked(server):
    with Api.of(server) as api:
        for number in range(COUNT):
            api.run({"command": ["echo", str(number)], "limits": {"memory_mib": 16}})
        wait_until(lambda: api.balance()["held_microcredits"] == 0, what="settlements")
    return server


def test_topics_and_their_marks(worked):
    shown = {topic["topic"]: topic for topic in said(worked, "topics")["topics"]}
    assert set(shown) == {"events", "platform", "audit"}
    assert shown["events"]["partitions"] == (16 if over_kafka() else 4)
    assert shown["events"]["records"] == sum(part["high"] for part in shown["events"]["marks"])
    if over_kafka():
        assert shown["events"]["settings"]["message.timestamp.type"] == "LogAppendTime"
    else:
        assert shown["events"]["bytes"] > 0
    text = run_tool("log", "topics", "--data-dir", worked.data_dir).stdout
    assert text.startswith("log ") and "PARTITION" in text


def test_stats_agree_with_the_records(worked):
    stats = said(worked, "stats", "events")
    records = records_of(worked)
    assert stats["records"] <= len(records)  # it may have grown in between
    types = {row["type"]: row["records"] for row in stats["types"]}
    assert types["sandtrail.execution.finished"] == COUNT
    assert sum(types.values()) == stats["records"]
    assert stats["applied"] + sum(stats["void"].values()) == stats["judged"] == stats["records"]
    organizations = {row["organization"]: row["records"] for row in stats["organizations"]}
    assert organizations[worked.organization] >= COUNT * 5
    assert stats["first"] < stats["last"]
    assert said(worked, "stats")["records"] > stats["records"]
    text = run_tool("log", "stats", "--data-dir", worked.data_dir).stdout
    assert text.startswith("records  ") and worked.organization in text


def test_a_fold_anew_has_the_digests_of_the_server(worked):
    with_log = said(worked, "digests")
    assert {part["partition"] for part in with_log["partitions"]} >= {"events/0", "platform/0"}
    assert said(worked, "verify")["same"]


def test_nothing_is_dropped_unless_it_is_meant(worked):
    place = next(part for part in said(worked, "topics")["topics"][0]["marks"]
                 if part["high"] > 3)
    where = ("trim", "--topic", "events", "--partition", place["partition"])
    beyond = said(worked, *where, "--before", 10**9, "--dry-run", check=False)
    assert beyond.returncode == 3 and "nothing yet" in beyond.stderr
    dry = said(worked, *where, "--before", 1)
    assert not dry["trimmed"] and dry["low"] == 0
    refused = said(worked, *where, "--before", 1, "--yes", check=False)
    assert refused.returncode == 3 and "no base" in refused.stderr
    nowhere = said(worked, "trim", "--topic", "events", "--partition", 99, "--before", 1,
                   check=False)
    assert nowhere.returncode == 3
    assert said(worked, *where, "--before", 1)["low"] == 0


def test_what_is_dropped_is_gone_and_the_server_goes_on(worked):
    place = next(part for part in said(worked, "topics")["topics"][0]["marks"]
                 if part["high"] > 3)
    where = ("trim", "--topic", "events", "--partition", place["partition"], "--before", 1)

    def allowed():
        return "held_by" not in said(worked, *where, "--dry-run")

    wait_until(allowed, what="the consumers' reports")
    done = said(worked, *where, "--without-base", "--yes")
    assert done["trimmed"] and done["low"] == 1
    assert said(worked, "topics")["topics"][0]["marks"][place["partition"]]["low"] == 1
    with Api.of(worked) as api:
        result = api.run({"command": ["echo", "on"], "limits": {"memory_mib": 16}})
        assert result["stdout"] == "on\n"
