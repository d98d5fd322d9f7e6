# SPDX-License-Identifier: Apache-2.0
"""Looks for texts in files, and for events in the log."""

import base64
import json
import mmap

from sandtrail_server import run_tool

ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"


def crockford_bytes(identifier):
    """The 16 bytes of an id: prefix, underscore, 26 characters of base32 (Crockford's)."""
    number = 0
    for character in identifier.split("_")[-1].upper():
        number = number * 32 + ALPHABET.index(character)
    return number.to_bytes(16, "big")


def wrapped_key(folder, identifier):
    """The random end of a wrapped key, taken from the write-ahead log of the key store.

    A put in there is: 1, length and bytes of the id, length (a varint) and bytes of the value."""
    start = b"\x01\x10" + crockford_bytes(identifier)
    for path in sorted(folder.glob("*.log")):
        data = path.read_bytes()
        at = data.find(start)
        if at >= 0:
            at += len(start)
            size = data[at] if data[at] < 128 else (data[at] & 127) + 128 * data[at + 1]
            value = data[at + (1 if data[at] < 128 else 2):][:size]
            return value[-32:]
    raise AssertionError(f"{identifier} is in no write-ahead log of {folder}")


def forms_of(text):
    """The ways a text could be stored readably: as it is, in base64 at each of its three offsets,
    in hex."""
    plain = text.encode()
    found = [plain, plain.hex().encode(), plain[::-1]]
    for shift in range(3):
        coded = base64.b64encode(b"\0" * shift + plain)
        found.append(coded[4 if shift else 0:-4])  # what does not depend on the neighbours
    return found


def files_that_hold(folder, texts, but=()):
    """Files below `folder` (outside of the folders in `but`) that hold any of the texts."""
    found = []
    for path in sorted(folder.rglob("*")):
        if not path.is_file() or path.relative_to(folder).parts[0] in but:
            continue
        try:
            if path.stat().st_size == 0:
                continue
            with open(path, "rb") as file, mmap.mmap(file.fileno(), 0, prot=mmap.PROT_READ) as data:
                if any(data.find(text) >= 0 for text in texts):
                    found.append(path)
        except FileNotFoundError:
            continue  # a store rewrites its files at any time
    return found


def records_of(server, topic="events"):
    """Every record of a topic, as `sandtrail log cat --json` has it."""
    done = run_tool("log", "cat", topic, "--json", "--data-dir", server.data_dir)
    return [json.loads(line) for line in done.stdout.splitlines()]


def events_of(server, execution):
    """[(type, data)] of an execution."""
    return [(record["headers"]["ce_type"], record["value"]) for record in records_of(server)
            if record["value"].get("execution") == execution]
