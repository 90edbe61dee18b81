"""GetLogs and GetHistograms: `search | SQL` over a window of log times."""

import dataclasses
import re

from sls_double import search_grammar, sql_grammar, sql_run
from sls_double.errors import SlsError, parameter_invalid
from sls_double.log_rows import GROUP_ROWS
from sls_double.search import Search
from sls_double.settings import DAY

LINES_MAX = 100  # Of one answer to a search; more is silently cut.
_BUCKETS = 60  # Of a histogram whose interval is not given.
_VERIFIED_AT_ONCE = 200


@dataclasses.dataclass
class Ask:
    """One GetLogs or GetHistograms; times in unix seconds, `first` included, `last` not."""

    first: int
    last: int
    query: str = "*"
    topic: str = ""
    line: int = LINES_MAX
    offset: int = 0
    reverse: bool = False
    first_ns: int = 0
    last_ns: int = 0


@dataclasses.dataclass
class Answer:
    rows: list
    search: str  # The two parts of the query.
    sql: str
    columns: list
    processed_rows: int


class Queries:
    def __init__(self, catalog, log_rows, settings):
        self._catalog = catalog
        self._log_rows = log_rows
        self._settings = settings

    def logs(self, project, name, ask):
        logstore = self._logstore(project, name, ask)
        search, sql = split_query(ask.query)
        if not sql:
            found = self._found(logstore, search, ask)
            ids = [row_id for row_id, _ in _page(found, ask.offset, min(ask.line, LINES_MAX))]
            return Answer(list(self._log_rows.read(ids)), search, "", [], len(ids))
        if logstore["config"]["mode"] == "query":
            raise parameter_invalid(f"logstore {name} is in query mode, which has no SQL")
        if ask.offset:
            raise parameter_invalid("offset is not available for pagination in sql query, please use limit x,y")
        select = sql_grammar.parse(sql)
        ids = [row_id for row_id, _ in self._found(logstore, search, ask)]
        columns, rows = sql_run.run(select, self._log_rows.read(ids),
                                    self._catalog.index(logstore["index_version"]))
        return Answer(rows, search, sql, columns, len(ids))

    def histograms(self, project, name, ask, interval=0):
        """[(from, to, count)] over the window; `interval` 0: one that gives about 60."""
        logstore = self._logstore(project, name, ask)
        search, sql = split_query(ask.query)
        if sql:
            raise parameter_invalid("a histogram is of a search alone, without SQL")
        interval = interval or max(1, (ask.last - ask.first) // _BUCKETS)
        edges = [ask.first, *range((ask.first // interval + 1) * interval, ask.last, interval), ask.last]
        counts = [0] * (len(edges) - 1)
        for _, time in self._found(logstore, search, ask):
            counts[time // interval - ask.first // interval] += 1
        return list(zip(edges, edges[1:], counts))

    def _logstore(self, project, name, ask):
        logstore = self._catalog.searchable(project, name)
        if ask.first >= ask.last:
            raise SlsError(400, "InvalidTimeRange", f"time range [{ask.first}, {ask.last}) is empty")
        if ask.line < 0 or ask.offset < 0:
            raise parameter_invalid("line and offset must not be negative")
        return logstore

    def _found(self, logstore, text, ask):
        """Yields (row id, time) of what matches, in the order asked for."""
        tree = search_grammar.parse(text)
        if ask.topic:
            tree = search_grammar.And((tree, search_grammar.Term("__topic__", ask.topic, quoted=True)))
        groups = self._log_rows.visible_groups(logstore["id"])
        searches = self._searches(tree, logstore["index_version"], set(groups.values()))
        postings = {}  # A term is asked for once, whatever the number of versions.

        def postings_of(*term):
            if term not in postings:
                postings[term] = self._log_rows.postings(logstore["id"], term)
            return postings[term]

        candidates = {version: search.candidates(postings_of) for version, search in searches.items()}
        rows = self._window(logstore, ask, candidates)
        chosen = [(row_id, time) for time, _, row_id in rows
                  if groups.get(row_id // GROUP_ROWS) in searches]
        if all(each.exact for each in candidates.values()) and len(candidates) <= 1:
            return iter(chosen)
        return self._verified(chosen, lambda row_id: searches[groups[row_id // GROUP_ROWS]])

    def _searches(self, tree, current, versions):
        """Index version: Search. A row is searched by the index that it was written under."""
        searches = {current: Search(tree, self._catalog.index(current))}
        for version in versions - {current}:
            searches[version] = Search(tree, self._catalog.index(version), strict=False)
        return {version: search for version, search in searches.items() if version in versions}

    def _window(self, logstore, ask, candidates):
        born = int(self._settings.now() - logstore["config"]["ttl"] * DAY)
        last = ask.last + (1 if ask.last_ns else 0)
        ids = None
        if all(each.rows is not None for each in candidates.values()):
            ids = list(set().union(*(each.rows for each in candidates.values())))
        rows = self._log_rows.window(logstore["id"], max(ask.first, born), last, ids)
        begin, end = (ask.first, ask.first_ns), (ask.last, ask.last_ns)
        rows = [row for row in rows if begin <= row[:2] < end]
        return rows[::-1] if ask.reverse else rows

    def _verified(self, chosen, search_of):
        """Yields those of `chosen` whose rows match; reads no more rows than are asked for."""
        for begin in range(0, len(chosen), _VERIFIED_AT_ONCE):
            part = chosen[begin:begin + _VERIFIED_AT_ONCE]
            rows = self._log_rows.read_by_id([row_id for row_id, _ in part])
            for row_id, time in part:
                if row_id in rows and search_of(row_id).matches(rows[row_id]):
                    yield row_id, time


def _page(found, offset, line):
    page = []
    for place, each in enumerate(found):
        if place >= offset + line:
            break
        if place >= offset:
            page.append(each)
    return page


def split_query(query):
    """(search, SQL or ""): cut at the first | outside double quotes."""
    match = re.match(r'((?:[^"|]|"(?:[^"\\]|\\.)*"?)*)(?:\|(.*))?', query, re.DOTALL)
    return match[1].strip(), (match[2] or "").strip()
