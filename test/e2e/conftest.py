# SPDX-License-Identifier: Apache-2.0
"""Servers for the tests: one a module, or made by the test. What a failed test leaves is kept in
build/logs/e2e/."""

import os
import shutil
import sys
import tempfile
from pathlib import Path

import pytest
from api import Api, Operator
from cluster_server import SharedBroker
from openapi_check import OpenApiCheck
from sandtrail_server import ROOT, Server, over_kafka, program
from webhook_sink import WebhookSink

KEPT = ROOT / "build/logs/e2e"
sys.path.append(str(ROOT / "test" / "torture"))  # fault_report


def pytest_addoption(parser):
    parser.addoption("--log", choices=("embedded", "kafka"), default=None,
                     help="the way servers run; else SANDTRAIL_E2E, else embedded")


def pytest_configure(config):
    if not program().is_file():
        raise pytest.UsageError(f"{program()} is not built; set SANDTRAIL_BUILD or build it")
    if config.getoption("--log"):
        os.environ["SANDTRAIL_E2E"] = config.getoption("--log")
    config.addinivalue_line("markers", "embedded: not run again over Kafka")
    config.addinivalue_line("markers", "cluster: only run over Kafka")


def pytest_collection_modifyitems(config, items):
    """Of the two runs of the suite, what is only about one process on the embedded log, or about no
    server at all, is part of the first, and what is about several processes of the second."""
    def elsewhere(item):
        if not over_kafka():
            return item.get_closest_marker("cluster")
        return item.get_closest_marker("embedded") or item.module.__name__.startswith("test_kafka_")

    left_out = [item for item in items if elsewhere(item)]
    if left_out:
        config.hook.pytest_deselected(items=left_out)
        items[:] = [item for item in items if item not in left_out]


def pytest_unconfigure():
    if over_kafka():
        SharedBroker.stop()


@pytest.fixture(scope="module")
def directory(request):
    """A directory of the module, in /tmp; moved to build/logs/e2e/ if one of its tests failed."""
    failed_before = request.session.testsfailed
    path = Path(tempfile.mkdtemp(prefix="sandtrail-e2e-"))
    yield path
    if request.session.testsfailed > failed_before:
        kept = KEPT / request.module.__name__
        shutil.rmtree(kept, ignore_errors=True)
        kept.parent.mkdir(parents=True, exist_ok=True)
        # The operator's socket cannot be moved to another file system.
        for socket in path.glob("**/*.sock"):
            socket.unlink()
        shutil.move(path, kept)
    else:
        shutil.rmtree(path)


@pytest.fixture(scope="module")
def new_server(directory):
    """A function that makes a server (not started) in a directory of its own."""
    servers = []

    def make(name, config=None, environment=None):
        servers.append(Server(directory / name, config, environment))
        return servers[-1]

    yield make
    for server in servers:
        server.stop()


@pytest.fixture(scope="module")
def server(request, new_server):
    """The module's server, running, with the settings in its CONFIG."""
    return new_server("server", getattr(request.module, "CONFIG", None)).start()


@pytest.fixture(scope="session")
def check():
    """Holds every answer of the API against the OpenAPI document of the server."""
    return OpenApiCheck()


@pytest.fixture
def api(server, check):
    with Api.of(server, check) as client:
        yield client


@pytest.fixture
def operator(server):
    with Operator(server) as client:
        yield client


@pytest.fixture
def sink():
    with WebhookSink() as receiver:
        yield receiver
