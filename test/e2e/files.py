# SPDX-License-Identifier: Apache-2.0
"""Looks for bytes in files."""

import mmap

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
