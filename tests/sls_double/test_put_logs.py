"""PutLogs: what is taken, on which paths, and what each bad request is told."""

import time

import pytest

from sls_double.client import Client, group_of

ROW = {"traceID": "0000000000000abc", "service": "svc-a"}
HASH_KEY = "14d2f850ad6ea48e46e4547edbbb27e0"


@pytest.mark.parametrize("path", ["", "/shards/lb", "/shards/lb?", f"/shards/route?key={HASH_KEY}"])
@pytest.mark.parametrize("compression", ["", "lz4", "zstd", "deflate"])
def test_is_found_again(client, path, compression):
    answer = client.put("spans", group_of([ROW], tags={"__pack_id__": "p-1"}), compression, path)
    assert (answer.status, answer.body) == (200, b"")
    assert answer.headers["x-log-requestid"]
    assert "content-type" not in answer.headers
    (row,) = client.rows("spans", "traceID: 0000000000000abc")
    assert row.pop("__time__").isdigit()
    assert row == ROW | {"__source__": "127.0.0.1", "__topic__": "", "__tag__:__pack_id__": "p-1"}


@pytest.mark.parametrize("way", [{"v4_region": "cn-hangzhou"}, {}])
def test_both_signatures(client, served, way):
    assert Client(served.address, **way).put("spans", group_of([ROW])).status == 200
    wrong = Client(served.address, key=("test-id", "wrong"), **way)
    assert wrong.put("spans", group_of([ROW])).code == "SignatureNotMatch"
    unknown = Client(served.address, key=("nobody", "wrong"), **way)
    assert unknown.put("spans", group_of([ROW])).code == "Unauthorized"
    assert len(client.rows("spans")) == 1


@pytest.mark.parametrize("way", [{"v4_region": "cn-hangzhou"}, {}])
def test_sts_token(client, served, way):
    client.admin("POST", "keys", {"id": "sts", "secret": "s", "token": "t", "expires_in": 60})
    assert Client(served.address, key=("sts", "s"), token="t", **way).get_logs("spans").status == 200
    assert Client(served.address, key=("sts", "s"), **way).get_logs("spans").code == "SecurityTokenInvalid"
    client.admin("POST", "keys", {"id": "sts", "secret": "s", "token": "t", "expires_in": -1})
    late = Client(served.address, key=("sts", "s"), token="t", **way).get_logs("spans")
    assert (late.status, late.code) == (401, "SecurityTokenExpired")


@pytest.mark.parametrize("way", [{"v4_region": "cn-hangzhou"}, {}])
def test_skew(client, served, way):
    client.admin("PUT", "settings", {"clock_offset": 1000})
    client = Client(served.address, **way)
    answer = client.get_logs("spans")
    assert (answer.status, answer.code) == (400, "RequestTimeTooSkewed")
    client.admin("PUT", "settings", {"check_skew": False})
    assert client.get_logs("spans").status == 200


def bad_row(**contents):
    return group_of([{"a": "1"}, contents, {"b": "2"}])


NOW = int(time.time())
TWICE = group_of([{"a": "1"}]).replace(b"\x12\x06\x0a\x01a\x12\x011", b"\x12\x06\x0a\x01a\x12\x011" * 2)


@pytest.mark.parametrize("raw, code", [
    (b"\x0a\x05oops", "PostBodyInvalid"),
    (b"\x0a\x04\x12\x02\x0a\x00", "PostBodyInvalid"),  # No Time, no Value.
    (b"\x1a\x01t", "PostBodyInvalid"),  # No logs.
    (group_of([{"a": b"\xff"}]), "InvalidEncoding"),
    (bad_row(**{"1a": "x"}), "InvalidKey"),
    (bad_row(**{"a" * 129: "x"}), "InvalidKey"),
    (bad_row(__time__="1"), "InvalidKey"),
    (bad_row(a="x" * (1 << 20) + "y"), "PostBodyInvalid"),
    (group_of([{"a": "1"}] * 4097), "PostBodyTooLarge"),
    (group_of([{f"k{key}": "x" * (1 << 20) for key in range(10)}]), "PostBodyTooLarge"),
    (group_of([(NOW, None, {}), (NOW - 7 * 86400 - 60, None, {})]), "PostBodyInvalid"),
    (group_of([(NOW, None, {}), (NOW + 9600, None, {})]), "PostBodyInvalid"),
    (group_of([(NOW, 10**9, {})]), "PostBodyInvalid"),
    (group_of([{}], topic="t" * 129), "PostBodyInvalid"),
])
def test_one_bad_log_refuses_all(client, raw, code):
    answer = client.put("spans", raw, "lz4")
    assert (answer.status, answer.code) == (400, code)
    assert client.rows("spans") == []


