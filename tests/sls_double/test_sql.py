"""The SQL subset, over rows without a store."""

import pytest

from sls_double import sql_grammar, sql_run
from sls_double.errors import SlsError
from sls_double.index_config import IndexConfig

TEXT = {"type": "text", "token": [], "doc_value": True}
INDEX = IndexConfig({"max_text_len": 64, "keys": {
    "service": TEXT, "traceID": TEXT, "name": TEXT, "otlp.name": TEXT, "failed": TEXT,
    "duration": {"type": "long", "doc_value": True}, "load": {"type": "double", "doc_value": True},
    "hidden": {**TEXT, "doc_value": False},
    "attribute": {"type": "json", "token": [], "doc_value": True, "index_all": True}}})
ROWS = [
    {"service": "a", "traceID": "1", "name": "GET /x", "duration": "10", "failed": "1", "load": "0.5", "otlp.name": "l"},
    {"service": "b", "traceID": "1", "name": "GET /y", "duration": "20", "failed": "2", "load": "1.5"},
    {"service": "a", "traceID": "2", "name": "POST_1", "duration": "9", "failed": "3", "attribute": '{"k.v": "w"}'},
    {"service": "a", "traceID": "3", "duration": "30", "failed": "4", "hidden": "h"},
]
for place, row in enumerate(ROWS):
    row |= {"__time__": str(1000 + place), "__source__": "s", "__topic__": ""}


def run(sql):
    return sql_run.run(sql_grammar.parse(sql), ROWS, INDEX)[1]


@pytest.mark.parametrize("sql, values", [
    ("select DISTINCT service", [("a",), ("b",)]),
    ("SELECT distinct(service) FROM log", [("a",), ("b",)]),
    ("select traceid from log where 1=1  and duration >= 10 and duration <= 20", [("1",), ("1",)]),
    ("select traceid from log where duration >= 9 group by traceid limit 2", [("1",), ("2",)]),
    ("select traceid group by traceid limit 1, 1", [("2",)]), ("select traceid limit 0", []),
    ("select traceid where name like 'GET /x'", [("1",)]), ("select traceid where name like 'GET%'", [("1",), ("1",)]),
    ("select traceid where name like 'POST_1'", [("2",)]), ("select traceid where name like 'get%'", []),
    ("select traceid where name not like '%/%'", [("2",)]),
    ("select service, sum(failed + duration) as count from log group by service", [("a", "57.0"), ("b", "22.0")]),
    ("select sum(duration), sum(load) from log", [("69", "2.0")]),
    ("select count(*), count(name), count(distinct service), min(duration), max(duration), avg(duration)",
     [("4", "3", "2", "9", "30", "17.25")]),
    ("select service, count(*) as c group by service order by c desc", [("a", "3"), ("b", "1")]),
    ("select duration order by duration desc limit 2", [("30",), ("20",)]),
    ('select "otlp.name" from log limit 2', [("l",), ("null",)]),
    ("select name where name is null", [("null",)]), ("select duration where name is not null limit 1", [("10",)]),
    ("select duration where service in ('b', 'c') or duration between 25 and 35", [("20",), ("30",)]),
    ("select duration where not service = 'a'", [("20",)]), ("select duration where duration <> 9 and (1 = 1)", [("10",), ("20",), ("30",)]),
    ("select traceid where \"attribute.k.v\" = 'w'", [("2",)]), ("select __time__ + 1 limit 1", [("1001",)]),
    ("select 7 / 2 as a, -1 * 2 as b limit 1", [("3", "-2")]),
    ("select count(*) where service = 'zz'", [("0",)]), ("select sum(duration) where service = 'zz'", [("null",)]),
    ("select service where service = 'it''s'", []),
])
def test_values(sql, values):
    assert [tuple(row.values()) for row in run(sql)] == values


def test_names_of_columns():
    assert run("select traceID, \"otlp.name\", duration as Took, count(*) group by traceid, \"otlp.name\", duration limit 1")[0].keys() \
        == {"traceid", "otlp.name", "took", "_col3"}
    everything = run("select * from log where 1=1 ")
    assert everything[0]["traceid"] == "1"
    assert everything[0]["otlp.name"] == "l"
    assert everything[1]["otlp.name"] == "null"
    assert "hidden" not in everything[3]


def test_long_values_are_cut():
    row = ROWS[0] | {"name": "x" * 100}
    assert sql_run.run(sql_grammar.parse("select name"), [row], INDEX)[1] == [{"name": "x" * 64}]


@pytest.mark.parametrize("sql", [
    "select", "selekt a", "select name from other", "select name where", "select name limit x", "select name limit 1.5",
    "select name; drop", "select unknown", "select hidden", "select name, count(*)", "select upper(name)", "select 'open",
    "select name where name not 3", "select name limit 1000001", "select sum(name)", "insert into log"])
def test_what_is_not_known_is_said(sql):
    with pytest.raises(SlsError) as error:
        run(sql)
    assert (error.value.status, error.value.code) == (400, "ParameterInvalid")
