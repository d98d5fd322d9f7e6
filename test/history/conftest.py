# SPDX-License-Identifier: Apache-2.0
"""Brokers come up as they do for test/e2e. What a failed test leaves is kept in
build/logs/history/."""

import os
import shutil
import sys
import tempfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
KEPT = ROOT / "build/logs/history"
BROKERS = 3
sys.path.append(str(ROOT / "test" / "e2e"))
from kafka_cluster import KafkaCluster  # noqa: E402  pylint: disable=wrong-import-position


@pytest.fixture(scope="session")
def kafka():
    """One cluster for all, with all brokers up at the end of each module."""
    with KafkaCluster(brokers=BROKERS, proxies=True) as cluster:
        yield cluster


@pytest.fixture(scope="module")
def directory(request):
    """A directory of the module, in /tmp; moved to build/logs/history/ if one of its tests
    failed."""
    failed_before = request.session.testsfailed
    path = Path(tempfile.mkdtemp(prefix="sandtrail-history-"))
    yield path
    if request.session.testsfailed > failed_before:
        kept = KEPT / request.module.__name__
        shutil.rmtree(kept, ignore_errors=True)
        kept.parent.mkdir(parents=True, exist_ok=True)
        shutil.move(path, kept)
    else:
        shutil.rmtree(path)


@pytest.fixture(scope="session")
def torture():
    """Whether the full numbers are wanted: SANDTRAIL_TORTURE=1."""
    return os.environ.get("SANDTRAIL_TORTURE") == "1"
