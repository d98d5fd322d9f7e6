# SPDX-License-Identifier: Apache-2.0
"""An effect that keeps failing is parked, as an event, until an operator says what to do."""

import json

import pytest
from api import Api
from sandtrail_server import run_tool, wait_until

LARGE = 100_000  # beyond what stands in a record: goes to the object store


@pytest.fixture
def tool(server):
    def run(*arguments, **options):
        return run_tool(*arguments, "--data-dir", server.data_dir, **options)

    return run


def hinder(api, server):
    """(execution, what stands where its object was): it cannot be erased until that is gone."""
    objects = server.data_dir / "objects"
    before = set(objects.rglob("*"))
    body = {"command": ["true"], "stdin": "#" * LARGE, "retention": {"seconds": 5}}
    execution = api.run(body)["id"]
    (found,) = {path for path in objects.rglob("*") if path.is_file()} - before
    found.unlink()
    found.mkdir()
    return execution, found


def parked(tool):
    """What `sandtrail effects ls` shows, by the execution that it is about."""
    return {effect["effect"].rsplit("/", 1)[-1]: effect
            for effect in json.loads(tool("effects", "ls", "--json").stdout)}


def destroyed(api, execution):
    return "execution.key_destroyed" in [name for _, name, _ in api.events(execution)]


def place(effect):
    return f"{effect['topic']}/{effect['partition']}", effect["role"], effect["effect"]


def test_what_is_parked_is_listed_tried_again_or_given_up(tool, server):
    assert parked(tool) == {}
    with Api.of(server) as api:
        (again, first), (never, second) = hinder(api, server), hinder(api, server)
        found = wait_until(lambda: (lambda p: p if {again, never} <= p.keys() else None)(
            parked(tool)), 90, "the parking of both erasures")
        for execution in (again, never):
            assert found[execution]["role"] == "retention" and found[execution]["error"]
            assert not found[execution]["skipped"] and not destroyed(api, execution)
        listing = tool("effects", "ls").stdout
        assert again in listing and "retention" in listing

        # Tried again while it cannot work, it is parked again.
        tool("effects", "retry", *place(found[again]))
        wait_until(lambda: again in parked(tool), 90, "the second parking")
        first.rmdir()
        second.rmdir()
        tool("effects", "retry", *place(found[again]))
        wait_until(lambda: destroyed(api, again), what="the erasure that was tried again")
        assert again not in parked(tool)

        tool("effects", "skip", *place(found[never]))
        assert parked(tool)[never]["skipped"] is True
        for verb in ("retry", "skip"):
            done = tool("effects", verb, *place(found[never]), check=False)
            assert done.returncode != 0 and "no such effect" in done.stderr
        assert not destroyed(api, never)


def test_an_effect_that_is_not_parked_is_not_found(tool):
    done = tool("effects", "retry", "events/0", "webhooks", "attempt/whd_x", check=False)
    assert done.returncode != 0 and "no such effect" in done.stderr
    done = tool("effects", "skip", "events", "webhooks", "x", check=False)
    assert done.returncode == 2 and "events/2" in done.stderr
