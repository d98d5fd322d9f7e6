# SPDX-License-Identifier: Apache-2.0
"""Strangers at the topics: kcat, the package cloudevents and jsonschema read every record of a
varied run; then kcat writes nonsense beside the roles."""

import base64
import collections
import json
import re
from dataclasses import replace

import pytest
from api import Api, problem
from cluster_server import ROLES
from foreign import Forged, Kcat
from nonsense import FLOOD, Nonsense
from sandtrail_server import run_tool, wait_until
from schemas import check_record, event_types
from traces import forms_of, records_of
from varied_run import CONFIG, ECHO, VariedRun  # noqa: F401
from webhook_sink import WebhookSink

pytestmark = pytest.mark.cluster

LOG = ("events", "platform", "audit")  # whose records are events
# All others of schemas/events have to come in the run. A host refuses only in the moment between
# its own end and its word of it; there is no second number of rules to activate yet; and only an
# embedded log is accepted with a loss (test_log_loss.py).
NOT_IN_THE_RUN = {"sandtrail.execution.refused", "sandtrail.rules.activated",
                  "sandtrail.log.loss_accepted", "sandtrail.log.record_lost"}
LATER = "sandtrail.audit.acknowledged"  # 30 s after the auditor began
DATA_KEY = re.compile(r"dek_[0-7][0-9a-hjkmnp-tv-z]{25}")
ORGANIZATION = re.compile(r"org_[0-7][0-9a-hjkmnp-tv-z]{25}")


@pytest.fixture(scope="module")
def kcat(server, directory):
    return Kcat(server, directory)


@pytest.fixture(scope="module")
def run(server):
    with WebhookSink() as sink:
        yield VariedRun(server, sink).all()


@pytest.fixture(scope="module")
def records(run, kcat):
    """{topic: all its records}, at least those that are there now."""
    ends = {topic: kcat.ends(topic) for topic in LOG}
    found = {topic: kcat.read(topic) for topic in kcat.topics()}
    for topic, partitions in ends.items():
        for partition, end in partitions.items():
            offsets = [r.offset for r in found[topic] if r.partition == partition]
            assert offsets == list(range(len(offsets))) and len(offsets) >= end
    return found


@pytest.fixture(scope="module")
def events(records):
    """[(record, event)] of the log; each is valid, or this fails."""
    return [(record, check_record(record.headers, record.key, record.value))
            for topic in LOG for record in records[topic]]


# --- foreign readers ---

def test_there_are_no_topics_but_the_log_and_the_keys(records):
    assert set(records) == {*LOG, "keys"}


def test_every_record_of_the_log_is_a_cloud_event_with_data_of_its_schema(events):
    assert len(events) > 200


def test_each_kind_of_event_came_in_the_run(events):
    came = {event.get_type() for _, event in events}
    assert event_types() - came - {LATER} == NOT_IN_THE_RUN


def test_source_and_id_name_one_event(events):
    assert len({(event.get_source(), event.get_id()) for _, event in events}) == len(events)


def test_an_organisation_has_one_partition(events):
    homes = {(record.key, record.partition) for record, _ in events
             if record.topic == "events" and record.key}
    assert len({key for key, _ in homes}) == len(homes) == 3


def test_records_of_the_topic_of_keys_are_wrapped_keys_tombstones_and_ticks(records):
    kinds = {"key": 0, "tombstone": 0, "tick": 0}
    for record in records["keys"]:
        assert record.headers == []
        if record.key == "tick":
            assert record.value == "{}"
            kinds["tick"] += 1
            continue
        assert DATA_KEY.fullmatch(record.key)
        if record.value is None:
            kinds["tombstone"] += 1
            continue
        value = json.loads(record.value)
        assert set(value) == {"org", "created", "wrapped"} and ORGANIZATION.fullmatch(value["org"])
        assert len(base64.b64decode(value["wrapped"], validate=True)) >= 32
        kinds["key"] += 1
    assert all(kinds.values()), kinds


def test_no_record_shows_a_secret(run, records):
    assert len(run.secrets) > 20
    for topic, found in records.items():
        everything = b"\n".join(record.bytes for record in found)
        for text in run.secrets:
            assert not [form for form in forms_of(text) if form in everything], (topic, text)
    # The search itself finds what is there.
    assert run.organization.encode() in b"\n".join(r.bytes for r in records["events"])


# --- foreign producers ---

