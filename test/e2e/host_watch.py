# SPDX-License-Identifier: Apache-2.0
"""What sandboxes of one server could leave behind on the host, before and after."""

import json
import os
import re
from pathlib import Path

UID_FIRST = 200_000  # sandboxes run as these uids of the host
UID_LAST = 200_000 + 2 * 256
PLACES = ("/tmp", "/var/tmp", "/dev/shm", "/run")
CGROUP_OF_OTHERS = re.compile(r"/sandtrail-[\w-]+")


def _sandboxed(uid):
    return UID_FIRST <= uid <= UID_LAST


def _read(path):
    return Path(path).read_text(encoding="utf-8", errors="replace")


class HostWatch:
    """Looks at the host when it is made; left() says what is new since.

    Other servers on the machine have cgroups of other names, but the same uids."""

    def __init__(self, server):
        self._server = server
        self._before = self._look()

    def left(self):
        """{kind: new things}; empty if all is as it was."""
        now = self._look()
        return {kind: sorted(now[kind] - before) for kind, before in self._before.items()
                if now[kind] - before}

    def _instance(self):
        """The name of the server's cgroups, once it has one."""
        path = self._server.host_directory / "host.json"
        return "sandtrail-" + json.loads(_read(path))["id"][-10:] if path.exists() else None

    def _look(self):
        return {"processes": self._processes(), "mounts": set(_read("/proc/self/mountinfo")
                                                              .splitlines()),
                "cgroups": self._cgroups(), "files": self._files()}

    def _processes(self):
        """Processes as a sandbox's uid, unless they are in cgroups of other servers; and all in
        cgroups of this one."""
        found = set()
        instance = self._instance()
        for entry in os.scandir("/proc"):
            if not entry.name.isdigit():
                continue
            try:
                cgroups = _read(f"/proc/{entry.name}/cgroup")
                mine = instance is not None and f"/{instance}/" in cgroups
                stray = _sandboxed(entry.stat().st_uid) and not CGROUP_OF_OTHERS.search(cgroups)
            except OSError:
                continue
            if mine or stray:
                found.add(entry.name)
        return found

    def _cgroups(self):
        """The server's cgroups in every hierarchy."""
        instance = self._instance()
        return {root for root, _, _ in os.walk("/sys/fs/cgroup")
                if instance is not None and f"/{instance}" in root}

    def _files(self):
        """Files outside of /proc that belong to a sandbox's uid."""
        found = set()
        for place in (*PLACES, str(self._server.directory)):
            for root, folders, names in os.walk(place):
                for name in folders + names:
                    path = os.path.join(root, name)
                    try:
                        if _sandboxed(os.lstat(path).st_uid):
                            found.add(path)
                    except OSError:
                        continue
        return found
