# SPDX-License-Identifier: Apache-2.0
"""Large payloads in S3: sealed, erased, and waited for when the service is away."""

import secrets

import pytest
from api import Api, problem
from s3_service import S3Service
from sandtrail_server import EmbeddedServer, NotStarted, wait_until
from traces import forms_of

PREFIX = "e2e/payloads"
LARGE = 60_000  # beyond what stands in a record, within what is kept of output
SMALL = {"command": ["echo", "hello"], "limits": {"memory_mib": 16}}


@pytest.fixture(scope="module", name="s3")
def s3_service():
    with S3Service() as service:
        yield service


@pytest.fixture(scope="module", name="server")
def server_over_s3(directory, new_server, s3):
    return new_server("server", {"objects": s3.settings(directory, PREFIX)}).start()


def large(mark="", output=LARGE, **more):
    """A program whose input and, unless it is told otherwise, output are large."""
    # The output is made by the program: its mark stands reversed in the code.
    return {"language": "python", "limits": {"memory_mib": 64},
            "code": f"print('{mark[::-1]}'[::-1] + 'x' * {output})\n" + "#" * LARGE} | more


@pytest.mark.embedded
@pytest.mark.parametrize("settings, says", [
    ({"endpoint": "http://s3.example"}, "without encryption"),
    ({"endpoint": "http://127.0.0.1:1", "ca_file": "/etc/hostname"}, "https only"),
    ({"endpoint": "http://127.0.0.1:1", "addressing": "virtual_host"}, "before an address"),
    ({}, "objects.region"),
    ({"region": "us-east-1", "credentials_file": "/nonexistent"}, "/nonexistent"),
])
def test_settings_that_make_no_sense_end_the_start(tmp_path, settings, says):
    keys = {"AWS_ACCESS_KEY_ID": "a", "AWS_SECRET_ACCESS_KEY": "b"}
    server = EmbeddedServer(tmp_path, {"objects": {"url": "s3://bucket"} | settings}, keys)
    with pytest.raises(NotStarted, match=f"exit code 3: .*{says}"):
        server.start()


@pytest.mark.embedded
def test_an_endpoint_may_be_plain_if_the_settings_say_so(tmp_path):
    keys = {"AWS_ACCESS_KEY_ID": "a", "AWS_SECRET_ACCESS_KEY": "b"}
    objects = {"url": "s3://bucket", "endpoint": "http://s3.example", "allow_http": True}
    server = EmbeddedServer(tmp_path, {"objects": objects}, keys).start()
    assert server.stop() == 0


def test_large_payloads_are_in_the_bucket_sealed_until_they_are_erased(server, s3):
    mark, code_mark = (f"mark{secrets.token_hex(12)}" for _ in range(2))
    body = large(mark, retention={"seconds": 5})
    body["code"] += code_mark
    with Api.of(server) as api:
        result = api.run(body)
        assert result["stdout"] == mark + "x" * LARGE + "\n"
        objects = s3.objects(PREFIX)
        assert len(objects) == 2, "input and output"
        assert all(len(content) > LARGE for content in objects.values())
        forms = forms_of(mark) + forms_of(code_mark) + forms_of("x" * 64)
        assert not [name for name, content in objects.items() for form in forms if form in content]
        assert not (server.data_dir / "objects").exists()
        wait_until(lambda: api.get(result["id"])["erased"], what="the erasure")
        wait_until(lambda: s3.objects(PREFIX) == {}, what="the end of the objects")
        assert "stdout" not in api.get(result["id"])


def test_a_service_that_is_away_is_named_and_waited_for(server, s3):
    with Api.of(server) as api:
        kept = api.run(large("kept"))
        s3.take_away()
        try:
            refused = problem(api.submit(large()), 503, "unavailable")
            assert "no connection to http://127.0.0.1" in refused["detail"]
            problem(api.http.get(f"/v1/executions/{kept['id']}"), 503, "unavailable")
            # What needs no object goes on; a large result waits where it is.
            assert api.run(SMALL)["stdout"] == "hello\n"
            waits = api.submit(large(code="print('later' + 'x' * 60_000)")).json()["id"]
            assert api.get(waits, wait=3)["status"] == "started"
        finally:
            s3.bring_back()
        assert api.wait(waits)["stdout"] == "later" + "x" * LARGE + "\n"
        assert api.get(kept["id"])["stdout"] == "kept" + "x" * LARGE + "\n"
        assert api.run(large("again"))["verdict"] == "ok"
    assert "no connection to http://127.0.0.1" in server.log_tail(10_000)
    assert "the S3 service answers again" in server.log_tail(10_000)
