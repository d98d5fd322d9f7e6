# SPDX-License-Identifier: Apache-2.0
"""Holds records of the log against schemas/events, and their headers against CloudEvents."""

import functools
import json

from cloudevents.core.bindings.kafka import KafkaMessage, from_binary_event
from cloudevents.core.formats.json import JSONFormat
from jsonschema import Draft202012Validator
from referencing import Registry
from referencing.jsonschema import DRAFT202012
from sandtrail_server import ROOT

FOLDER = ROOT / "schemas/events"


@functools.cache
def validators():
    """{type: validator} of every schema of an event."""
    documents = {path: json.loads(path.read_text(encoding="utf-8"))
                 for path in FOLDER.glob("**/*.json")}
    registry = Registry().with_resources(
        [(document["$id"], DRAFT202012.create_resource(document))
         for document in documents.values() if "$id" in document])
    return {path.stem: Draft202012Validator(document, registry=registry)
            for path, document in documents.items()}


def check_event(record):
    """The type of one record, as `sandtrail log cat --json` prints it; fails if it is not valid."""
    # As a consumer of Kafka sees it: binary mode of the Kafka binding.
    message = KafkaMessage({name: value.encode() for name, value in record["headers"].items()},
                           record["key"].encode() or None, json.dumps(record["value"]).encode())
    event = from_binary_event(message, JSONFormat())
    kind = event.get_type()
    assert kind.startswith("sandtrail.") and event.get_id().startswith("evt_")
    assert event.get_datacontenttype() == "application/json"
    errors = [f"{error.json_path}: {error.message}"
              for error in validators()[kind].iter_errors(record["value"])]
    assert not errors, (kind, errors[:3], record)
    return kind
