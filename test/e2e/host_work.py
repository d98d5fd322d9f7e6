# SPDX-License-Identifier: Apache-2.0
"""Work for hosts that a test starts itself, and who launched it by their own count."""

import collections


def sleeping(seconds, attempts=1, wall_ms=60_000, memory_mib=16):
    return {"command": ["sh", "-c", f"sleep {seconds}; echo done"], "max_attempts": attempts,
            "limits": {"memory_mib": memory_mib, "wall_ms": wall_ms}}


def submit(api, *bodies):
    ids = []
    for body in bodies:
        response = api.submit(body)
        assert response.status_code == 202, response.text
        ids.append(response.json()["id"])
    return ids


def launches_of(hosts, ids):
    """{(execution, attempt): how often}, of all hosts together."""
    counts = collections.Counter()
    for host in hosts:
        counts.update(launch for launch in host.launches() if launch[0] in ids)
    return counts


def started(api, ids):
    return all(api.get(execution)["status"] == "started" for execution in ids)


def host_of(hosts, execution):
    """The host that launched its last attempt."""
    last = max((launch[1], i) for i, host in enumerate(hosts) for launch in host.launches()
               if launch[0] == execution)
    return hosts[last[1]]
