"""One Larder and one Jaeger in front of it for all tests that do not end either."""

import pytest

from harness.jaeger import Jaeger
from harness.larder import Larder


@pytest.fixture(scope="session")
def larder(tmp_path_factory):
    server = Larder(tmp_path_factory.mktemp("larder"))
    yield server
    assert server.stop() == 0, server.program.log_tail()


@pytest.fixture(scope="session")
def jaeger(larder, tmp_path_factory):
    server = Jaeger(tmp_path_factory.mktemp("jaeger"), larder.grpc_address)
    yield server
    server.stop()
