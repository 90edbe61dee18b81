"""The calls about logs: put, get, histograms, pull."""

import time

from sls_double import compression, log_group
from sls_double.api_catalog import body_json, number
from sls_double.errors import SlsError, parameter_invalid
from sls_double.queries import Ask
from sls_double.response import Response, json_response


class LogsApi:
    def __init__(self, catalog, shards, log_rows, queries, settings):
        self._catalog = catalog
        self._shards = shards
        self._log_rows = log_rows
        self._queries = queries
        self._settings = settings

    def put_logs(self, request, name):
        """All or nothing: one bad log refuses its whole group."""
        kind = request.header("content-type")
        if not kind:
            raise SlsError(400, "MissingContentType", "header Content-Type is missing")
        if "application/x-protobuf" not in kind:
            raise SlsError(415, "InvalidContentType", f"Content-Type '{kind}' is not application/x-protobuf")
        logstore = self._catalog.logstore(request.project, name)
        key = None
        if request.path.endswith("/shards/route"):
            key = request.params.get("key", "")
        shard = self._shards.choose(logstore["id"], key)
        raw = self._raw_body(request)
        group = log_group.read(raw, self._settings)
        if not group.rows:
            raise SlsError(400, "PostBodyInvalid", "the LogGroup has no logs")
        version = logstore["index_version"]
        self._log_rows.append(logstore, shard, group, raw, version and self._catalog.index(version))
        return Response()

    def _raw_body(self, request):
        kind, size = request.header("x-log-compresstype"), request.header("x-log-bodyrawsize")
        if not size and kind:
            raise SlsError(400, "MissingBodyRawSize", "header x-log-bodyrawsize is missing")
        if size and not size.isdigit():
            raise SlsError(400, "InvalidBodyRawSize", f"x-log-bodyrawsize '{size}' is not a number")
        if size and int(size) > self._settings.group_size_max:
            raise SlsError(400, "PostBodyTooLarge", f"body size {size} must little than "
                           f"{self._settings.group_size_max}")
        if kind:
            return compression.decompress(kind, request.body, int(size))
        if size and int(size) != len(request.body):
            raise SlsError(400, "InvalidBodyRawSize",
                           f"x-log-bodyrawsize is {size}, the body has {len(request.body)} bytes")
        return request.body

    # Queries. A fault may ask for an Incomplete answer with so many rows.

    def get_logs(self, request, name, incomplete=None):
        """Version 2: parameters in, an array out, what is about it in headers."""
        started = time.monotonic()
        answer = self._queries.logs(request.project, name, _ask(request.params))
        rows, progress = _cut(answer.rows, incomplete)
        return json_response(
            rows, x_log_count=len(rows), x_log_progress=progress,
            x_log_has_sql=str(bool(answer.sql)).lower(), x_log_agg_query=_header_safe(answer.sql),
            x_log_where_query=_header_safe(answer.search), x_log_processed_rows=answer.processed_rows,
            x_log_elapsed_millisecond=int(1000 * (time.monotonic() - started)))

    def get_logs_v3(self, request, name, incomplete=None):
        """Version 3: JSON in, JSON out, compressed as the client accepts."""
        started = time.monotonic()
        answer = self._queries.logs(request.project, name, _ask(body_json(request)))
        rows, progress = _cut(answer.rows, incomplete)
        meta = {"progress": progress, "count": len(rows), "hasSQL": bool(answer.sql),
                "aggQuery": answer.sql, "whereQuery": answer.search,
                "processedRows": answer.processed_rows, "processedBytes": 0,
                "elapsedMillisecond": int(1000 * (time.monotonic() - started)), "cpuSec": 0,
                "cpuCores": 0, "limited": 0, "telementryType": "", "powerSql": False,
                "insertedSQL": "", "keys": answer.columns, "terms": [], "mode": 0,
                "isAccurate": True, "columnTypes": ["varchar"] * len(answer.columns)}
        return _compressed(request, json_response({"meta": meta, "data": rows}))

    def get_histograms(self, request, name, incomplete=None):
        buckets = self._queries.histograms(request.project, name, _ask(request.params),
                                           number(request.params, "interval", 0))
        buckets, progress = _cut(buckets, incomplete)
        return json_response(
            [{"from": first, "to": last, "count": count, "progress": progress}
             for first, last, count in buckets],
            x_log_count=sum(count for _, _, count in buckets), x_log_progress=progress)

    # Pulling.

    def pull_logs(self, request, name, shard_id):
        logstore = self._catalog.logstore(request.project, name)["id"]
        shard = self._shards.get(logstore, shard_id)
        if "query" in request.params or "processor" in request.params:
            raise parameter_invalid("the double pulls whole groups, without query or processor")
        count = number(request.params, "count", 100)
        if not 1 <= count <= 1000:
            raise parameter_invalid("count must lie in 1..1000")
        groups, cursor = self._log_rows.pull(shard, request.params.get("cursor", ""), count,
                                             request.params.get("end_cursor") or None)
        response = Response(headers={"Content-Type": "application/x-protobuf", "x-log-cursor": cursor,
                                     "x-log-count": str(len(groups))}, body=log_group.list_of(groups))
        return _compressed(request, response, with_size=True)


def _ask(fields):
    """An Ask of parameters or of JSON, in which numbers and switches may be texts."""
    if fields.get("from") in (None, "") or fields.get("to") in (None, ""):
        raise parameter_invalid("from and to are required")
    return Ask(first=number(fields, "from", 0), last=number(fields, "to", 0),
               query=fields.get("query") or "*", topic=fields.get("topic") or "",
               line=number(fields, "line", 100), offset=number(fields, "offset", 0),
               reverse=str(fields.get("reverse", "false")).lower() == "true",
               first_ns=number(fields, "fromNs", 0), last_ns=number(fields, "toNs", 0))


def _cut(rows, incomplete):
    return (rows, "Complete") if incomplete is None else (rows[:incomplete], "Incomplete")


def _header_safe(text):
    """Headers are ASCII: what is not is left out."""
    return "".join(sign for sign in text if " " <= sign <= "~")


def _compressed(request, response, with_size=False):
    """As the client accepts: lz4, zstd or as it is. An uncompressed answer carries no size, unless
    it is always due."""
    accepted = [each.partition(";")[0].strip() for each in request.header("accept-encoding").split(",")]
    size = len(response.body)
    for name in ("lz4", "zstd"):
        if name in accepted and size:
            response.body = compression.compress(name, response.body)
            response.headers["x-log-compresstype"] = name
            with_size = True
            break
    if with_size:
        response.headers["x-log-bodyrawsize"] = str(size)
    return response
