"""The search grammar and its meaning, over an index of spans, without a socket."""

import json

import pytest

from sls_double.errors import SlsError
from sls_double.index_config import IndexConfig
from sls_double.queries import split_query
from sls_double.search import Search
from sls_double.search_grammar import And, Not, Or, Term, parse
from sls_double.trace_index import DELIMITERS, TRACE_INDEX

INDEX = IndexConfig(TRACE_INDEX)
ROW = {
    "traceID": "0000000000000abc", "service": "SVC-a", "name": "GET /Users/list", "kind": "server",
    "duration": "1500", "statusMessage": "", "otlp.name": "lib.http",
    "attribute": json.dumps({"http.method": "GET", "retry": 3, "ok": True, "deep": {"er": "x y"},
                             "list": ["a"], "none": None, "url": "http://h/p"}),
    "resource": "not json", "__source__": "host-1", "__topic__": "", "__tag__:__pack_id__": "part:7-1",
}


@pytest.mark.parametrize("query, found", [
    ("", True), ("*", True), ("not *", False),
    ("traceID: 0000000000000abc", True), ("traceID: 0000000000000ABC", True), ("traceID: abc", False),
    ('traceID: "0000000000000abc"', True), ("traceID:0000000000000abc", True),
    # Words of a value, in any case and order; - and . and _ are part of a word.
    ("service: svc-a", True), ("service: svc", False), ("name: users", True), ("name: get", True),
    ('name: "list get"', True), ("name: GET /Users", True), ("name: GET /absent", False), ('name: "GET /Users"', True),
    ("name: us*", True), ("name: us?rs", True), ("name: xs*", False), ('name: "us*"', False),
    ("otlp.name: lib.http", True),
    # Operators.
    ("service: svc-a and kind: server", True), ("service: svc-a and kind: client", False),
    ("service: svc-a kind: server", True), ("kind: client or service: svc-a", True),
    ("not kind: client", True), ("service: svc-a not kind: client", True),
    ("service: svc-a and not kind: server", False), ("(kind: client or kind: server) and name: get", True),
    ("kind: client or kind: server and name: absent", False), ("* AND service: svc-a", True),
    ("not kind: client and kind: server", True), ("service: svc-a and not kind: client and name: get", True),
    # There or not.
    ("kind: *", True), ("host: *", False), ('statusMessage: ""', True), ('kind: ""', False),
    # Numbers.
    ("duration > 1499", True), ("duration>1500", False), ("duration >= 1500", True), ("duration < 1500", False),
    ("duration <= 1500", True), ("duration = 1500", True), ("duration: 1500", True), ("duration: 15", False),
    ("duration in [1500 1600]", True), ("duration in (1500 1600]", False), ("duration in [1 1500)", False),
    ("duration in [1, 1500]", True), ("flags > 0", False),
    # JSON: a flat key, a nested path, numbers and booleans as words; no lists, no nulls.
    ("attribute.http.method: get", True), ("attribute.http.method: post", False), ("attribute.retry: 3", True),
    ("attribute.ok: true", True), ("attribute.deep.er: y", True), ("attribute.list: a", False),
    ("attribute.none: *", False), ("attribute.absent: x", False), ("resource.any: x", False),
    ('attribute.url: "http://h/p"', True), ('attribute.url: "h"', True),
    # What is about the group.
    ("__tag__:__pack_id__: part:7-1", None), ('__tag__:__pack_id__: "part:7-1"', True),
    ("__tag__:__pack_id__: part", False), ("__source__: host-1", True), ("source: host-1", True),
    # Words without a field look into every text field.
    ("users", True), ("svc-a", True), ('"svc-a users"', False), ("1500", False),
    # What is no query, or not of this index.
    ("absent: x", None), ("service:", None), ("and kind: server", None), ("kind: server or", None), ('"and" kind: server', False), ("(kind: server", None), ("kind: server)", None),
    ("service > 3", None), ("duration > x", None), ("attribute.url: http://h/p", None), ('"open', None),
    ("duration in [1 2", None), (" or ".join(["kind: a"] * 31), None), (" or ".join(["kind: a"] * 30), False),
])
def test_search(query, found):
    try:
        search = Search(parse(query), INDEX)
    except SlsError as error:
        assert (found, error.status, error.code) == (None, 400, "ParameterInvalid"), error.message
        return
    assert search.matches(ROW) is found

    # Postings never lose a row, and when they claim to be exact they are.
    terms = {term for key, value in ROW.items() for term in INDEX.terms_of(key, value)}
    candidates = search.candidates(lambda *term: {1} if term in terms else set())
    may_match = candidates.rows is None or 1 in candidates.rows
    assert may_match or not found
    assert not candidates.exact or may_match is found


def test_binding():
    a, b, c = (Term(None, name) for name in "abc")
    assert parse("a or b and c") == Or((a, And((b, c))))
    assert parse("not a and b") == Not(And((a, b)))
    assert parse("a and not b and c") == And((a, Not(b), c))
    assert parse("a not b") == And((a, Not(b)))
    assert parse("(a or b) c") == And((Or((a, b)), c))


def test_line_index():
    index = IndexConfig({"line": {"token": DELIMITERS, "exclude_keys": ["otlp.raw"]}})
    row = {"any": "two words", "otlp.raw": "secret", "__tag__:t": "tagged", "__source__": "here"}
    terms = {term for key, value in row.items() for term in index.terms_of(key, value)}
    for query, found in (("words", True), ("secret", False), ("tagged", False), ("here", False),
                         ("two words", True), ("wor*", True)):
        search = Search(parse(query), index)
        candidates = search.candidates(lambda *term: {1} if term in terms else set())
        assert search.matches(row) is found
        assert not candidates.exact or candidates.rows == ({1} if found else set())


@pytest.mark.parametrize("query, parts", [
    ("* | select a", ("*", "select a")), ("* and a: b", ("* and a: b", "")),
    ('a: "x|y" | select "b|c" from log', ('a: "x|y"', 'select "b|c" from log')), ("|select 1", ("", "select 1")),
    ("a | select 'x' | y", ("a", "select 'x' | y"))])
def test_split(query, parts):
    assert split_query(query) == parts


@pytest.mark.parametrize("config", [
    {}, {"keys": {"a": {"type": "text"}}}, {"keys": {"a": {"type": "int"}}},
    {"keys": {"a": {"type": "long", "token": [","]}}}, {"keys": {"a": {"type": "long"}}, "max_text_len": 3},
    {"line": {"token": [","], "include_keys": ["a"], "exclude_keys": ["b"]}}])
def test_bad_indexes(client, config):
    assert client.call("PUT", "/logstores/spans/index", config).status == 400
