# SPDX-License-Identifier: Apache-2.0
"""Holds records of the log against schemas/events, and their attributes against CloudEvents."""

import functools
import json

from cloudevents.core.v1.event import CloudEvent
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
    event = CloudEvent(attributes={
        name: value for name, value in record["attributes"].items()}, data=record["data"])
    kind = event.get_type()
    errors = [f"{error.json_path}: {error.message}"
              for error in validators()[kind].iter_errors(event.get_data())]
    assert not errors, (kind, errors[:3], record)
    return kind
