# SPDX-License-Identifier: Apache-2.0
"""The client verbs against a running server, as a person or a script uses them."""

import json
import signal
import subprocess

import pytest
from api import Api
from sandtrail_server import program, run_tool, wait_until


@pytest.fixture
def tool(server):
    """A function that runs a verb against the module's server."""
    def run(*arguments, **options):
        return run_tool(*arguments, "--data-dir", server.data_dir, **options)

    return run


@pytest.mark.parametrize("arguments, code, out, err", [
    (["-l", "python", "-c", "print(6 * 7)"], 0, "42\n", ""),
    (["-l", "sh", "-c", "echo out; echo err >&2; exit 7"], 7, "out\n", "err\n"),
    (["-l", "sh", "-c", "sleep 100", "--wall-ms", "200"], 124, "", None),
    (["-l", "sh", "-c", "kill -KILL $$"], 137, "", None),
    (["-l", "sh", "-c", "echo $A", "-e", "A=b"], 0, "b\n", ""),
])
def test_run_is_like_running_it_here(tool, arguments, code, out, err):
    done = tool("run", *arguments, check=False)
    assert done.returncode == code, done
    assert done.stdout == out
    assert err is None or done.stderr == err


def test_run_takes_files_and_standard_input(tool, tmp_path):
    (tmp_path / "main.py").write_text("import sys\nprint(sys.stdin.read() + open('d.txt').read())")
    (tmp_path / "d.txt").write_text("data")
    done = tool("run", tmp_path / "main.py", "--stdin", "-", "-f", tmp_path / "d.txt",
                stdin="input ")
    assert done.stdout == "input data\n"
    shown = json.loads(tool("run", "-l", "sh", "-c", "echo x", "--json").stdout)
    assert shown["verdict"] == "ok" and shown["stdout"] == "x\n"


def test_executions_can_be_listed_shown_and_cancelled(tool, server):
    started = tool("run", "-l", "sh", "-c", "sleep 100", "--no-wait").stdout.strip()
    assert started.startswith("exe_")
    assert started in tool("executions", "ls").stdout
    tool("executions", "cancel", started)
    with Api.of(server) as api:
        assert api.wait(started)["status"] in ("finished", "cancelled")
    assert json.loads(tool("executions", "get", started, "--json").stdout)["id"] == started
    assert "execution.cancel_requested" in tool("executions", "events", started).stdout


def test_organisations_keys_and_credits(tool):
    made = json.loads(tool("org", "create", "by hand", "--credits", "5", "--json").stdout)
    assert made["organization"]["name"] == "by hand" and made["api_key"].startswith("st_")
    assert made["organization"]["id"] in tool("org", "ls").stdout
    assert json.loads(tool("credits", "balance", "--json").stdout)["available_microcredits"] > 0
    key = json.loads(tool("keys", "create", "temporary", "--json").stdout)
    assert key["id"] in tool("keys", "ls").stdout
    tool("keys", "revoke", key["id"])
    assert key["id"] not in tool("keys", "ls").stdout
    grants = tool("org", "grant", made["organization"]["id"], "7", "--reason", "a gift", "--json")
    assert json.loads(grants.stdout)["granted_microcredits"] == 12_000_000
    assert json.loads(tool("status", "--json").stdout)["ready"] is True


def test_the_log_can_be_read_and_followed(tool, server):
    tool("run", "-l", "sh", "-c", "true")
    rows = [json.loads(line) for line in
            tool("log", "cat", "events", "--type", "execution.*", "--json").stdout.splitlines()]
    assert rows and {row["headers"]["ce_type"].split(".")[1] for row in rows} == {"execution"}
    assert len(tool("log", "cat", "events", "--partition", "0", "-n", "2").stdout.splitlines()) == 2
    assert tool("log", "tail", "events", "-n", "1", "--no-follow").stdout
    follower = subprocess.Popen(
        [program(), "log", "tail", "events", "--type", "execution.finished", "--json",
         "--data-dir", server.data_dir], stdout=subprocess.PIPE, text=True)
    try:
        with Api.of(server) as api:
            execution = api.run({"command": ["true"]})["id"]
        for line in follower.stdout:
            if json.loads(line)["value"]["execution"] == execution:
                break
    finally:
        follower.send_signal(signal.SIGINT)
        follower.wait(10)
        follower.stdout.close()


def test_verification_works_beside_the_running_server(tool):
    report = json.loads(tool("audit", "verify", "--json").stdout)
    assert report["verified"] is True and report["entries"] > 0
    assert report["unsigned"] == report["entries"] - report["checkpoint_size"]
    assert json.loads(tool("log", "verify", "--json").stdout)["same"] is True


def test_verification_finds_what_was_changed(new_server):
    """An audit log that was cut short, or signed by somebody else, is not verified."""
    server = new_server("tampered").start()
    with Api.of(server) as api:
        api.run({"command": ["true"]})
        wait_until(lambda: api.http.get("/v1/audit/checkpoint").status_code == 200,
                   what="a signed checkpoint")
    stranger = new_server("stranger").start()
    done = run_tool("audit", "verify", "--data-dir", server.data_dir, "--vkey",
                    stranger.data_dir / "audit.vkey", check=False)
    assert done.returncode == 1 and "different" in done.stderr
    stranger.stop()
    server.stop()


@pytest.mark.parametrize("arguments, said", [
    (["log", "cat", "events", "--type", "execution.finish"], "execution.finished"),
    (["log", "cat", "events", "--type", "bogus.*"], "no type 'bogus.*'"),
    (["log", "tail", "events", "--org", "org_x"], "no organisation's id"),
    (["dev", "--listen", "99"], "--listen"),
    (["executions", "lst"], "did you mean"),
])
def test_a_typing_error_is_told(server, arguments, said):
    done = run_tool(*arguments, "--data-dir", server.data_dir, check=False)
    assert done.returncode == 2 and said in done.stderr


@pytest.mark.parametrize("code, exit_code, said", [
    ("kill -SEGV $$", 139, "signal 11"),
    ("while :; do :; done", 124, "timeout"),
    ("exit 7", 7, ""),
])
def test_run_ends_as_its_program_did(server, code, exit_code, said):
    done = run_tool("run", "-l", "bash", "--wall-ms", "500", "-c", code, "--data-dir",
                    server.data_dir, check=False)
    assert done.returncode == exit_code and said in done.stderr and bool(done.stderr) == bool(said)


def test_without_a_server_it_says_so(tmp_path):
    done = run_tool("run", "-l", "sh", "-c", "true", "--data-dir", tmp_path, check=False)
    assert done.returncode in (2, 3) and "sandtrail dev" in done.stderr
    done = run_tool("audit", "verify", "--data-dir", tmp_path / "nothing", check=False)
    assert done.returncode == 3 and "--data-dir" in done.stderr
