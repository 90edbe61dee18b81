"""The client of SLS and the tier over it, against the stand-in for SLS that users can start too."""

import os
import re
import subprocess

import pytest
from harness.larder import BINARY, Larder
from harness.otlp import TraceMaker, request
from harness.process import wait_until
from harness.sls_double import SlsDouble
from harness.tiers import sls_settings
from harness.tls import Authority, TlsFront

CHECK = BINARY.parents[1] / "tiering/larder_sls_tier_check"


class Double(SlsDouble):
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
    double.kill()


def test_the_client_and_the_tier_work_against_it(double):
    result = subprocess.run([CHECK], env=os.environ | {"LARDER_SLS_ENDPOINT": f"http://{double.address}"},
                            capture_output=True, text=True, timeout=600)
    assert result.returncode == 0, result.stdout[-4000:] + result.stderr[-2000:]
    assert int(re.search(r"\[  PASSED  \] (\d+) tests", result.stdout).group(1)) >= 12


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


def test_check_says_whom_it_does_not_trust(double, tmp_path):
    authority, stranger = Authority(tmp_path, "ca"), Authority(tmp_path, "stranger")
    cert, key = tmp_path / "sls.pem", tmp_path / "sls.key"
    authority.sign("sls", cert, key, names="subjectAltName=DNS:larder.localhost")
    front = TlsFront(cert, key, double.address)
    endpoint = {"endpoint": f"https://localhost:{front.port}", "connect_to": f"127.0.0.1:{front.port}"}
    trusted = double.check("--create", instance="tls", ca_file=authority.cert, **endpoint)
    assert trusted.returncode == 0, trusted.stdout + trusted.stderr
    for ca_file in (stranger.cert, tmp_path / "none.pem"):
        refused = double.check(ca_file=ca_file, **endpoint)
        assert refused.returncode == 1
        assert re.search(r"endpoint +FAILED .*certificate.*tier\.sls\.ca-file", refused.stdout), refused.stdout
    front.close()


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


def test_uploads_are_verified_by_their_traces_where_packs_have_no_index(double, tmp_path):
    """SLS refuses a search on a tag without an index, so none is made; and each row is read once, however many
    packs lie in the same seconds."""
    double.client.call("POST", "/logstores", {"logstoreName": "plain", "ttl": 30, "shardCount": 1})
    index = {"keys": {"traceID": {"type": "text", "token": [], "caseSensitive": False}}}
    assert double.client.call("POST", "/logstores/plain/index", index).status == 200
    refused = double.client.get_logs("plain", '__tag__:__pack_id__: "x"')
    assert refused.code == "ParameterInvalid"
    refusals, before = double.refusals(), double.counts()
    larder = Larder(tmp_path, "--head.idle", "100ms", "--partition.time", "1s", "--tier.after", "0s",
                    "--tier.evict-after", "1ms", *sls_settings(double, tmp_path, "--tier.sls.logstore", "plain",
                                                               "--tier.sls.create"))
    make = TraceMaker("without an index")
    spans = []
    for _ in range(200):
        trace_id = make.trace_id()
        spans += [make.span(trace_id, f"span {number}", attributes={"blob": os.urandom(10_000).hex()})
                  for number in range(4)]
    larder.export(request("plain", spans))
    wait_until(lambda: larder.metric("larder_cold_spans") == len(spans), "all to be verified", 120)
    assert larder.metric("larder_stored_spans") == 0
    assert larder.metric("larder_tier_failures_total") == 0
    groups, reads = (double.counts()[what] - before.get(what, 0) for what in ("PutLogs 200", "GetLogsV3 200"))
    print(f"{groups} groups of {len(spans)} spans were verified by {reads} reads")
    assert groups >= 8
    assert reads <= 3 * groups, "of 100 rows each"
    assert {span.name for span in larder.spans_of(spans[799].trace_id)} == {f"span {n}" for n in range(4)}
    assert larder.stop() == 0, larder.program.log_tail()
    assert double.refusals() == refusals
    assert set(double.client.call("GET", "/logstores/plain/index").json()["keys"]) == {"traceID"}


def test_what_the_time_to_live_took_is_said(double, tmp_path):
    larder = Larder(tmp_path, "--head.idle", "100ms", "--partition.time", "1s", "--tier.after", "0s",
                    "--tier.evict-after", "1ms",
                    *sls_settings(double, tmp_path, "--tier.sls.logstore", "short", "--tier.sls.create"))
    make = TraceMaker("time to live")
    trace_id, day = make.trace_id(), 86400 * 10**9
    spans = [make.span(trace_id, f"day {number}", start_time_unix_nano=make.start_ns - number * day)
             for number in range(5)]
    larder.export(request("short", spans))
    wait_until(lambda: larder.metric("larder_cold_spans") == len(spans), "all to be in the tier", 120)
    assert len(larder.spans_of(trace_id)) == 5
    assert larder.metric("larder_read_gaps_total") == 0
    shorter = {"logstoreName": "short", "ttl": 3, "shardCount": 2}
    assert double.client.call("PUT", "/logstores/short", shorter).status == 200
    left = larder.spans_of(trace_id)
    assert sorted(span.name for span in left) == ["day 0", "day 1", "day 2"]
    assert "2 of 5 spans of trace" in str(left)
    assert larder.metric("larder_read_gaps_total") > 0
    assert larder.stop() == 0, larder.program.log_tail()


def test_check_without_an_index_says_so(double):
    double.client.call("POST", "/logstores", {"logstoreName": "bare-traces", "ttl": 30, "shardCount": 1})
    bare = double.check(instance="bare")
    assert bare.returncode == 1
    assert re.search(r"index +FAILED .*tier.sls.create", bare.stdout)


def test_no_output_has_the_secret(double):
    for result in (double.check(), double.check(secret="wrong-secret"), double.check(project="other")):
        for secret in ("test-secret", "wrong-secret"):
            assert secret not in result.stdout + result.stderr
    assert "test-secret" not in double.log.read_text()
