# SPDX-License-Identifier: Apache-2.0
"""A run in which nearly everything happens that can: each way an execution can end, deliveries that
succeed and fail, keys that come and go, refusals, erasures, and a host that dies."""

import secrets

from api import Api, Operator, problem
from sandtrail_server import wait_until

CONFIG = {"webhooks": {"retry_schedule": [1]}, "audit": {"checkpoint_interval_ms": 200}}
SMALL = {"memory_mib": 16}
ECHO = {"command": ["echo", "hello"], "limits": SMALL}
LARGE = 100_000  # beyond what stands in a record: goes to the object store


class VariedRun:
    """What was done. `secrets`: texts that must not be readable in the log."""

    def __init__(self, server, sink):
        self.server = server
        self.sink = sink
        self.secrets = [server.api_key, server.callback_secret,
                        (server.data_dir / "root.key").read_text(encoding="ascii").strip()]
        self.organization = None
        self.api_key = None
        self.unknown_key = None  # like one of the organisation
        self.finished = None  # an execution, as the API shows it
        self.revoked_key = None  # its id

    def all(self):
        with Operator(self.server) as operator:
            made = self._organization(operator, "varied", grant_credits=100)
            self.organization = made["organization"]["id"]
            self.api_key = made["api_key"]
            with Api(self.server.url, made["api_key"]) as api:
                park = self._hinder_an_erasure(api)
                at_host = self._run_until_the_host_dies(api)
                self._succeed_and_fail(api)
                self._notify(api)
                self._keys(api)
                self._erase(api)
                self._organizations(operator)
                self._denied(api)
                self._ends_of(api, at_host)
                self._resolve(api, operator, *park)
                wait_until(lambda: api.balance()["held_microcredits"] == 0, what="settlement")
        return self

    def mark(self):
        self.secrets.append(f"mark{secrets.token_hex(12)}")
        return self.secrets[-1]

    def _organization(self, operator, name, **rest):
        made = operator.create_organization(name, **rest)
        self.secrets += [made["api_key"], made["callback_secret"]]
        return made

    # --- executions ---

    def _run_until_the_host_dies(self, api):
        """Two that ran when their host was killed; another epoch of it is there at once."""
        sleep = {"command": ["sh", "-c", "sleep 1; echo done"], "limits": SMALL}
        ids = [api.submit(sleep | {"max_attempts": attempts}).json()["id"] for attempts in (1, 2)]
        wait_until(lambda: all(api.get(one)["status"] == "started" for one in ids), what="starts")
        host = self.server.processes["host"]
        host.kill()
        self.server.start_one("host")
        return ids

    def _ends_of(self, api, ids):
        assert [api.wait(one, 90)["status"] for one in ids] == ["lost", "finished"]

    def _succeed_and_fail(self, api):
        sealed = {"env": {"SECRET": self.mark()}, "stdin": self.mark(), "thread": self.mark(),
                  "metadata": {"secret": self.mark()}, "args": [self.mark()],
                  "files": [{"path": self.mark(), "content": self.mark()}]}
        code = (f"print('{self.mark()}')\nprint('{self.mark()[::-1]}'[::-1])\n"
                f"print('x' * 60000)\n{'#' * LARGE}")
        large = api.run({"language": "python", "code": code} | sealed, key="large")
        assert large["verdict"] == "ok", large
        again = api.submit({"language": "python", "code": code} | sealed, key="large")
        assert again.json()["id"] == large["id"]
        self.finished = api.get(large["id"])
        for command, verdict in (("exit 3", "nonzero_exit"), ("sleep 9", "timeout"),
                                 ("kill -9 $$", "signaled")):
            body = {"command": ["sh", "-c", command], "limits": SMALL | {"wall_ms": 300}}
            assert api.run(body)["verdict"] == verdict
        running = api.submit({"command": ["sleep", "50"], "limits": SMALL}).json()["id"]
        wait_until(lambda: api.get(running)["status"] == "started", what="the start")
        api.cancel(running)
        assert api.wait(running)["verdict"] == "cancelled"

    def _notify(self, api):
        """Callbacks and endpoints that take it, that never do, and one that is gone for good."""
        self.sink.script("/never", 500)
        self.sink.script("/gone", 410)
        endpoints = [api.http.post("/v1/webhook-endpoints", json={"url": self.sink.url(path)})
                     for path in ("/endpoint", "/gone")]
        for made in endpoints:
            assert made.status_code == 201, made.text
            self.secrets.append(made.json()["secret"])
        ids = [api.run(ECHO | {"callback_url": self.sink.url(path)})["id"]
               for path in (f"/{self.mark()}", "/never")]
        self.sink.wait_for(2, "/never")
        self.sink.wait_for(2, "/endpoint")
        wait_until(lambda: all(delivery["status"] != "scheduled" for one in ids
                               for delivery in api.all(f"/v1/executions/{one}/deliveries")),
                   what="the end of all deliveries")
        for made in endpoints:
            path = f"/v1/webhook-endpoints/{made.json()['id']}"
            assert api.http.delete(path).status_code == 204

    def _erase(self, api):
        short = api.run(ECHO | {"retention": {"seconds": 1}, "stdin": self.mark()})["id"]
        self._wait_destroyed(api, short)

    @staticmethod
    def _wait_destroyed(api, execution):
        wait_until(lambda: "execution.key_destroyed" in
                   [name for _, name, _ in api.events(execution)], what="the end of a key")

    def _hinder_an_erasure(self, api):
        """(execution, what stands where its objects were): it cannot be erased until that is gone,
        and the effect is parked at last."""
        objects = self.server.data_dir / "objects"
        before = set(objects.rglob("*"))
        hindered = api.run(ECHO | {"stdin": "#" * LARGE, "retention": {"seconds": 5}})["id"]
        (found,) = {path for path in objects.rglob("*") if path.is_file()} - before
        found.unlink()
        found.mkdir()
        return hindered, found

    def _resolve(self, api, operator, hindered, obstacle):
        def parked():
            return [effect for effect in operator.get("/operator/effects")["data"]
                    if hindered in effect["effect"]]

        (effect,) = wait_until(parked, 60, "the parking of an erasure")
        obstacle.rmdir()
        again = {name: effect[name] for name in ("topic", "partition", "role", "effect")}
        done = operator.http.post("/operator/effects/resolve", json=again | {"action": "retry"})
        assert done.status_code == 200, done.text
        self._wait_destroyed(api, hindered)

    # --- keys, organisations, refusals ---

    def _keys(self, api):
        made = api.http.post("/v1/api-keys", json={"name": "viewer", "role": "viewer"}).json()
        self.secrets.append(made["api_key"])
        self.revoked_key = made["id"]
        with Api(self.server.url, made["api_key"]) as viewer:
            problem(viewer.submit(ECHO), 403, "missing_role")
            assert api.http.delete(f"/v1/api-keys/{made['id']}").status_code == 204
            problem(viewer.submit(ECHO), 401, "key_revoked")

    def _organizations(self, operator):
        """One that may run nothing at first, and then more than it can pay for."""
        poor = self._organization(operator, "poor", grant_credits="0.003",
                                  limits={"running_max": 0})
        path = f"/operator/organizations/{poor['organization']['id']}"
        with Api(self.server.url, poor["api_key"]) as api:
            ids = [api.submit(ECHO).json()["id"] for _ in range(3)]
            api.cancel(ids[0])
            assert api.wait(ids[0])["status"] == "cancelled"
            limits = operator.http.post(path + "/limits", json={"running_max": 9})
            assert limits.status_code == 200, limits.text
            assert [api.wait(one)["status"] for one in ids[1:]] == ["finished", "rejected"]
            granted = operator.http.post(path + "/grants", json={"amount_credits": "2.5",
                                                                 "reason": "a gift"})
            assert granted.status_code == 201, granted.text
            assert api.run(ECHO)["status"] == "finished"

    def _denied(self, api):
        with Api(self.server.url, "st_nonsense") as nobody:
            problem(nobody.submit(ECHO), 401, "unauthenticated")
        st, organization, key, secret = self.api_key.split("_")
        self.unknown_key = "_".join((st, organization, "0" + "1" * (len(key) - 1), secret))
        with Api(self.server.url, self.unknown_key) as stranger:
            problem(stranger.submit(ECHO), 401, "key_unknown")
        wait_until(lambda: api.all("/v1/audit/entries", outcome="denied"),
                   what="the audit of a refusal")
