"""GetLogs v2 and v3 and GetHistograms: windows, order, pages, progress, and what is refused."""

import time
import urllib.parse

import lz4.block
import pytest
import zstandard

from sls_double.client import group_of

NOW = int(time.time()) - 100


@pytest.fixture
def filled(client):
    """250 rows a second apart, two of them in each trace."""
    rows = [(NOW - 250 + number, number, {"traceID": f"t{number // 2}", "service": "SVC-" + "ab"[number % 2],
                                          "duration": str(number)}) for number in range(250)]
    for begin in range(0, 250, 50):
        assert client.put("spans", group_of(rows[begin:begin + 50], {"__pack_id__": f"p-{begin // 50}"}),
                          "lz4").status == 200
    return client


def get_v2(client, **params):
    params = {"type": "log", "from": NOW - 1000, "to": NOW + 1, "topic": "", "line": 1000, "offset": 0,
              "reverse": "false", "query": "*", **params}
    return client.call("GET", "/logstores/spans?" + urllib.parse.urlencode(params))


def test_v2_has_its_meta_in_headers(filled):
    answer = get_v2(filled, query="traceID: t7")
    assert answer.headers["x-log-count"] == "2"
    assert answer.headers["x-log-progress"] == "Complete"
    assert answer.headers["x-log-has-sql"] == "false"
    assert "x-log-bodyrawsize" not in answer.headers
    assert [row["duration"] for row in answer.json()] == ["14", "15"]
    assert all(isinstance(value, str) for row in answer.json() for value in row.values())
    assert answer.json()[0]["__time_ns_part__"] == "14"


def test_v3_is_compressed_as_accepted(filled):
    plain = filled.get_logs("spans", "traceID: t7")
    assert plain.json()["meta"]["progress"] == "Complete"
    assert plain.json()["meta"]["count"] == 2
    assert "x-log-bodyrawsize" not in plain.headers
    for name, unpack in (("lz4", lambda body, size: lz4.block.decompress(body, uncompressed_size=size)),
                         ("zstd", lambda body, size: zstandard.decompress(body))):
        answer = filled.call("POST", "/logstores/spans/logs", {
            "from": NOW - 1000, "to": NOW + 1, "query": "traceID: t7"}, accept_encoding=name)
        assert answer.headers["x-log-compresstype"] == name
        size = int(answer.headers["x-log-bodyrawsize"])
        raw = unpack(answer.body, size)
        assert len(raw) == size
        answer.body = raw
        assert answer.json()["data"] == plain.json()["data"]


def test_a_page_has_at_most_100_rows(filled):
    assert get_v2(filled).headers["x-log-count"] == "100"
    seen = []
    while page := filled.rows("spans", first=NOW - 1000, line=1000, offset=len(seen)):
        seen += [int(row["duration"]) for row in page]
    assert seen == list(range(250))
    backwards = filled.rows("spans", first=NOW - 1000, reverse=True, line=3)
    assert [row["duration"] for row in backwards] == ["249", "248", "247"]


def test_the_window_is_half_open(filled):
    rows = filled.rows("spans", first=NOW - 250, last=NOW - 247)
    assert [row["duration"] for row in rows] == ["0", "1", "2"]
    rows = filled.rows("spans", first=NOW - 250, last=NOW - 248, fromNs=1, toNs=3)
    assert [row["duration"] for row in rows] == ["1", "2"]


@pytest.mark.parametrize("first, last", [(NOW, NOW), (NOW, NOW - 1)])
def test_empty_window(filled, first, last):
    answer = filled.get_logs("spans", first=first, last=last)
    assert (answer.status, answer.code) == (400, "InvalidTimeRange")


def test_topic(client):
    client.put("spans", group_of([{"name": "a"}], topic="cold"))
    client.put("spans", group_of([{"name": "b"}]))
    assert [row["name"] for row in client.rows("spans", topic="cold")] == ["a"]
    assert len(client.rows("spans", topic="")) == 2


def histogram(client, query="*", **params):
    params = {"type": "histogram", "from": NOW - 250, "to": NOW, "query": query, "topic": "", **params}
    return client.call("GET", "/logstores/spans?" + urllib.parse.urlencode(params))


