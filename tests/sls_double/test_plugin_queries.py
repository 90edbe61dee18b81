"""aliyun-log-jaeger's questions, word by word as it sends them, over rows of the hybrid layout: rows
made by the layout's page, and those of the tier's own writer."""

import json
import time
import urllib.parse

import pytest

from sls_double import larder_rows
from sls_double.client import group_of
from sls_double.hybrid_rows import row_of

NOW = int(time.time()) - 600
SHORT, LONG = "0000000000000abc", "5b8efff798038103d269b633813fc60c"
SPANS = [
    {"traceID": SHORT, "spanID": "000000000000000a", "name": "GET /x", "service": "svc-a", "kind": "server",
     "duration_us": 1500, "attributes": {"http.method": "GET", "note": "<a & b>"}},
    {"traceID": SHORT, "spanID": "000000000000000b", "parent": "000000000000000a", "name": "select", "service": "svc-b",
     "kind": "client", "duration_us": 700, "attributes": {"db.system": "mysql"}, "status": "error", "message": "gone",
     "events": [("retry", (NOW + 1) * 10**9 + 7, {"n": "1"})], "links": [(LONG, "000000000000000c")]},
    {"traceID": LONG, "spanID": "000000000000000c", "name": "GET /y", "service": "svc-a", "kind": "server",
     "duration_us": 2_000_000, "attributes": {"http.method": "GET"}},
    {"traceID": LONG, "spanID": "000000000000000d", "parent": "000000000000000c", "name": "POST /x", "service": "svc-a",
     "kind": "client", "duration_us": 900, "attributes": {"http.method": "POST"}},
]
for place, span in enumerate(SPANS):
    span["start_ns"] = (NOW + place) * 10**9 + 123_456_789
DEPENDENCIES = [
    {"version": "service_name", "parent_service": "svc-a", "child_service": "svc-b", "n_status_fail": "1", "n_status_succ": "4"},
    {"version": "service_name", "parent_service": "svc-a", "child_service": "svc-b", "n_status_fail": "0", "n_status_succ": "7"},
    {"version": "service_name", "parent_service": "None", "child_service": "svc-a", "n_status_fail": "0", "n_status_succ": "2"},
    {"version": "service", "parent_service": "svc-a", "child_service": "svc-b", "n_status_fail": "9", "n_status_succ": "9"},
]
NUMBER = {"type": "double", "doc_value": True}
WORD = {"type": "text", "token": [], "doc_value": True}


WRITERS = {"page": lambda spans: [group_of(map(row_of, spans), {"__pack_id__": "part-0"})],
           "larder": larder_rows.groups_of}


@pytest.fixture(params=WRITERS)
def instance(client, request):
    """The logstore `spans` as -traces, and one as -traces-deps."""
    for group in WRITERS[request.param](SPANS):
        assert client.put("spans", group, "lz4").status == 200
    client.call("POST", "/logstores", {"logstoreName": "deps", "ttl": 30, "shardCount": 1})
    client.call("POST", "/logstores/deps/index", {"keys": {
        **dict.fromkeys(("version", "parent_service", "child_service"), WORD),
        **dict.fromkeys(("n_status_fail", "n_status_succ"), NUMBER)}})
    assert client.put("deps", group_of([(NOW, None, row) for row in DEPENDENCIES])).status == 200
    return client


def ask(client, query, store="spans", first=NOW - 3600, last=NOW + 600):
    """GetLogs as the plugin's SDK sends it; what it would panic on is asserted."""
    params = {"type": "log", "from": first, "line": 1000, "offset": 0, "query": query, "reverse": "false",
              "to": last, "topic": ""}
    answer = client.call("GET", f"/logstores/{store}?{urllib.parse.urlencode(params)}", accept="application/json")
    assert answer.status == 200, answer.body
    rows = answer.json()
    assert int(answer.headers["x-log-count"]) == len(rows)
    assert answer.headers["x-log-progress"] == "Complete"
    assert all(type(value) is str for row in rows for value in row.values())
    return rows


STEP_1 = "* and {} | select traceid from log where 1=1 {} group by traceid limit {}"


