"""A double behind a socket for each test, with a logstore `spans` indexed as the tier makes it."""

import threading

import pytest

from sls_double.client import Client
from sls_double.double import Double
from sls_double.http_front import HttpFront
from sls_double.settings import Settings
from sls_double.trace_index import TRACE_INDEX


class Served:
    """A double and its address; serves until close()."""

    def __init__(self, directory):
        self.double = Double(directory, Settings(), "larder")
        self.double.accounts.add("test-id", "test-secret")
        self.front = HttpFront(("127.0.0.1", 0), self.double)
        self.address = "{}:{}".format(*self.front.server_address)
        threading.Thread(target=self.front.serve_forever, args=(0.02,), daemon=True).start()

    def close(self):
        self.front.shutdown()
        self.front.server_close()
        self.double.close()


@pytest.fixture
def served(tmp_path):
    served = Served(tmp_path)
    served.double.catalog.create_project("larder")
    yield served
    served.close()


@pytest.fixture
def client(served):
    served.double.catalog.create_logstore("larder", {"logstoreName": "spans", "ttl": 30, "shardCount": 1})
    served.double.catalog.create_index("larder", "spans", TRACE_INDEX)
    return Client(served.address)