MARK = "x-forged"  # a header that says which one it is


def voids(server, name):
    """How many void records a process has folded."""
    return sum(partition["void_records"] for partition in server.status_of(name)["partitions"])


def verdicts(server):
    """{which: its verdicts} of what was forged, and the number of those without headers."""
    found = {}
    bare = collections.Counter()
    for topic in LOG:
        for record in records_of(server, topic):
            if not record["headers"]:
                bare[record["verdict"]] += 1
            elif MARK in record["headers"]:
                found.setdefault(int(record["headers"][MARK]), []).append(record["verdict"])
    return found, bare


def check_users_are_served(server, run):
    # First: for an unknown key the gateway folds to the tail, be it a position without a record.
    with Api(server.url, run.unknown_key) as stranger:
        problem(stranger.submit(ECHO), 401, "key_unknown")
    for key in (run.api_key, server.api_key):
        with Api(server.url, key) as api:
            assert api.run(ECHO)["stdout"] == "hello\n"
    with Api(server.url, run.api_key) as api:
        shown = api.get(run.finished["id"])
        for name in ("stdout", "metadata", "thread"):
            assert shown[name] == run.finished[name], "what was sealed can still be opened"


def check_operators_see_nothing_wrong(server):
    for name in ROLES:
        def at_the_tail(name=name):
            return not [p for p in server.status_of(name)["partitions"] if p["lag"]]

        wait_until(at_the_tail, what=f"{name} at the tail")
        status = server.status_of(name)
        assert status["ready"] and not [p for p in status["partitions"] if "stopped" in p], status

    def audited():
        done = run_tool("audit", "verify", "--json", "--data-dir", server.data_dir)
        report = json.loads(done.stdout)
        assert report["verified"], report
        return report["pending"] == 0

    wait_until(audited, what="the audit of all")
    run_tool("log", "verify", "--data-dir", server.data_dir)
    assert "malformed" in run_tool("log", "cat", "events", "--data-dir", server.data_dir).stdout


@pytest.fixture(scope="module")
def forged(server, run, records, kcat):
    """[(the verdicts it may have, what was written)]"""
    before = {name: process.pid for name, process in server.processes.items()}
    counted = {name: voids(server, name) for name in ROLES}
    nonsense = Nonsense(records, run)
    made = nonsense.all()
    for number, (_, one) in enumerate(made):
        kcat.write(replace(one, headers=one.headers + [(MARK, str(number))] if one.headers else []))
    for one in nonsense.keys():
        kcat.write(one)
    refused = kcat.write(Forged("keys", b"of no key"), check=False)
    assert refused.returncode != 0, "a compacted topic takes no record without a key"
    check_users_are_served(server, run)
    check_operators_see_nothing_wrong(server)
    for name, process in server.processes.items():
        assert process.process.poll() is None and process.pid == before[name], name
    for name in ROLES:
        assert voids(server, name) - counted[name] >= len(made) + FLOOD - 1
    return made


def check_verdicts(server, forged):
    found, bare = verdicts(server)
    for number, (expected, one) in enumerate(forged):
        if one.headers:
            (verdict,) = found.pop(number)
            assert verdict in expected.split("|"), (expected, one)
    assert not found
    without = [one for _, one in forged if not one.headers]
    assert bare == {"malformed": len(without) + FLOOD - 1}


def test_what_strangers_write_is_void_for_its_own_reason(server, forged):
    check_verdicts(server, forged)
    shown = run_tool("status", "--config", server.config_file).stdout
    assert re.search(r"void records +[1-9][0-9]{3}", shown), shown


def test_what_comes_only_now_and_then_is_an_event_as_well(kcat, forged):
    def found():
        return [record for record in kcat.read("events")
                if dict(record.headers).get("ce_type") == LATER]

    for record in wait_until(found, 60, "an acknowledgement"):
        assert check_record(record.headers, record.key, record.value).get_type() == LATER


def test_what_strangers_wrote_is_void_after_a_restart_too(server, run, kcat, forged):
    last = replace(forged[0][1], value=b"{")
    with kcat.open_transaction(last, [(MARK, str(len(forged)))]):
        check_users_are_served(server, run)
        assert server.stop() == 0
        server.start()
        check_users_are_served(server, run)
        check_operators_see_nothing_wrong(server)
        check_verdicts(server, [*forged, ("malformed", last)])
    check_users_are_served(server, run)
