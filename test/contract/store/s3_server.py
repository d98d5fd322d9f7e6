# SPDX-License-Identifier: Apache-2.0
"""An S3 service in memory: moto's, behind a gate that is as strict as a real one.

Listens on a free port of loopback, prints its address as one line, and ends when its standard input
does. The gate checks the signature of each request with botocore, its time, and the digest of its
body; makes what moto does atomic; and plays two services that moto is not:

  bucket   sandtrail-test        as S3 has it
           unconditional-test    takes If-None-Match and does nothing with it, as many services do
  prefix   …/quota-<bytes>-…/    507 once the objects below it would have more bytes than that
"""

import hashlib
import io
import logging
import re
import sys
import threading
import time
from datetime import datetime, timezone

from botocore.auth import S3SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from moto.core import DEFAULT_ACCOUNT_ID
from moto.moto_server.werkzeug_app import (DomainDispatcherApplication, MotoRequestHandler,
                                           create_backend_app)
from moto.s3.models import s3_backends
from werkzeug.serving import make_server

BUCKETS = ["sandtrail-test", "unconditional-test"]
KEY_ID = "sandtrail-test"
SECRET = "not/a+secret"
SESSION_TOKEN = "of+a/session=="
SKEW_SECONDS_MAX = 900


class Refused(Exception):
    def __init__(self, status, code):
        super().__init__(code)
        self.status, self.code = status, code


def check_signature(environ, body):
    """As the service does: from what was sent."""
    found = re.fullmatch(
        r"AWS4-HMAC-SHA256 Credential=([^/]+)/(\d{8})/([^/]+)/s3/aws4_request, ?"
        r"SignedHeaders=([a-z0-9;-]+), ?Signature=([0-9a-f]{64})",
        environ.get("HTTP_AUTHORIZATION", ""))
    if not found:
        raise Refused(403, "AccessDenied")
    key_id, day, region, names, signature = found.groups()
    if key_id != KEY_ID:
        raise Refused(403, "InvalidAccessKeyId")
    sent = {name: environ.get("HTTP_" + name.upper().replace("-", "_"))
            for name in names.split(";")}
    date = sent.get("x-amz-date") or ""
    wanted = {"host"} | {key[5:].lower().replace("_", "-") for key in environ
                         if key.startswith("HTTP_X_AMZ_") or key == "HTTP_IF_NONE_MATCH"}
    if not wanted <= set(sent) or not date.startswith(day) or None in sent.values():
        raise Refused(403, "AccessDenied")
    if sent.get("x-amz-security-token", SESSION_TOKEN) != SESSION_TOKEN:
        raise Refused(400, "InvalidToken")
    request = AWSRequest(environ["REQUEST_METHOD"], "http://" + sent["host"] + environ["RAW_URI"],
                         headers=sent)
    request.context["timestamp"] = date
    auth = S3SigV4Auth(Credentials(KEY_ID, SECRET), "s3", region)
    to_sign = auth.string_to_sign(request, auth.canonical_request(request))
    if auth.signature(to_sign, request) != signature:
        raise Refused(403, "SignatureDoesNotMatch")
    then = datetime.strptime(date, "%Y%m%dT%H%M%SZ").replace(tzinfo=timezone.utc).timestamp()
    if abs(time.time() - then) > SKEW_SECONDS_MAX:
        raise Refused(403, "RequestTimeTooSkewed")
    if sent["x-amz-content-sha256"] != hashlib.sha256(body).hexdigest():
        raise Refused(400, "XAmzContentSHA256Mismatch")


class Gate:
    def __init__(self, service):
        self.service = service
        self.lock = threading.Lock()
        self.sizes = {}  # of what lies below a quota

    def __call__(self, environ, start_response):
        body = environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
        try:
            check_signature(environ, body)
            with self.lock:
                return [self.serve(environ, start_response, body)]
        except Refused as refused:
            answer = f"<Error><Code>{refused.code}</Code></Error>".encode()
            start_response(f"{refused.status} Refused", [("Content-Type", "application/xml"),
                                                         ("Content-Length", str(len(answer)))])
            return [answer]

    def serve(self, environ, start_response, body):
        path, method = environ["RAW_URI"], environ["REQUEST_METHOD"]
        if path.startswith("/unconditional-test/"):
            environ.pop("HTTP_IF_NONE_MATCH", None)
        self.check_quota(path, method, len(body))
        statuses = []

        def note(status, *more):
            statuses.append(status)
            return start_response(status, *more)

        environ["wsgi.input"] = io.BytesIO(body)
        answer = b"".join(self.service(environ, note))
        if method == "PUT" and statuses[0].startswith("200"):
            self.sizes[path] = len(body)
        if method == "DELETE":
            self.sizes.pop(path, None)
        return answer

    def check_quota(self, path, method, size):
        quota = re.match(r"/[^/]+/(?:.*/)?quota-(\d+)-[^/]*/", path)
        if method != "PUT" or not quota or path in self.sizes:
            return
        used = sum(count for other, count in self.sizes.items() if other.startswith(quota[0]))
        if used + size > int(quota[1]):
            raise Refused(507, "XMinioStorageFull")


class Handler(MotoRequestHandler):
    protocol_version = "HTTP/1.1"  # keeps connections


def main():
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    for bucket in BUCKETS:
        s3_backends[DEFAULT_ACCOUNT_ID]["aws"].create_bucket(bucket, "us-east-1")
    gate = Gate(DomainDispatcherApplication(create_backend_app))
    server = make_server("127.0.0.1", 0, gate, threaded=True, request_handler=Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    print(f"http://127.0.0.1:{server.port}", flush=True)
    sys.stdin.read()


main()
