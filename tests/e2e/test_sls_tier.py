"""The client of SLS and the tier over it, against the stand-in for SLS that users can start too."""

import os
import re
import subprocess

import pytest
from harness.larder import BINARY
from harness.process import ROOT, Program
from sls_double.client import Client

CHECK = BINARY.parents[1] / "tiering/larder_sls_tier_check"


class Double:
    """The stand-in, as its script starts it."""

    def __init__(self, directory):
        log = directory / "double.log"
        found = lambda: log.exists() and re.search(r"listening on (\S+)", log.read_text())
        self.program = Program([ROOT / "tools/sls_double.sh", "--data-dir", directory / "sls",
                                "--listen", "127.0.0.1:0"], log, lambda: bool(found()))
        self.address = found()[1]
        self.client = Client(self.address)

    def check(self, *arguments, secret="test-secret", **settings):
        """larder tier check; settings of tier.sls, with _ for -."""
        flags = {"endpoint": f"http://{self.address}", "project": "larder", "instance": "shop",
                 "access-key-id": "test-id"}
        flags |= {name.replace("_", "-"): value for name, value in settings.items()}
        command = [BINARY, "tier", "check", "--tier.kind", "sls", *arguments]
        for name, value in flags.items():
            command += [f"--tier.sls.{name}", value]
        environment = {key: value for key, value in os.environ.items()
                       if not key.startswith("LARDER_")}
        return subprocess.run(command, capture_output=True, text=True, timeout=120,
                              env=environment | {"LARDER_TIER_SLS_ACCESS_KEY_SECRET": secret})


@pytest.fixture(scope="module")
def double(tmp_path_factory):
    double = Double(tmp_path_factory.mktemp("double"))
    yield double
    double.program.kill()


def test_the_client_and_the_tier_work_against_it(double):
    result = subprocess.run([CHECK], env=os.environ | {"LARDER_SLS_ENDPOINT": f"http://{double.address}"},
                            capture_output=True, text=True, timeout=600)
    assert result.returncode == 0, result.stdout[-4000:] + result.stderr[-2000:]
    assert "[  PASSED  ] 10 tests." in result.stdout


def test_check_says_what_fails_and_what_mends_it(double):
    wrong_secret = double.check(secret="wrong")
    assert wrong_secret.returncode == 1
    assert re.search(r"credentials +FAILED .*SignatureNotMatch.*secret is wrong", wrong_secret.stdout)
    assert re.search(r"credentials +FAILED", double.check(access_key_id="nobody").stdout)
    assert re.search(r"project +FAILED .*ProjectNotExist.*tier.sls.project",
                     double.check(project="other").stdout)
    assert re.search(r"Logstore +FAILED .*LogStoreNotExist.*tier.sls.create",
                     double.check(instance="none").stdout)
    nobody = double.check(endpoint="http://127.0.0.1:1")
    assert nobody.returncode == 1 and re.search(r"endpoint +FAILED .*127.0.0.1:1", nobody.stdout)
    missing = double.check(signature="v4")
    assert missing.returncode == 2 and "tier.sls.region" in missing.stderr


def test_check_creates_what_is_missing_and_leaves_an_index_alone(double):
    made = double.check("--create")
    assert made.returncode == 0, made.stdout + made.stderr
    assert re.search(r"Logstore +ok +shop-traces made", made.stdout)
    index = double.client.call("GET", "/logstores/shop-traces/index").json()
    assert "traceID" in index["keys"] and "otlp.raw" not in index["keys"]
    again = double.check("--create")
    assert again.returncode == 0 and "the tier is ready" in again.stdout

    double.client.call("POST", "/logstores", {"logstoreName": "console-traces", "ttl": 30, "shardCount": 1})
    own = {"keys": {"traceID": {"type": "text", "token": [], "caseSensitive": False, "doc_value": True}}}
    assert double.client.call("POST", "/logstores/console-traces/index", own).status == 200
    before = double.client.call("GET", "/logstores/console-traces/index").json()
    checked = double.check("--create", instance="console")
    assert checked.returncode == 0 and "made by others, left as it is" in checked.stdout
    assert double.client.call("GET", "/logstores/console-traces/index").json() == before


def test_check_without_an_index_says_so(double):
    double.client.call("POST", "/logstores", {"logstoreName": "bare-traces", "ttl": 30, "shardCount": 1})
    bare = double.check(instance="bare")
    assert bare.returncode == 1
    assert re.search(r"index +FAILED .*tier.sls.create", bare.stdout)


def test_no_output_has_the_secret(double):
    for result in (double.check(), double.check(secret="wrong-secret"), double.check(project="other")):
        for secret in ("test-secret", "wrong-secret"):
            assert secret not in result.stdout + result.stderr
    assert "test-secret" not in double.program.log.read_text()
