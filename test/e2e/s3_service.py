# SPDX-License-Identifier: Apache-2.0
"""An S3 service of the test's own, by scripts/s3-server, behind an address that can be taken away:
then connections are refused, and what is stored stays."""

import base64
import json
import selectors
import socket
import subprocess
import threading

from sandtrail_server import ROOT

START_SECONDS_MAX = 180  # the first start on a machine installs what it needs
# What test/contract/store/s3_server.py takes.
KEY_ID = "sandtrail-test"
SECRET = "not/a+secret"
BUCKET = "sandtrail-test"
LIST = """
import base64, json, sys, boto3
url, bucket, prefix, key, secret = sys.argv[1:]
bucket = boto3.resource("s3", endpoint_url=url, region_name="us-east-1", aws_access_key_id=key,
                        aws_secret_access_key=secret).Bucket(bucket)
print(json.dumps({o.key: base64.b64encode(o.get()["Body"].read()).decode()
                  for o in bucket.objects.filter(Prefix=prefix)}))
"""


class S3Service:
    """Owns the server and the way to it: `with S3Service() as s3`."""

    def __init__(self):
        self._server = None
        self._url = ""
        self._way = None

    def __enter__(self):
        self._server = subprocess.Popen([ROOT / "scripts/s3-server"], stdin=subprocess.PIPE,
                                        stdout=subprocess.PIPE, text=True)
        self._url = self._server.stdout.readline().strip()
        assert self._url.startswith("http://127.0.0.1:"), "scripts/s3-server says no address"
        self._way = Way(int(self._url.rsplit(":", 1)[1]))
        return self

    def __exit__(self, *_):
        if self._way is not None:
            self._way.close()
        self._server.stdin.close()
        self._server.wait(START_SECONDS_MAX)

    def settings(self, directory, prefix):
        """[objects] for a server; the credentials go to a file in `directory`."""
        directory.mkdir(parents=True, exist_ok=True)
        file = directory / "s3-credentials"
        file.touch(mode=0o600)
        file.write_text(f"[default]\naws_access_key_id = {KEY_ID}\n"
                        f"aws_secret_access_key = {SECRET}\n", encoding="utf-8")
        return {"url": f"s3://{BUCKET}/{prefix}", "endpoint": f"http://127.0.0.1:{self._way.port}",
                "region": "eu-central-1", "credentials_file": str(file)}

    def objects(self, prefix):
        """{name: content} below the prefix, as another client of the service has them."""
        done = subprocess.run(
            [ROOT / "build/venv-s3/bin/python", "-c", LIST, self._url, BUCKET, prefix + "/",
             KEY_ID, SECRET], capture_output=True, text=True, check=False, timeout=60)
        assert done.returncode == 0, done.stderr[-2000:]
        found = {key.removeprefix(prefix + "/"): base64.b64decode(content)
                 for key, content in json.loads(done.stdout).items()}
        # With it the store tries what the service can.
        found.pop("sandtrail-if-none-match", None)
        return found

    def take_away(self):
        self._way.close()

    def bring_back(self):
        self._way.open()


class Way:
    """Passes on what comes to a port of its own. Closed, it refuses; open() takes the same port."""

    def __init__(self, target):
        self.port = 0
        self._target = target
        self._listener = None
        self._ends = []
        self._lock = threading.Lock()
        self.open()

    def open(self):
        self._listener = socket.create_server(("127.0.0.1", self.port))
        self.port = self._listener.getsockname()[1]
        threading.Thread(target=self._accept, args=(self._listener,), daemon=True).start()

    def close(self):
        """Ends open connections, too."""
        with self._lock:
            ends, self._ends = [self._listener, *self._ends], []
        for end in ends:
            # Wakes whoever waits for it.
            try:
                end.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass
            end.close()

    def _accept(self, listener):
        while True:
            try:
                here, _ = listener.accept()
                there = socket.create_connection(("127.0.0.1", self._target))
            except OSError:
                return
            with self._lock:
                self._ends += [here, there]
            threading.Thread(target=self._pass_on, args=(here, there), daemon=True).start()

    @staticmethod
    def _pass_on(here, there):
        with selectors.DefaultSelector() as selector:
            selector.register(here, selectors.EVENT_READ, there)
            selector.register(there, selectors.EVENT_READ, here)
            try:
                while True:
                    for key, _ in selector.select():
                        data = key.fileobj.recv(65536)
                        if not data:
                            return
                        key.data.sendall(data)
            except (OSError, ValueError):
                pass
            finally:
                here.close()
                there.close()