def test_histogram_adds_up(filled):
    for query, count in (("*", 250), ("service: svc-a", 125), ("__tag__:__pack_id__: p-3", 50),
                         ("duration < 10", 10), ("traceID: absent", 0)):
        answer = histogram(filled, query)
        assert (answer.headers["x-log-count"], answer.headers["x-log-progress"]) == (str(count), "Complete")
        buckets = answer.json()
        assert sum(bucket["count"] for bucket in buckets) == count
        assert (buckets[0]["from"], buckets[-1]["to"]) == (NOW - 250, NOW)
        assert all(left["to"] == right["from"] for left, right in zip(buckets, buckets[1:]))
    buckets = histogram(filled, interval=60).json()
    assert [bucket["count"] for bucket in buckets] == [bucket["to"] - bucket["from"] for bucket in buckets]
    assert histogram(filled, "* | select count(*)").code == "ParameterInvalid"


def test_sql_pages_by_limit(filled):
    rows = filled.rows("spans", "service: svc-a | select traceid, duration from log where duration >= 100", line=0)
    assert len(rows) == 75
    assert rows[0] == {"traceid": "t50", "duration": "100"}
    assert len(filled.rows("spans", "* | select traceid")) == 100
    assert len(filled.rows("spans", "* | select traceid limit 240")) == 240
    assert filled.rows("spans", "* | select duration limit 240, 2") == [{"duration": "240"}, {"duration": "241"}]
    assert "offset is not available" in filled.get_logs("spans", "* | select 1", offset=1).json()["errorMessage"]
    answer = get_v2(filled, query="* | select count(*) as c")
    assert (answer.json(), answer.headers["x-log-has-sql"]) == ([{"c": "250"}], "true")


def test_a_store_without_an_index_is_not_searched(client):
    client.call("POST", "/logstores", {"logstoreName": "bare", "ttl": 1, "shardCount": 1})
    client.put("bare", group_of([{"traceID": "before"}]))
    assert client.get_logs("bare").code == "IndexConfigNotExist"
    client.call("POST", "/logstores/bare/index", {"keys": {"traceID": {"type": "text", "token": []}}})
    client.put("bare", group_of([{"traceID": "after"}]))
    assert [row["traceID"] for row in client.rows("bare")] == ["after"]
    # Rows are found by the index that they were written under.
    client.call("PUT", "/logstores/bare/index", {"keys": {
        "traceID": {"type": "text", "token": []}, "name": {"type": "text", "token": [" "]}}})
    client.put("bare", group_of([{"traceID": "after", "name": "new one"}]))
    assert len(client.rows("bare", "traceID: after")) == 2
    assert len(client.rows("bare", "name: new")) == 1
    assert len(client.rows("bare", "not name: new")) == 1
    client.call("DELETE", "/logstores/bare/index")
    assert client.get_logs("bare").code == "IndexConfigNotExist"


def test_query_mode_refuses_sql(client):
    client.call("POST", "/logstores", {"logstoreName": "query-only", "ttl": 1, "shardCount": 1, "mode": "query"})
    client.call("POST", "/logstores/query-only/index", {"line": {"token": [" "]}})
    client.put("query-only", group_of([{"a": "some words"}]))
    assert len(client.rows("query-only", "words")) == 1
    assert client.get_logs("query-only", "* | select a").code == "ParameterInvalid"


def test_index_delay(client):
    client.admin("PUT", "settings", {"index_delay": 60})
    client.put("spans", group_of([{"traceID": "late"}]))
    assert client.rows("spans") == []
    client.admin("PUT", "settings", {"clock_offset": 61})
    assert len(client.rows("spans", last=NOW + 300)) == 1


def test_time_to_live(client, served):
    client.call("POST", "/logstores", {"logstoreName": "short", "ttl": 1, "shardCount": 1})
    client.call("POST", "/logstores/short/index", {"line": {"token": [" "]}})
    client.put("short", group_of([(NOW - 90000, None, {"a": "old"}), (NOW, None, {"a": "new"})]))
    assert [row["a"] for row in client.rows("short", first=NOW - 100000)] == ["new"]
    client.admin("PUT", "settings", {"clock_offset": 90000, "check_skew": False})
    assert client.rows("short", first=NOW - 100000) == []
    logstore = served.double.catalog.logstore("larder", "short")["id"]
    assert served.double.log_rows.drop_expired(logstore, 86400) == 1
