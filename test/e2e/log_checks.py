# SPDX-License-Identifier: Apache-2.0
"""What must hold in any log, told from its records and their verdicts alone (records_of)."""

import collections

TERMINAL = ("finished", "rejected", "cancelled", "lost")


def kind_of(record):
    return record["headers"]["ce_type"].removeprefix("sandtrail.")


def applied(records):
    return [record for record in records if record["verdict"] == "applied"]


def claims_of(records, role):
    """Applied claims of a role."""
    return [record for record in applied(records)
            if kind_of(record) == "owner.claimed" and record["value"]["role"] == role]


def late_records(records, role):
    """What was appended for a role by processes that had been replaced in that partition by then:
    decisions and reports name the epoch of the claim they rest on."""
    newest = collections.Counter()
    found = []
    for record in records:
        partition = record["partition"]
        resting_on = record["value"].get("decision")
        if kind_of(record) == "owner.claimed" and record["value"]["role"] == role:
            if record["verdict"] == "applied":
                newest[partition] = record["value"]["epoch"]
        elif resting_on and resting_on["role"] == role and \
                resting_on["epoch"] < newest[partition]:
            found.append(record)
    return found


def check_attempts(records):
    """The status of each execution; fails if one goes on after its end, or an attempt after it was
    given up."""
    status = {}
    attempt = collections.Counter()
    for record in applied(records):
        entity, _, fact = kind_of(record).partition(".")
        execution = record["value"].get("execution")
        if entity != "execution" or fact in ("erased", "key_destroyed", "cancel_requested"):
            continue
        assert status.get(execution) not in TERMINAL, record
        if fact == "assigned":
            assert status[execution] in ("requested", "attempt_lost", "refused"), record
            attempt[execution] += 1
        if "attempt" in record["value"]:
            assert record["value"]["attempt"] == attempt[execution], record
        status[execution] = fact
    return status


def least_available(records):
    """{organisation: the least it ever had to spend}: granted, less what was settled and what was
    held at any position."""
    had = collections.Counter()
    held = {}
    least = {}
    for record in applied(records):
        value, organization = record["value"], record["key"]
        match kind_of(record):
            case "organization.created":
                had[organization] += value["grant_microcredits"]
            case "billing.granted":
                had[organization] += value["amount_microcredits"]
            case "execution.assigned" if value["execution"] not in held:
                # Of all its attempts together.
                held[value["execution"]] = value["hold_microcredits"]
                had[organization] -= value["hold_microcredits"]
            case "billing.settled":
                had[organization] += held.pop(value["execution"]) - value["amount_microcredits"]
            case _:
                continue
        least[organization] = min(least.get(organization, had[organization]), had[organization])
    assert not held, held
    return least
