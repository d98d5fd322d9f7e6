# SPDX-License-Identifier: Apache-2.0
"""A receiver of webhooks on loopback: keeps what came, answers as it is told."""

import json
import threading
import time
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


@dataclass
class Answer:
    status: int = 204
    headers: dict = field(default_factory=dict)
    body: bytes = b""
    delay_seconds: float = 0.0  # before the answer


@dataclass
class Received:
    path: str
    headers: dict  # names in lower case
    body: bytes
    at: float  # time.monotonic() when the body was there
    status: int  # what it was told

    @property
    def webhook_id(self):
        return self.headers["webhook-id"]

    @property
    def message(self):
        return json.loads(self.body)


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 512
    allow_reuse_address = True


class WebhookSink:
    """Thread-safe. Closed, it refuses connections; open() takes the same port again."""

    def __init__(self, host="127.0.0.1"):
        self.host = host
        self.received = []
        self._answers = {}
        self._changed = threading.Condition()
        self._server = None
        self._thread = None
        self.port = 0
        self.open()

    def open(self):
        self._server = _Server((self.host, self.port), self._handler())
        self.port = self._server.server_address[1]
        self._thread = threading.Thread(target=self._server.serve_forever,
                                        kwargs={"poll_interval": 0.05}, daemon=True)
        self._thread.start()

    def close(self):
        if self._server is not None:
            self._server.shutdown()
            self._server.server_close()
            self._thread.join()
            self._server = None

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def url(self, path="/", host=None):
        return f"http://{host or self.host}:{self.port}{path}"

    def script(self, path, *answers):
        """Answers to requests for `path`, in turn; the last one stays. Numbers are statuses."""
        with self._changed:
            self._answers[path] = [answer if isinstance(answer, Answer) else Answer(answer)
                                   for answer in answers]

    def at(self, path):
        with self._changed:
            return [request for request in self.received if request.path == path]

    def wait_for(self, count, path=None, seconds=30.0):
        """The first `count` requests for `path` (for any, without), once they are there."""
        def found():
            return [r for r in self.received if path is None or r.path == path]

        deadline = time.monotonic() + seconds
        with self._changed:
            while len(found()) < count:
                left = deadline - time.monotonic()
                if left <= 0 or not self._changed.wait(left):
                    raise AssertionError(
                        f"{len(found())} of {count} requests for {path} within {seconds} s")
            return found()[:count]

    def _take(self, path, headers, body):
        with self._changed:
            answers = self._answers.get(path) or [Answer()]
            answer = answers.pop(0) if len(answers) > 1 else answers[0]
            self.received.append(Received(path, headers, body, time.monotonic(), answer.status))
            self._changed.notify_all()
            return answer

    def _handler(self):
        sink = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            disable_nagle_algorithm = True

            def do_POST(self):
                body = self.rfile.read(int(self.headers.get("content-length") or 0))
                headers = {name.lower(): value for name, value in self.headers.items()}
                answer = sink._take(self.path, headers, body)
                if answer.delay_seconds:
                    time.sleep(answer.delay_seconds)
                self.send_response(answer.status)
                for name, value in answer.headers.items():
                    self.send_header(name, value)
                if answer.status != 204:
                    self.send_header("Content-Length", str(len(answer.body)))
                self.end_headers()
                if answer.body:
                    self.wfile.write(answer.body)

            do_GET = do_POST  # a redirect that is followed would come as one

            def log_message(self, *_):
                pass

        return Handler
