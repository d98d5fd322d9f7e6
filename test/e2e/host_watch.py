# SPDX-License-Identifier: Apache-2.0
"""What programs in sandboxes could leave behind on the host, before and after."""

import os
from pathlib import Path

UID_FIRST = 200_000  # sandboxes run as these uids of the host
UID_LAST = 200_000 + 2 * 256
PLACES = ("/tmp", "/var/tmp", "/dev/shm", "/run")


def _sandboxed(uid):
    return UID_FIRST <= uid <= UID_LAST


def processes():
    """Processes that run as a sandbox's uid."""
    found = set()
    for entry in os.scandir("/proc"):
        if entry.name.isdigit():
            try:
                if _sandboxed(entry.stat().st_uid):
                    found.add(entry.name)
            except OSError:
                continue
    return found


def mounts():
    return Path("/proc/self/mountinfo").read_text(encoding="utf-8")


def cgroups():
    """Every cgroup of every hierarchy that carries our name."""
    return {root for root, _, _ in os.walk("/sys/fs/cgroup") if "sandtrail" in root}


def files(*more):
    """Files outside of /proc that belong to a sandbox's uid."""
    found = set()
    for place in (*PLACES, *map(str, more)):
        for root, folders, names in os.walk(place):
            for name in folders + names:
                path = os.path.join(root, name)
                try:
                    if _sandboxed(os.lstat(path).st_uid):
                        found.add(path)
                except OSError:
                    continue
    return found


class HostWatch:
    """Looks at the host when it is made; left() says what is new since."""

    def __init__(self, *more_places):
        self._more = more_places
        self._before = self._look()

    def _look(self):
        return {"processes": processes(), "mounts": set(mounts().splitlines()),
                "cgroups": cgroups(), "files": files(*self._more)}

    def left(self):
        """{kind: new things}; empty if all is as it was."""
        now = self._look()
        return {kind: sorted(now[kind] - before) for kind, before in self._before.items()
                if now[kind] - before}
