# SPDX-License-Identifier: Apache-2.0
"""What a stranger may write on the topics that is no event, no event of ours, or an event that is
not legal where it stands; each with what the fold has to say of it.

Not here: what would be legal. Whoever may write on a topic can ask for what its records can ask
for, as an operator too; only the ACLs of infra/kafka/acls.txt prevent that."""

import base64
import datetime
import json
import secrets
from dataclasses import replace

from foreign import Forged

CROCKFORD = "0123456789abcdefghjkmnpqrstvwxyz"
NEAR_THE_MAXIMUM = 1_000_000  # what a broker takes by default, of one record
FLOOD = 2000
FALSE_DIGEST = base64.b64encode(bytes(32)).decode()


def fresh(prefix):
    return f"{prefix}_0" + "".join(secrets.choice(CROCKFORD) for _ in range(25))


def time_text(seconds=0.0):
    """So far from now."""
    now = datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(seconds=seconds)
    return now.strftime("%Y-%m-%dT%H:%M:%S.%f")[:-3] + "Z"


def copy_of(record):
    """The same record once more."""
    return Forged(record.topic, record.value.encode(), record.headers, record.key or None,
                  record.partition)


def like(record, data=None, without=(), **attributes):
    """A new event with those of its data and its attributes changed."""
    value = {name: field for name, field in json.loads(record.value).items() if name not in without}
    changed = {"id": fresh("evt"), "time": time_text()} | attributes
    headers = dict(record.headers) | {f"ce_{name}": text for name, text in changed.items()}
    out = copy_of(record)
    return replace(out, value=json.dumps(value | (data or {})).encode(),
                   headers=list(headers.items()))


def actor_of(key):
    return {"actor": {"kind": "api_key", "key": key, "name": "forged", "auth_method": "bearer",
                      "address": "192.0.2.1", "user_agent": "forged/1"}}


