# SPDX-License-Identifier: Apache-2.0
"""The life of a server: start, settings, health, stop, restart, a second one beside it."""

import re
import subprocess

import httpx
import pytest
from api import TERMINAL, Api
from host_watch import HostWatch
from sandtrail_server import NotStarted, program, wait_until

SLEEP = {"command": ["sleep", "2"], "limits": {"memory_mib": 16}, "max_attempts": 2}
METRIC = re.compile(r'[a-z_:][a-zA-Z0-9_:]*(\{([a-z_]+="[^"]*",?)*\})? \S+\Z')


def test_health_and_metrics_are_served_apart_from_the_api(server):
    def get(path):
        return httpx.get(server.admin_url + path, trust_env=False)

    assert get("/livez").status_code == 200
    assert get("/readyz").text == "ok\n"
    assert "[+]" in get("/readyz?verbose").text
    assert get("/v1/executions").status_code == 404
    metrics = get("/metrics")
    assert metrics.headers["content-type"].startswith("text/plain; version=0.0.4")
    lines = [line for line in metrics.text.splitlines() if line and not line.startswith("#")]
    assert lines and all(METRIC.match(line) for line in lines), lines
    everywhere = "".join(httpx.get(url + "/metrics", trust_env=False).text
                         for url in server.admin_urls)
    assert "\nsandtrail_role_live" in everywhere
    assert httpx.get(server.url + "/livez", trust_env=False).status_code == 404


def test_a_stop_while_programs_run_is_clean_and_loses_nothing(server):
    idle = HostWatch(server)
    with Api.of(server) as api:
        running = [api.submit(SLEEP).json()["id"] for _ in range(4)]
        wait_until(lambda: any(api.get(execution)["status"] == "started"
                               for execution in running), what="a start")
    assert server.stop() == 0
    assert not idle.left().get("processes")
    server.start()
    with Api.of(server) as api:
        for execution in running:
            result = api.wait(execution)
            assert result["status"] in TERMINAL
            # Stopped once by the server, allowed twice.
            assert result["verdict"] == "ok", result
    assert server.log_tail().count('"error"') == 0, server.log_tail()


def test_a_trail_that_breaks_off_is_resumed_after_a_restart(server):
    with Api.of(server) as api:
        execution = api.submit(SLEEP).json()["id"]
        wait_until(lambda: api.get(execution)["status"] == "started", what="the start")
        seen = []
        with api.http.stream("GET", f"/v1/executions/{execution}/events") as response:
            try:
                for line in response.iter_lines():
                    if line.startswith("id: "):
                        seen.append(int(line.removeprefix("id: ")))
                    if len(seen) == 3 and server.process is not None:
                        server.kill()
            except httpx.TransportError:
                pass
    server.start()
    with Api.of(server) as api:
        api.wait(execution)
        wait_until(lambda: "settled_microcredits" in api.get(execution)["cost"],
                   what="the settlement")
        rest = api.events(execution, last=seen[-1])
        whole = api.events(execution)
    assert seen == [number for number, _, _ in whole[:3]]
    assert rest == whole[3:]
    assert rest[-1][1] == "billing.settled"


def test_keys_organisations_and_results_outlive_restarts(server):
    with Api.of(server) as api:
        result = api.run({"command": ["echo", "kept"]})
    key, organization = server.api_key, server.organization
    server.restart()
    server.kill()
    server.start()
    assert (server.api_key, server.organization) == (key, organization)
    with Api.of(server) as api:
        assert api.get(result["id"])["stdout"] == "kept\n"


def test_a_second_server_runs_beside_the_first(server, new_server):
    second = new_server("second").start()
    with Api.of(server) as one, Api.of(second) as two:
        held = one.submit({"command": ["sleep", "1"]}).json()["id"]
        assert two.run({"command": ["echo", "beside"]})["stdout"] == "beside\n"
        # Neither its start nor its kill touches the first one's programs.
        two.submit({"command": ["sleep", "100"], "limits": {"wall_ms": 200_000}})
        second.kill()
        second.start()
        assert one.wait(held)["verdict"] == "ok"
        with Api(second.url, server.api_key) as stranger:
            assert stranger.submit({"command": ["true"]}).status_code == 401
    assert second.stop() == 0


def test_one_data_directory_is_for_one_server(server, new_server):
    second = new_server("same")
    second.data_dir = server.data_dir
    with pytest.raises(NotStarted, match="(?s)exit code 3.*(open|lock|another|other)"):
        second.start()
    with Api.of(server) as api:
        assert api.run({"command": ["true"]})["verdict"] == "ok"


@pytest.mark.parametrize("config, words", [
    ({"executions": {"slot": 1}}, "executions.slot"),
    ({"executions": {"slots": -1}}, "executions.slots"),
    ({"server": {"listen": "everywhere"}}, "server.listen"),
    ({"webhooks": {"retry_schedule": []}}, "webhooks.retry_schedule"),
    ({"colours": {"red": 1}}, "colours"),
])
def test_settings_that_make_no_sense_are_named(new_server, config, words):
    name = "wrong-" + words.replace(".", "-")
    with pytest.raises(NotStarted, match=f"(?s)exit code 2.*{re.escape(words)}"):
        new_server(name, config).start()


def test_a_port_that_is_taken_is_named(server, new_server):
    other = new_server("taken", {"server": {"admin_listen": server.admin_url[7:]}})
    with pytest.raises(NotStarted, match="(?s)exit code 3.*" + server.admin_url.split(":")[-1]):
        other.start()


def test_help_version_and_wrong_words():
    def run(*arguments):
        return subprocess.run([program(), *arguments], capture_output=True, text=True, timeout=30,
                              check=False)

    for arguments in (["--help"], ["dev", "--help"], ["run", "--help"], ["log", "--help"]):
        done = run(*arguments)
        assert done.returncode == 0 and "sandtrail" in done.stdout, arguments
    assert re.search(r"\d+\.\d+\.\d+", run("--version").stdout)
    assert "sandtrail dev" in run().stdout
    for arguments in (["nonsense"], ["dev", "--nonsense"], ["run", "--wall-ms", "x"],
                      ["log", "cat"]):
        done = run(*arguments)
        assert done.returncode == 2 and done.stderr and not done.stdout, arguments