@pytest.mark.parametrize("query, column, values", [
    ("* | select DISTINCT service", "service", ["svc-a", "svc-b"]),
    ("* and kind: server and service: svc-a |  select * from log where 1=1 ", "name", ["GET /x", "GET /y"]),
    ("* and service: svc-a |  select * from log where 1=1 ", "kind", ["server", "server", "client"]),
    ("* |  select * from log where 1=1 ", "spanid", [span["spanID"] for span in SPANS]),
    (STEP_1.format("attribute.http.method: GET and service: svc-a",
                   " and duration >= 1000 and duration <= 1000000 and name like 'GET /x'", 20), "traceid", [SHORT]),
    (STEP_1.format("service: svc-a and attribute.http.method: GET", "", 20), "traceid", [SHORT, LONG]),
    (STEP_1.format("service: svc-a", "", 1), "traceid", [SHORT]),
    (STEP_1.format("service: svc-a", "", 0), "traceid", []),
    (STEP_1.format("service: svc-a", " and duration >= 2000000", 20), "traceid", [LONG]),
    (STEP_1.format("service: svc-a", " and name like '%/x'", 20), "traceid", [SHORT, LONG]),
    (STEP_1.format("attribute.error: true", "", 20), "traceid", [SHORT]),
    (STEP_1.format("attribute.span.kind: client and service: svc-b", "", 20), "traceid", [SHORT]),
    (STEP_1.format("attribute.otel.status_code: ERROR", "", 20), "traceid", [SHORT]),
    (STEP_1.format("attribute.http.method: PUT", "", 20), "traceid", []),
    ("* | select traceid from log where 1=1  and duration <= 800 group by traceid limit 20", "traceid", [SHORT]),
    (f"traceID: {SHORT}", "spanID", ["000000000000000a", "000000000000000b"]),
    (f"traceID: {LONG}", "spanID", ["000000000000000c", "000000000000000d"]),
    # As the older reader of its master branch quotes it, and as our cold reader asks for both spellings.
    (f'traceID: "{SHORT}"', "spanID", ["000000000000000a", "000000000000000b"]),
    (f'traceID: "{SHORT}" or traceID: "{SHORT.zfill(32)}"', "spanID", ["000000000000000a", "000000000000000b"]),
    ("traceID: 0000000000000abd", "spanID", []),
])
def test_question(instance, query, column, values):
    assert [row[column] for row in ask(instance, query)] == values


def test_window_is_on_the_start(instance):
    rows = ask(instance, f"traceID: {SHORT}", first=NOW + 1, last=NOW + 2)
    assert [row["spanID"] for row in rows] == ["000000000000000b"]


def test_dependencies(instance):
    rows = ask(instance, "* and version: service_name | SELECT  parent_service, child_service , "
               "sum(n_status_fail + n_status_succ) as count from log group by parent_service, child_service", "deps")
    assert rows == [{"parent_service": "svc-a", "child_service": "svc-b", "count": "12.0"},
                    {"parent_service": "None", "child_service": "svc-a", "count": "2.0"}]


def test_a_row_is_one_that_the_plugin_can_read(instance):
    """It drops a span, or its tags, when a column is not just so."""
    for row, span in zip(ask(instance, "*"), SPANS):
        assert 1 <= len(row["traceID"]) <= 32 and 1 <= len(row["spanID"]) <= 16
        assert int(row["end"]) - int(row["start"]) == int(row["duration"]) == span["duration_us"]
        assert int(row["flags"]) == 1
        assert (int(row["__time__"]), row["__time_ns_part__"]) == (int(row["start"]) // 10**6, "123456789")
        for column in ("attribute", "resource"):
            assert all(type(value) is str for value in json.loads(row[column]).values())
        links = json.loads(row["links"])
        assert all(type(value) is str for link in links for value in link.values())
        assert [link["SpanID"] for link in links if link["RefType"] == "CHILD_OF"] == (
            [span["parent"]] if "parent" in span else [])
        for log in json.loads(row["logs"]):
            assert type(log["time"]) is int
            assert all(type(value) is str for value in log["attribute"].values())
    attributes = json.loads(ask(instance, "name: select")[0]["attribute"])
    assert (attributes["span.kind"], attributes["error"], attributes["otel.status_description"]) == (
        "client", "true", "gone")


def test_the_payload_comes_back_whole_by_search_and_cut_by_sql(client):
    payload = bytes(range(256)) * 400
    row = row_of(SPANS[0], payload)
    index = client.call("GET", "/logstores/spans/index").json()
    index["keys"]["otlp.raw"] = {"type": "text", "token": [], "doc_value": True}
    assert client.call("PUT", "/logstores/spans/index", {"keys": index["keys"], "max_text_len": 64}).status == 200
    client.put("spans", group_of([row]), "zstd")
    assert ask(client, f"traceID: {SHORT}")[0]["otlp.raw"] == row[2]["otlp.raw"]
    assert ask(client, '* | select "otlp.raw" from log') == [{"otlp.raw": row[2]["otlp.raw"][:64]}]