class Nonsense:
    """Made from genuine records of the log."""

    def __init__(self, records, run):
        self.run = run
        self._all = [record for topic in ("events", "platform", "audit")
                     for record in records[topic]]
        self._home = next(r.partition for r in records["events"] if r.key == run.organization)

    def newest(self, kind, topic="events"):
        """The newest of a type: of the run's organisation, or in its partition."""
        return [r for r in self._all if r.topic == topic
                and dict(r.headers).get("ce_type") == f"sandtrail.{kind}"
                and (r.partition == self._home or topic != "events")][-1]

    def all(self):
        """[(its verdict, what to write)]"""
        return (self._no_events() + self._no_events_of_ours() + self._attributes()
                + self._actors_and_owners() + self._claims() + self._elsewhere() + self._sizes())

    def _no_events(self):
        headers = self.newest("execution.started").headers
        values = [b"", None, secrets.token_bytes(200), b"{", b'{"execution": ', b"\xff\xfe\x00",
                  b'"text"', b"[]", b"null", b"17", b'{"a":' * 5000, b"[" * 100_000,
                  b'{"execution": 1e999}', b'{"execution": "\\ud800"}']
        made = [Forged("events", value, headers, self.run.organization, self._home)
                for value in values]
        made += [Forged("events", value, [], key, self._home) for value in values[:4]
                 for key in (None, "not-an-organisation", self.run.organization)]
        made += [Forged(topic, value) for topic in ("platform", "audit") for value in values[:4]]
        structured = {"specversion": "1.0", "id": "1", "source": "/forged", "type": "x", "data": {}}
        made.append(Forged("events", json.dumps(structured).encode(),
                           [("content-type", "application/cloudevents+json")]))
        return [("malformed", forged) for forged in made]

    def _no_events_of_ours(self):
        started = self.newest("execution.started")
        shapes = [{"execution": 17}, {"attempt": "1"}, {"attempt": 2 ** 63}, {"attempt": 1.5},
                  {"execution": {}}, {"execution": "exe_nonsense"}, {"host_epoch": None},
                  {"decision": {"role": "nobody", "epoch": 1}}, {"actor": "root"}]
        return [("malformed", like(started, data)) for data in shapes] + [
            ("malformed", like(started, without=["execution"])),
            ("unknown_type", like(started, type="sandtrail.execution.started.v2")),
            ("unknown_type", like(started, type="com.example.order.created")),
            ("unknown_type", replace(like(started), headers=[
                header for header in like(started).headers if header[0] != "ce_type"])),
            # A later version of a type only adds to it.
            ("not_found", like(started, {"execution": fresh("exe"), "later": [1]},
                               schemaversion="99")),
        ]

    def _attributes(self):
        started = self.newest("execution.started")
        twice = like(started, {"execution": fresh("exe")})
        ids = [("ce_id", fresh("evt")), ("ce_type", "sandtrail.rules.activated"),
               ("ce_time", time_text(-10 ** 6)), ("content-type", "text/plain")]
        return [
            ("ahead", like(started, time=time_text(3600))),
            ("ahead", like(started, time="9999-12-31T23:59:59.999Z")),
            ("stale", like(started, time=time_text(-3600))),
            ("stale", like(started, time="0000-01-01T00:00:00Z")),
            ("malformed", like(started, time="yesterday")),
            ("malformed", like(started, time="2026-02-30T00:00:00Z")),
            ("malformed", like(started, id="evt_nonsense")),
            ("malformed", like(started, id=None)),
            ("malformed", like(started, specversion="2.0")),
            ("malformed", like(started, schemaversion="one")),
            ("malformed", replace(like(started), key="exe_" + "0" * 26)),
            # Of a header that stands there twice, the first counts.
            ("not_found", replace(twice, headers=twice.headers + ids)),
            ("not_found", replace(like(started, {"execution": fresh("exe")}), headers=[
                *like(started).headers, *[(f"h{i}", "x" * 50) for i in range(500)]])),
        ]

    def _actors_and_owners(self):
        requested, finished = self.newest("execution.requested"), self.newest("execution.finished")
        settled, assigned = self.newest("billing.settled"), self.newest("execution.assigned")
        epoch = json.loads(settled.value)["decision"]["epoch"]
        new = {"execution": fresh("exe")}
        made = [("key_unknown", like(requested, new | actor_of(fresh("key")))),
                ("key_revoked", like(requested, new | actor_of(self.run.revoked_key))),
                ("actor_missing", like(requested, new, without=["actor"])),
                ("actor_unexpected", like(settled, actor_of(self.run.revoked_key))),
                ("key_unknown", like(self.newest("api_key.created"), {"key": fresh("key")}
                                     | actor_of(fresh("key")))),
                ("missing_role", like(self.newest("organization.created"),
                                      actor_of(self.run.revoked_key))),
                ("wrong_state", like(finished)),
                ("wrong_state", like(settled)),
                ("stale_epoch", like(settled, without=["decision"])),
                ("version_mismatch", like(
                    self.newest("organization.created"), {"number": 99}, type="sandtrail.rules."
                    "activated"))]
        decisions = [(role, n) for role in ("billing", "launcher")
                     for n in (-1, 0, epoch + 1, 2 ** 63 - 1)] + [("launcher", epoch)]
        for role, number in decisions:
            forged = {"decision": {"role": role, "epoch": number}}
            made.append(("stale_epoch", like(settled, forged)))
        made.append(("stale_epoch", like(assigned, {"decision": {"role": "launcher",
                                                                 "epoch": 10 ** 6}})))
        return made

    def _claims(self):
        """Each says that the fold of everybody else is wrong."""
        made = []
        for topic in ("events", "platform", "audit"):
            claimed = self.newest("owner.claimed", topic)
            epoch = json.loads(claimed.value)["epoch"]
            false = {"digest": FALSE_DIGEST, "digest_position": claimed.offset}
            made += [("stale_epoch", like(claimed, false | {"epoch": number}))
                     for number in (0, epoch, epoch + 2, 2 ** 63 - 1, -2 ** 63)]
            successor = false | {"epoch": epoch + 1}
            made += [("stale", like(claimed, successor, time=time_text(-3600))),
                     ("ahead", like(claimed, successor, time=time_text(3600))),
                     ("actor_unexpected", like(claimed, successor | actor_of(fresh("key")))),
                     ("repeated", like(claimed, successor, id=dict(made[-1][1].headers)["ce_id"]))]
        return made

    def _elsewhere(self):
        requested = self.newest("execution.requested")
        entry = self.newest("audit.recorded", "audit")
        value = json.loads(entry.value)
        gap = {"source": value["source"] | {"position": 10 ** 9, "previous": 10 ** 9 - 1}}
        checkpoint = self.newest("audit.checkpoint_signed", "audit")
        there = replace(like(requested), partition=(self._home + 1) % 16)
        made = [("unknown_organization", there), ("out_of_order", like(entry)),
                ("out_of_order", like(entry, gap)),
                ("stale_epoch", like(checkpoint, {"decision": {"role": "auditor", "epoch": 99}})),
                ("wrong_topic", replace(like(entry), topic="events", partition=self._home))]
        made += [("wrong_topic", replace(like(requested), topic=topic, partition=0))
                 for topic in ("platform", "audit")]
        # Ids are kept for three minutes; by then a copy is out of date.
        made += [("repeated|stale", copy_of(record)) for record in (
            requested, entry, checkpoint, self.newest("api_key.created"),
            self.newest("organization.created"), self.newest("billing.settled"),
            self.newest("owner.claimed", "platform"))]
        return made

    def _sizes(self):
        requested = self.newest("execution.requested")
        large = actor_of(fresh("key"))
        large["actor"]["user_agent"] = "\x01" * (NEAR_THE_MAXIMUM // 6 - 1000)
        padded = "x" * (NEAR_THE_MAXIMUM - 5000)
        packed = [Forged("events", padded.encode(), options=("-z", codec))
                  for codec in ("gzip", "snappy", "lz4", "zstd")]
        # Its marker takes a position and is no record.
        transaction = Forged("events", b"{}", [], None, self._home,
                             options=("-X", f"transactional.id={fresh('txn')}"))
        return [
            ("key_unknown", like(requested, large)),
            ("key_unknown", like(requested, actor_of(fresh("key")) | {"padding": padded})),
            ("key_unknown", like(requested, actor_of(fresh("key")), subject="x" * 100_000)),
            ("malformed", Forged("platform", secrets.token_bytes(NEAR_THE_MAXIMUM))),
            ("malformed", Forged("events", b"{}\n" * FLOOD, partition=self._home, lines=True)),
            *[("malformed", forged) for forged in packed], ("malformed", transaction),
        ]

    def keys(self):
        """On the topic of keys; those of nobody, since a tombstone for a key that is there is what
        erases."""
        key = fresh("dek")
        value = {"org": self.run.organization, "created": time_text(), "wrapped": "AAAA"}
        values = [b"", None, b"{", b"[]", secrets.token_bytes(100), b"x" * NEAR_THE_MAXIMUM,
                  json.dumps(value).encode(), json.dumps(value | {"wrapped": "?"}).encode(),
                  json.dumps(value | {"wrapped": "A" * 100_000}).encode(),
                  json.dumps(value | {"org": "nobody"}).encode()]
        return [Forged("keys", value, [("ce_id", "1")], name) for value in values
                for name in (key, "nonsense", self.run.organization, "tick")]
