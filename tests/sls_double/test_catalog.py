"""Projects, logstores, indexes, shards and cursors, and what is kept across a restart."""

import time
import urllib.parse

import lz4.block
import pytest

from sls_double import log_group
from sls_double.client import Client, group_of
from sls_double.conftest import Served
from sls_double.trace_index import TRACE_INDEX


def create(client, **config):
    return client.call("POST", "/logstores", {"logstoreName": "extra", "ttl": 30, "shardCount": 2, **config})


def test_logstores(client):
    answer = create(client, autoSplit=True, maxSplitShard=16, hot_ttl=7)
    assert (answer.status, answer.body) == (200, b"")
    again = create(client)
    assert (again.status, again.code) == (400, "LogStoreAlreadyExist")
    config = client.call("GET", "/logstores/extra").json()
    assert (config["logstoreName"], config["ttl"], config["mode"], config["maxSplitShard"]) == (
        "extra", 30, "standard", 16)
    assert abs(config["createTime"] - time.time()) < 60
    assert client.call("GET", "/logstores?offset=&size=&logstoreName=").json() == {
        "count": 2, "total": 2, "logstores": ["extra", "spans"]}
    assert client.call("GET", "/logstores?offset=1&size=1").json()["logstores"] == ["spans"]
    assert client.call("PUT", "/logstores/extra", {"logstoreName": "extra", "ttl": 90, "shardCount": 2}).status == 200
    assert client.call("GET", "/logstores/extra").json()["ttl"] == 90
    assert "shardCount" in client.call("PUT", "/logstores/extra", {"ttl": 90, "shardCount": 3}).json()["errorMessage"]
    assert client.call("PUT", "/logstores/extra", {"ttl": 90, "mode": "query"}).code == "ParameterInvalid"
    assert client.call("DELETE", "/logstores/extra").status == 200
    for method, path in (("GET", ""), ("PUT", ""), ("DELETE", ""), ("GET", "/index"), ("GET", "/shards")):
        answer = client.call(method, "/logstores/extra" + path, {} if method == "PUT" else b"")
        assert (answer.status, answer.code) == (404, "LogStoreNotExist")


@pytest.mark.parametrize("config", [
    {"logstoreName": "Up"}, {"logstoreName": "-ab"}, {"ttl": 0}, {"ttl": 3651}, {"ttl": "30"}, {"shardCount": 0},
    {"shardCount": 101}, {"autoSplit": True}, {"mode": "odd"}, {"hot_ttl": 30}])
def test_bad_logstores(client, config):
    answer = create(client, **config)
    assert (answer.status, answer.code) == (400, "ParameterInvalid")


def test_bodies_that_are_no_json(client):
    for body in (b"{", b"[]"):
        assert client.call("POST", "/logstores", body, content_type="application/json").code == "PostBodyInvalid"


def test_indexes(client):
    create(client)
    assert client.call("GET", "/logstores/extra/index").code == "IndexConfigNotExist"
    assert client.call("POST", "/logstores/extra/index", TRACE_INDEX).status == 200
    assert client.call("POST", "/logstores/extra/index", TRACE_INDEX).code == "IndexAlreadyExist"
    index = client.call("GET", "/logstores/extra/index").json()
    assert index["keys"] == TRACE_INDEX["keys"]
    assert (index["max_text_len"], index["storage"], index["ttl"]) == (16384, "pg", 30)
    assert client.call("PUT", "/logstores/extra/index", {"line": {"token": [","]}}).status == 200
    assert "keys" not in client.call("GET", "/logstores/extra/index").json()
    assert client.call("DELETE", "/logstores/extra/index").status == 200
    assert client.call("DELETE", "/logstores/extra/index").code == "IndexConfigNotExist"


def test_projects(client, served):
    anyone = Client(served.address, project="")
    assert anyone.call("POST", "/", {"projectName": "second", "description": "d"}).status == 200
    assert anyone.call("POST", "/", {"projectName": "second"}).code == "ProjectAlreadyExist"
    assert [each["projectName"] for each in anyone.call("GET", "/").json()["projects"]] == ["larder", "second"]
    second = Client(served.address, project="second")
    assert second.call("GET", "/").json()["description"] == "d"
    create(second)
    assert second.call("DELETE", "/").status == 200
    assert second.call("GET", "/logstores").code == "ProjectNotExist"