def test_key_twice_in_one_log(client):
    raw = TWICE
    length = raw[1] + 8
    raw = raw[:1] + bytes([length]) + raw[2:]
    answer = client.put("spans", raw)
    assert (answer.status, answer.code) == (400, "PostBodyInvalid")
    assert "twice" in answer.json()["errorMessage"]


def test_window_and_its_status_can_be_set(client):
    old = group_of([(NOW - 10 * 86400, None, {"traceID": "old"})])
    client.admin("PUT", "settings", {"window_status": 499})
    assert client.put("spans", old).status == 499
    client.admin("PUT", "settings", {"window_past": 20 * 86400})
    assert client.put("spans", old).status == 200
    assert client.rows("spans", "traceID: old", first=NOW - 11 * 86400)


@pytest.mark.parametrize("headers, status, code", [
    ({"x_log_bodyrawsize": "1"}, 400, "InvalidBodyRawSize"),
    ({"x_log_bodyrawsize": "many"}, 400, "InvalidBodyRawSize"),
    ({"x_log_compresstype": "lz4"}, 400, "PostBodyUncompressError"),
    ({"x_log_compresstype": "zstd"}, 400, "PostBodyUncompressError"),
    ({"x_log_compresstype": "deflate"}, 400, "PostBodyUncompressError"),
    ({"x_log_compresstype": "brotli"}, 400, "InvalidCompressType"),
    ({"content_type": "text/plain"}, 415, "InvalidContentType"),
    ({"content_type": ""}, 400, "MissingContentType"),
    ({"x_log_apiversion": "0.4.0"}, 400, "InvalidAPIVersion"),
    ({"date": "today"}, 400, "InvalidDateFormat"),
])
def test_bad_headers(client, headers, status, code):
    answer = client.put("spans", group_of([ROW]), **headers)
    assert (answer.status, answer.code) == (status, code)


def test_uncompressed_size_must_be_right(client):
    answer = client.put("spans", group_of([ROW]), "lz4", x_log_bodyrawsize="3")
    assert answer.code == "PostBodyUncompressError"


def test_hash_key_chooses_the_shard(client):
    assert client.call("POST", "/logstores", {"logstoreName": "wide", "ttl": 1, "shardCount": 2}).status == 200
    for key, times in (("0" * 32, 1), ("8" + "0" * 31, 2), ("f" * 32, 1)):
        for _ in range(times):
            assert client.put("wide", group_of([ROW]), path=f"/shards/route?key={key}").status == 200
    ends = [client.call("GET", f"/logstores/wide/shards/{shard}?type=cursor&from=end") for shard in (0, 1)]
    pulled = [client.call("GET", f"/logstores/wide/shards/{shard}?type=logs&count=10&cursor="
                          + client.call("GET", f"/logstores/wide/shards/{shard}?type=cursor&from=begin")
                          .json()["cursor"].replace("=", "%3D")) for shard in (0, 1)]
    assert [answer.headers["x-log-count"] for answer in pulled] == ["1", "3"]
    assert [answer.headers["x-log-cursor"] for answer in pulled] == [end.json()["cursor"] for end in ends]
    for wrong in ("/shards/route?key=12", "/shards/route"):
        assert client.put("wide", group_of([ROW]), path=wrong).code == "ParameterInvalid"


def test_missing_project_and_logstore(client, served):
    missing = client.put("nowhere", group_of([ROW]))
    assert (missing.status, missing.code) == (404, "LogStoreNotExist")
    missing = Client(served.address, project="nobody").put("spans", group_of([ROW]))
    assert (missing.status, missing.code) == (404, "ProjectNotExist")
