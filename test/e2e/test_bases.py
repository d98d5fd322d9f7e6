# SPDX-License-Identifier: Apache-2.0
"""Bases: a log without its oldest records, and processes that begin without a store."""

import json
import shutil

import pytest
from api import Api
from sandtrail_server import over_kafka, run_tool, wait_until

ECHO = {"command": ["echo", "here"], "limits": {"memory_mib": 16}}
CONFIG = {"executions": {"slots": 2}}


def said(server, *verb, check=True):
    done = run_tool(*verb, "--json", "--data-dir", server.data_dir, check=check)
    return json.loads(done.stdout) if check else done


def money_of(api):
    return {name: value for name, value in api.balance().items() if name != "position"}


def stores_of(server):
    return list(server.data_dir.glob("*/store" if over_kafka() else "store"))


def high_of(server, partition):
    for topic in said(server, "log", "topics")["topics"]:
        for part in topic["marks"]:
            if f"{topic['topic']}/{part['partition']}" == partition:
                return part
    return None


@pytest.fixture(name="based", scope="module")
def a_server_with_bases(server):
    """(server, what `log base` said)"""
    with Api.of(server) as api:
        for _ in range(5):
            api.run(ECHO)
        wait_until(lambda: api.balance()["held_microcredits"] == 0, what="settlements")
    return server, said(server, "log", "base")


def test_every_partition_that_holds_something_has_a_base(based):
    server, taken = based
    told = {row["partition"]: row for row in said(server, "log", "bases")}
    for row in taken:
        assert row["recorded"] and row["rows"] > 0
        assert told[row["partition"]]["manifest"] == row["manifest"]
        assert told[row["partition"]]["next"] == row["next"]
    assert {"platform/0", "audit/0"} < set(told)
    # Another one goes on where the first ended.
    again = {row["partition"]: row for row in said(server, "log", "base")}
    assert all(again[name]["next"] >= row["next"] for name, row in told.items())


def test_a_base_that_is_not_there_is_not_told_of(based):
    server, _ = based
    with server.operator() as client:
        for manifest, status in (("00" * 32, 409), ("no digest", 422), ("00", 422)):
            answer = client.post("/operator/log/bases", json={"manifest": manifest})
            assert answer.status_code == status, answer.text


def test_stores_begin_from_bases_when_the_log_was_trimmed(based):
    server, _ = based
    bases = {row["partition"]: row["next"] for row in said(server, "log", "bases")}
    for partition, base in bases.items():
        topic, number = partition.split("/")
        where = ("log", "trim", "--topic", topic, "--partition", number)
        marks = high_of(server, partition)
        if marks["high"] > base:
            refused = said(server, *where, "--before", base + 1, "--yes", check=False)
            assert refused.returncode == 3, refused.stderr
            assert f"ends at {base}" in refused.stderr or "still needs" in refused.stderr

        def free(before=base, where=where):
            return "held_by" not in said(server, *where, "--before", before, "--dry-run")

        wait_until(free, what="the consumers' reports")
        assert said(server, *where, "--before", base, "--yes")["trimmed"]
        assert high_of(server, partition)["low"] == base
    with Api.of(server) as api:
        before = {row["id"]: row for row in api.all("/v1/executions")}
        balance = money_of(api)
    server.stop()
    for store in stores_of(server):
        shutil.rmtree(store)
    server.start()
    with Api.of(server) as api:
        assert {row["id"]: row for row in api.all("/v1/executions")} == before
        assert money_of(api) == balance
        assert api.run(ECHO)["stdout"] == "here\n"
    assert said(server, "log", "verify")["same"]
    actions = [json.loads(line)["value"].get("action") for line in run_tool(
        "log", "cat", "audit", "--json", "--data-dir", server.data_dir).stdout.splitlines()]
    assert "log.trim" in actions


@pytest.mark.embedded
def test_a_store_is_rebuilt_beside_a_running_server_and_taken_at_its_next_start(based):
    server, _ = based
    rebuilt = said(server, "projection", "rebuild")
    assert rebuilt["compared"] and rebuilt["differences"] == [] and rebuilt["records"] > 0
    status = said(server, "projection", "status")
    assert {row["projection"] for row in status} > {"core"}
    with Api.of(server) as api:
        executions = {row["id"] for row in api.all("/v1/executions")}
    assert (server.data_dir / "store.new").is_dir()
    server.stop()
    # Of a start that ended half-way: the old one was put aside, the new one is not in place.
    (server.data_dir / "store").rename(server.data_dir / "store.old")
    server.start()
    assert not (server.data_dir / "store.new").exists()
    assert not (server.data_dir / "store.old").exists()
    with Api.of(server) as api:
        assert {row["id"] for row in api.all("/v1/executions")} == executions
        assert api.run(ECHO)["stdout"] == "here\n"
    assert said(server, "projection", "compare")["same"]


def test_poison_is_listed(based):
    server, _ = based
    assert [row for row in said(server, "projection", "poison") if row["what"] == "record"] == []
