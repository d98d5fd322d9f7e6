# SPDX-License-Identifier: Apache-2.0
"""One execution all the way: result, signed callback, credits, trail, audit, log."""

import json
from dataclasses import dataclass

import pytest
import standardwebhooks
from api import Api, Operator
from rating import account_sums, rated, worst_case
from sandtrail_server import run_tool, wait_until
from schemas import check_event
from webhook_sink import WebhookSink

CREDITS = 100
BODY = {
    "language": "python",
    "code": "import os, sys\nprint(sys.stdin.read() + os.environ['WORD'])\n",
    "stdin": "hello ",
    "env": {"WORD": "wörld"},
    "limits": {"wall_ms": 5000, "memory_mib": 128, "cpu_millis": 500},
    "metadata": {"order": "17"},
    "thread": "thread-1",
}
TRAIL = ["execution.requested", "execution.assigned", "execution.started", "execution.finished",
         "billing.settled"]


@dataclass
class Way:
    """What is left to look at after the run."""
    organization: dict
    api: Api
    result: dict
    received: list  # by the callback

    @property
    def id(self):
        return self.result["id"]


@pytest.fixture(scope="module")
def way(server, check):
    with Operator(server) as operator, WebhookSink() as sink:
        made = operator.create_organization("way", grant_credits=CREDITS)
        with Api(server.url, made["api_key"], check) as api:
            result = api.run(BODY | {"callback_url": sink.url("/callback")})
            sink.wait_for(1)
            wait_until(lambda: api.get(result["id"])["cost"].get("settled_microcredits")
                       is not None, what="the settlement")
            wait_until(lambda: api.all(f"/v1/executions/{result['id']}/deliveries")[0]["status"]
                       == "delivered", what="the delivery")
            yield Way(made, api, result, sink.received)


def test_the_result_says_what_the_program_did(way):
    result = way.result
    assert result["status"] == "finished" and result["verdict"] == "ok"
    assert result["stdout"] == "hello wörld\n" and result["stderr"] == ""
    assert result["exit_code"] == 0 and result["cause"] == "exit_zero"
    assert result["stdout_bytes"] == 13 and result["stdout_truncated"] is False
    assert result["metadata"] == BODY["metadata"] and result["thread"] == BODY["thread"]
    assert result["attempt"] == 1 and result["isolation"] == "process"
    assert result["usage"]["wall_us"] > 0 and result["usage"]["cpu_us"] > 0
    assert 0 < result["usage"]["memory_peak_bytes"] <= 128 << 20
    for name, value in BODY["limits"].items():
        assert result["limits"][name] == value
    assert result["timings"]["run_us"] > 0 and result["timings"]["boot_us"] > 0
    assert result["created_at"] <= result["started_at"] <= result["ended_at"]


def test_the_callback_is_signed_as_standard_webhooks_has_it(way):
    (request,) = way.received
    webhook = standardwebhooks.Webhook(way.organization["callback_secret"])
    message = webhook.verify(request.body, request.headers)
    assert message["type"] == "execution.finished"
    assert message["data"]["id"] == way.id and message["data"]["verdict"] == "ok"
    assert message["data"]["stdout"] == "hello wörld\n"
    assert message["data"]["metadata"] == BODY["metadata"]
    with pytest.raises(standardwebhooks.WebhookVerificationError):
        webhook.verify(request.body.replace(b"17", b"18"), request.headers)
    (listed,) = way.api.all(f"/v1/executions/{way.id}/deliveries")
    assert listed["id"] == request.webhook_id and listed["callback"] is True
    delivery = way.api.http.get(f"/v1/deliveries/{listed['id']}").json()
    assert [attempt["status"] for attempt in delivery["attempts"]] == [204]


