# SPDX-License-Identifier: Apache-2.0
"""Forms of texts to look for, and events in the log."""

import base64
import json

from files import files_that_hold  # noqa: F401
from sandtrail_server import run_tool

def forms_of(text):
    """The ways a text could be stored readably: as it is, in base64 at each of its three offsets,
    in hex."""
    plain = text.encode()
    found = [plain, plain.hex().encode(), plain[::-1]]
    for shift in range(3):
        coded = base64.b64encode(b"\0" * shift + plain)
        found.append(coded[4 if shift else 0:-4])  # what does not depend on the neighbours
    return found


def records_of(server, topic="events"):
    """Every record of a topic, as `sandtrail log cat --json` has it."""
    done = run_tool("log", "cat", topic, "--json", "--data-dir", server.data_dir)
    return [json.loads(line) for line in done.stdout.splitlines()]


def events_of(server, execution):
    """[(type, data)] of an execution."""
    return [(record["headers"]["ce_type"], record["value"]) for record in records_of(server)
            if record["value"].get("execution") == execution]