def cursor(client, shard, moment, store="spans"):
    answer = client.call("GET", f"/logstores/{store}/shards/{shard}?type=cursor&from={moment}")
    return answer.json()["cursor"]


def pull(client, shard, at, method="GET", store="spans", **more):
    query = urllib.parse.urlencode({"type": "logs", "cursor": at, **more})
    return client.call(method, f"/logstores/{store}/shards/{shard}?{query}", accept_encoding="lz4")


def test_pull(client):
    sent = [group_of([{"name": str(number)}], {"__pack_id__": f"p-{number}"}) for number in range(5)]
    for raw in sent:
        client.put("spans", raw, "lz4")
    at, got = cursor(client, 0, "begin"), []
    while True:
        answer = pull(client, 0, at, count=2)
        if answer.headers["x-log-cursor"] == at:
            break
        at, size = answer.headers["x-log-cursor"], int(answer.headers["x-log-bodyrawsize"])
        raw = lz4.block.decompress(answer.body, uncompressed_size=size)
        groups = log_group.LogGroupList.FromString(raw).LogGroups
        assert len(groups) == int(answer.headers["x-log-count"])
        got += [group.SerializeToString() for group in groups]
    assert got == sent
    assert (answer.headers["x-log-bodyrawsize"], answer.headers["x-log-count"], answer.body) == ("0", "0", b"")
    assert at == cursor(client, 0, "end") == cursor(client, 0, int(time.time()) + 60)
    assert cursor(client, 0, int(time.time()) - 60) == cursor(client, 0, "begin")

    answer = pull(client, 0, cursor(client, 0, "begin"), "HEAD", count=3)
    assert (answer.headers["x-log-count"], answer.body) == ("3", b"")
    end = answer.headers["x-log-cursor"]
    assert pull(client, 0, cursor(client, 0, "begin"), count=100, end_cursor=end).headers["x-log-count"] == "3"
    answer = client.call("GET", f"/logstores/spans/shards/0?type=cursor_time&cursor={urllib.parse.quote(end)}")
    assert abs(answer.json()["cursor_time"] - time.time()) < 60

    assert pull(client, 0, "nonsense", count=1).code == "InvalidCursor"
    assert pull(client, 9, end, count=1).code == "ShardNotExist"
    assert pull(client, 0, end, count=1001).code == "ParameterInvalid"


def test_split_and_merge(client):
    (whole,) = client.call("GET", "/logstores/spans/shards").json()
    assert (whole["shardID"], whole["status"]) == (0, "readwrite")
    assert (whole["inclusiveBeginKey"], whole["exclusiveEndKey"]) == ("0" * 32, "f" * 32)
    client.put("spans", group_of([{"name": "before"}]))
    split = client.call("POST", "/logstores/spans/shards/0?action=split&key=4" + "0" * 31).json()
    assert [(each["shardID"], each["status"]) for each in split] == [
        (0, "readonly"), (1, "readwrite"), (2, "readwrite")]
    assert split[1]["exclusiveEndKey"] == split[2]["inclusiveBeginKey"] == "4" + "0" * 31
    assert client.call("POST", "/logstores/spans/shards/0?action=split").code == "ParameterInvalid"
    client.put("spans", group_of([{"name": "after"}]), path="/shards/route?key=" + "5" + "0" * 31)
    counts = [pull(client, shard, cursor(client, shard, "begin"), count=9).headers["x-log-count"]
              for shard in range(3)]
    assert counts == ["1", "0", "1"]
    merged = client.call("POST", "/logstores/spans/shards/1?action=merge").json()
    assert [(each["shardID"], each["status"]) for each in merged] == [
        (1, "readonly"), (2, "readonly"), (3, "readwrite")]
    assert merged[2]["exclusiveEndKey"] == "f" * 32
    assert len(client.rows("spans")) == 2


def test_all_is_there_after_a_restart(tmp_path):
    first = Served(tmp_path / "data")
    first.double.catalog.create_project("larder")
    client = Client(first.address)
    assert create(client).status == 200
    assert client.call("POST", "/logstores/extra/index", TRACE_INDEX).status == 200
    assert client.put("extra", group_of([{"traceID": "abc"}])).status == 200
    first.close()
    second = Served(tmp_path / "data")
    client = Client(second.address)
    assert [row["traceID"] for row in client.rows("extra", "traceID: abc")] == ["abc"]
    assert client.put("extra", group_of([{"traceID": "abc"}])).status == 200
    assert len(client.rows("extra", "traceID: abc")) == 2
    second.close()