def test_credits_are_held_and_settled_to_the_last_microcredit(way):
    cost = way.api.get(way.id)["cost"]
    balance = way.api.balance()
    card, limits = balance["rate_card"], way.result["limits"]
    assert cost["hold_microcredits"] == worst_case(limits, card)
    assert cost["settled_microcredits"] == rated(limits, way.result["usage"]["wall_us"], card) > 0
    assert balance["balance_microcredits"] == CREDITS * 10 ** 6 - cost["settled_microcredits"]
    assert balance["held_microcredits"] == 0
    assert balance["available_microcredits"] == balance["balance_microcredits"]


def test_the_ledger_is_double_entry_and_sums_to_zero(way):
    entries = way.api.all("/v1/billing/ledger")
    assert [entry["kind"] for entry in entries] == ["settlement", "hold", "grant"]
    sums = account_sums(entries)
    settled = way.api.get(way.id)["cost"]["settled_microcredits"]
    assert sum(sums.values()) == 0
    assert sums.get("held", 0) == 0
    assert abs(sums["available"]) == CREDITS * 10 ** 6 - settled
    assert abs(sums["revenue"]) == settled
    assert way.api.all("/v1/billing/ledger", limit=1) == entries, "pages of one item are the list"


def test_the_trail_tells_every_step_and_resumes_anywhere(way):
    events = way.api.events(way.id)
    assert [name for _, name, _ in events] == TRAIL
    ids = [number for number, _, _ in events]
    assert ids == sorted(set(ids))
    for at, (number, _, _) in enumerate(events):
        assert way.api.events(way.id, last=number) == events[at + 1:]
    assert not any("payload" in data for _, _, data in events), "facts only, no contents"


def test_the_trail_of_a_running_program_comes_live_and_then_ends(way):
    started = way.api.submit({"command": ["sleep", "0.5"]}).json()
    events = way.api.events(started["id"])
    assert [name for _, name, _ in events] == TRAIL


def test_lists_find_it_by_thread_metadata_state_and_verdict(way):
    for parameters in ({"thread": "thread-1"}, {"metadata[order]": "17"},
                       {"thread": "thread-1", "status": "finished", "verdict": "ok"}):
        found = way.api.all("/v1/executions", **parameters)
        assert [row["id"] for row in found] == [way.id], parameters
    for parameters in ({"thread": "thread-2"}, {"metadata[order]": "18"},
                       {"thread": "thread-1", "verdict": "timeout"}):
        assert way.api.all("/v1/executions", **parameters) == [], parameters


def test_what_was_done_is_audited(way):
    def created():
        return way.api.all("/v1/audit/entries", resource=way.id, action="execution.create")

    (entry,) = wait_until(created, what="the audit entry")
    assert entry["outcome"] == "success" and entry["count"] == 1
    assert entry["organization"] == way.organization["organization"]["id"]
    assert entry["actor"]["kind"] == "api_key"
    assert entry["request_id"] == way.result["request_id"]
    note = way.api.http.get("/v1/audit/checkpoint")
    assert note.status_code == 200 and note.text.startswith("sandtrail.local/audit\n")


def test_the_audit_log_is_verified_from_outside(way, server):
    assert run_tool("audit", "verify", "--data-dir", server.data_dir).returncode == 0


def test_every_event_of_the_log_is_what_its_schema_says(way, server):
    done = run_tool("log", "cat", "events", "--json", "--data-dir", server.data_dir)
    records = [json.loads(line) for line in done.stdout.splitlines()]
    about = [record for record in records if way.id in json.dumps(record)]
    types = [check_event(record) for record in records]
    assert len(about) >= len(TRAIL)
    for name in TRAIL + ["organization.created", "api_key.created", "webhook.scheduled",
                         "webhook.delivered", "owner.claimed"]:
        assert f"sandtrail.{name}" in types, name
    for topic in ("platform", "audit"):
        done = run_tool("log", "cat", topic, "--json", "--data-dir", server.data_dir)
        assert [check_event(json.loads(line)) for line in done.stdout.splitlines()]
