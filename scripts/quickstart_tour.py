# SPDX-License-Identifier: Apache-2.0
"""The tour of scripts/quickstart: one execution on its way through every role of a running server.

Prints what it sees; exits 1 naming the step that did not hold. Uses nothing of Sandtrail but its
HTTP API and its command line, and checks the webhook with the foreign package `standardwebhooks`.
"""

import argparse
import http.server
import json
import pathlib
import queue
import subprocess
import sys
import threading

import httpx
import standardwebhooks

PROGRAM = """
import platform, sys
n = int(sys.stdin.read())
primes = [p for p in range(2, n) if all(p % d for d in range(2, int(p ** 0.5) + 1))]
print(f"{len(primes)} primes below {n}, the last is {primes[-1]}")
print("python", platform.python_version(), file=sys.stderr)
"""
DEADLINE_S = 60


class Failed(Exception):
    """A step of the tour that did not hold."""


def require(condition, message):
    if not condition:
        raise Failed(message)


def heading(text):
    print(f"\n== {text}", flush=True)


class Receiver:
    """A webhook receiver on loopback that answers 204 and keeps what it got."""

    def __init__(self):
        self.received = queue.Queue()
        received = self.received

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self):  # the name http.server asks for
                body = self.rfile.read(int(self.headers["Content-Length"]))
                received.put((dict(self.headers), body))
                self.send_response(204)
                self.end_headers()

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    @property
    def url(self):
        return f"http://127.0.0.1:{self.server.server_address[1]}/hook"


def credits_text(balance):
    return f"{balance['available_microcredits'] / 1e6:.6f} credits available"


def balance_of(api):
    answer = api.get("/v1/billing/balance")
    answer.raise_for_status()
    return answer.json()


def run_program(api, receiver):
    heading("A program, in a sandbox, through the asynchronous API")
    answer = api.post(
        "/v1/executions",
        headers={"Prefer": "wait=30"},
        json={
            "language": "python",
            "code": PROGRAM,
            "stdin": "10000",
            "callback_url": receiver.url,
            "metadata": {"tour": "quickstart"},
        },
    )
    require(answer.status_code == 200, f"expected 200, got {answer.status_code}: {answer.text}")
    result = answer.json()
    print(f"id       {result['id']}")
    print(f"stdout   {result['stdout'].rstrip()}")
    print(f"stderr   {result['stderr'].rstrip()}")
    print(f"verdict  {result['verdict']} (exit code {result['exit_code']}, {result['cause']})")
    usage = result["usage"]
    print(
        f"usage    {usage['wall_us'] / 1000:.1f} ms wall, {usage['cpu_us'] / 1000:.1f} ms CPU, "
        f"{usage['memory_peak_bytes'] / 2**20:.1f} MiB at most"
    )
    require(result["verdict"] == "ok", "the verdict is not ok")
    return result["id"]


def show_webhook(receiver, dev, execution):
    heading("The webhook, checked by the package standardwebhooks")
    headers, body = receiver.received.get(timeout=DEADLINE_S)
    lower = {name.lower(): value for name, value in headers.items()}
    message = standardwebhooks.Webhook(dev["callback_secret"]).verify(body, lower)
    print(f"webhook-id         {lower['webhook-id']}")
    print(f"webhook-signature  {lower['webhook-signature']}")
    print(f"signature          valid; {message['type']} of {message['data']['id']}")
    require(message["data"]["id"] == execution, "the webhook is about something else")


def records_about(sandtrail, data_dir, execution):
    cat = [sandtrail, "log", "cat", "events", "--data-dir", data_dir, "--json"]
    out = subprocess.run(cat, capture_output=True, text=True, check=True).stdout
    records = [json.loads(line) for line in out.splitlines()]
    return [r for r in records if r["headers"].get("ce_correlationid") == execution]


def show_trail(sandtrail, data_dir, execution):
    heading("Its trail in the log: topic, partition and position of every event")
    wanted = "sandtrail.webhook.delivered"
    for _ in range(DEADLINE_S):
        records = records_about(sandtrail, data_dir, execution)
        types = [record["headers"]["ce_type"] for record in records]
        if wanted in types and "sandtrail.billing.settled" in types:
            break
        threading.Event().wait(0.2)
    for record in records:
        where = f"{record['topic']}/{record['partition']}/{record['position']}"
        print(f"{where:<14} {record['headers']['ce_type']:<34} {record['verdict']}")
    require(wanted in types, "no webhook.delivered in the log")


def show_audit(sandtrail, data_dir, api):
    heading("The audit log, recomputed from the log")
    verify = [sandtrail, "audit", "verify", "--data-dir", data_dir]
    for _ in range(DEADLINE_S):
        if api.get("/v1/audit/checkpoint").status_code == 200:
            break
        threading.Event().wait(0.2)
    done = subprocess.run(verify, capture_output=True, text=True)
    print(done.stdout.rstrip())
    require(done.returncode == 0, f"the audit log does not verify: {done.stderr}")


def tour(arguments):
    data_dir = pathlib.Path(arguments.data_dir)
    dev = json.loads((data_dir / "dev.json").read_text())
    authorization = {"Authorization": f"Bearer {dev['api_key']}"}
    receiver = Receiver()
    with httpx.Client(base_url=dev["url"], headers=authorization, timeout=DEADLINE_S) as api:
        before = balance_of(api)
        execution = run_program(api, receiver)
        show_webhook(receiver, dev, execution)
        show_trail(arguments.bin, str(data_dir), execution)
        heading("Credits")
        after = balance_of(api)
        print(f"before   {credits_text(before)}")
        print(f"after    {credits_text(after)}")
        require(after["held_microcredits"] == 0, "a hold was left")
        require(
            after["available_microcredits"] < before["available_microcredits"],
            "nothing was charged",
        )
        show_audit(arguments.bin, str(data_dir), api)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data-dir", required=True)
    parser.add_argument("--bin", required=True)
    try:
        tour(parser.parse_args())
    except (Failed, queue.Empty, httpx.HTTPError, subprocess.CalledProcessError) as error:
        print(f"\nquickstart: {error!r}", file=sys.stderr)
        return 1
    print("\nEvery step held.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
