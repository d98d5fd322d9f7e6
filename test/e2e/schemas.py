# SPDX-License-Identifier: Apache-2.0
"""Holds records of the log against schemas/events, and their headers against CloudEvents."""

import base64
import functools
import json
import re

from cloudevents.core.bindings.kafka import KafkaMessage, from_binary_event
from cloudevents.core.formats.json import JSONFormat
from jsonschema import Draft202012Validator, FormatChecker, ValidationError
from jsonschema.validators import extend
from referencing import Registry
from referencing.jsonschema import DRAFT202012
from rfc3339_validator import validate_rfc3339
from sandtrail_server import ROOT

FOLDER = ROOT / "schemas/events"
ATTRIBUTE = re.compile(r"ce_[a-z0-9]{1,20}")  # CloudEvents 1.0.2, section 3.1
SOURCE = re.compile(r"/[a-z]+")  # which role of ours; any URI reference would do
ALWAYS_THERE = ("ce_id", "ce_source", "ce_specversion", "ce_type", "ce_time", "ce_schemaversion",
                "content-type")
# Attempts that were counted: of nothing that has an id.
WITHOUT_SUBJECT = ("sandtrail.access.denied", "sandtrail.platform.access_denied",
                   "sandtrail.audit.recorded", "sandtrail.log.loss_accepted",
                   "sandtrail.log.record_lost")


def _is_base64(_, encoding, text, __):
    try:
        assert encoding == "base64"
        base64.b64decode(text, validate=True)
    except ValueError:
        yield ValidationError(f"{text!r} is not base64")


@functools.cache
def validators():
    """{id: validator} of every schema of an event; formats and encodings count."""
    documents = [json.loads(path.read_text(encoding="utf-8")) for path in FOLDER.glob("*.json")]
    registry = Registry().with_resources(
        [(document["$id"], DRAFT202012.create_resource(document)) for document in documents])
    assert "date-time" in Draft202012Validator.FORMAT_CHECKER.checkers, "formats are not looked at"
    validator = extend(Draft202012Validator, {"contentEncoding": _is_base64})
    for document in documents:
        Draft202012Validator.check_schema(document, FormatChecker())
    return {document["$id"]: validator(document, registry=registry,
                                       format_checker=Draft202012Validator.FORMAT_CHECKER)
            for document in documents}


def event_types():
    """Every type that has a schema."""
    return {name.split(":")[1] for name in validators()}


def cloud_event(headers, key, value):
    """The event of one record, in binary mode of the Kafka binding: headers [(name, text)], the key
    or None, the value as text. Fails if its attributes are not valid."""
    given = dict(headers)
    assert len(given) == len(headers), "a header stands there twice"
    assert all(ATTRIBUTE.fullmatch(name) for name in given if name != "content-type"), headers
    assert all(name in given for name in ALWAYS_THERE) and all(given.values()), headers
    event = from_binary_event(
        KafkaMessage({name: text.encode() for name, text in headers},
                     key.encode() if key else None, value.encode()), JSONFormat())
    assert event.get_specversion() == "1.0" and event.get_datacontenttype() == "application/json"
    assert event.get_type().startswith("sandtrail.") and event.get_id().startswith("evt_")
    assert event.get_subject() or event.get_type() in WITHOUT_SUBJECT, headers
    assert SOURCE.fullmatch(event.get_source()), event.get_source()
    assert validate_rfc3339(given["ce_time"]) and event.get_time().utcoffset() is not None
    return event


def check_record(headers, key, value):
    """The event of one record, as cloud_event() has it; fails if its data is not what the schema of
    its type and version says, or names another organisation than its key."""
    event = cloud_event(headers, key, value)
    name = f"urn:{event.get_type()}:{event.get_extension('schemaversion')}"
    errors = [f"{error.json_path}: {error.message}"
              for error in validators()[name].iter_errors(event.get_data())]
    assert not errors, (name, errors[:3], headers, value[:1000])
    organization = event.get_data().get("organization")
    assert organization in (None, key), "the key is the organisation"
    return event


def check_event(record):
    """The type of one record, as `sandtrail log cat --json` prints it; fails if it is not valid."""
    return check_record(list(record["headers"].items()), record["key"],
                        json.dumps(record["value"])).get_type()
