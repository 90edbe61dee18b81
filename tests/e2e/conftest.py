"""One Larder and one Jaeger in front of it for all tests that do not end either.

These tests run twice: with spans that stay in memory, and with a store that seals them into
segments all the time and closes a partition every few thousand.
"""

import pytest

from harness.jaeger import Jaeger
from harness.larder import Larder


SETTINGS = {
    "memory": (),
    "segments": ("--head.idle", "100ms", "--partition.rows-max", "2000"),
}


@pytest.fixture(scope="session", params=SETTINGS)
def larder(request, tmp_path_factory):
    server = Larder(tmp_path_factory.mktemp("larder"), *SETTINGS[request.param])
    yield server
    assert server.stop() == 0, server.program.log_tail()


@pytest.fixture(scope="session")
def jaeger(larder, tmp_path_factory):
    server = Jaeger(tmp_path_factory.mktemp("jaeger"), larder.grpc_address)
    yield server
    server.stop()
