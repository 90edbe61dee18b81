"""The double without its socket: a Request in, a Response out."""

import collections
import itertools
import threading
import time

from sls_double import routes
from sls_double.accounts import Accounts
from sls_double.admin import Admin
from sls_double.api_catalog import CatalogApi
from sls_double.api_logs import LogsApi
from sls_double.catalog import Catalog
from sls_double.database import Database
from sls_double.errors import SlsError
from sls_double.faults import Faults
from sls_double.log_rows import LogRows
from sls_double.queries import Queries
from sls_double.response import Response, json_response
from sls_double.settings import DAY
from sls_double.shards import Shards

_REMEMBERED = 1000
_WITH_PROGRESS = ("GetLogs", "GetLogsV3", "GetHistograms")


class Dropped(Exception):
    """The connection is to be closed without an answer."""


class Double:
    """Thread-safe. `default_project` answers requests whose Host names no project."""

    def __init__(self, directory, settings, default_project=""):
        self.settings = settings
        self.default_project = default_project
        self.accounts = Accounts(settings)
        self.faults = Faults()
        self._database = Database(directory)
        self._shards = Shards(self._database, settings)
        self.catalog = Catalog(self._database, self._shards, settings)
        self.log_rows = LogRows(self._database, settings)
        logs = LogsApi(self.catalog, self._shards, self.log_rows,
                       Queries(self.catalog, self.log_rows, settings), settings)
        catalog = CatalogApi(self.catalog, self._shards)
        self._calls = {
            "GetProject": catalog.get_project, "CreateProject": catalog.create_project,
            "DeleteProject": catalog.delete_project, "ListProjects": catalog.list_projects,
            "ListLogstores": catalog.list_logstores, "CreateLogstore": catalog.create_logstore,
            "GetLogstore": catalog.get_logstore, "UpdateLogstore": catalog.update_logstore,
            "DeleteLogstore": catalog.delete_logstore, "CreateIndex": catalog.create_index,
            "GetIndex": catalog.get_index, "UpdateIndex": catalog.update_index,
            "DeleteIndex": catalog.delete_index, "ListShards": catalog.list_shards,
            "ChangeShard": catalog.change_shard, "GetCursor": catalog.get_cursor,
            "GetCursorTime": catalog.get_cursor_time, "PutLogs": logs.put_logs,
            "GetLogs": logs.get_logs, "GetLogsV3": logs.get_logs_v3,
            "GetHistograms": logs.get_histograms, "PullLogs": logs.pull_logs}
        self._admin = Admin(self)
        self._request_ids = itertools.count(int(time.time()) << 24)
        self._lock = threading.Lock()
        self._requests = collections.deque(maxlen=_REMEMBERED)
        self._counts = collections.Counter()
        self._drop_expired()

    def answer(self, request):
        """The Response; raises Dropped when a fault says so."""
        if request.path == "/_double" or request.path.startswith("/_double/"):
            return self._admin.answer(request)
        op, arguments = routes.find(request)
        if op == "GetProject" and not request.project:
            op = "ListProjects"
        request.project = request.project or self.default_project
        fault = op and self.faults.meet(op, arguments[0] if arguments else "")
        code = ""
        try:
            response = self._faulty(request, op, arguments, fault)
        except Dropped:
            self._remember(request, op, 0, "")
            raise
        except SlsError as error:
            response, code = json_response(error.body(), error.status), error.code
        if not (fault and fault.html):
            response.headers["x-log-requestid"] = f"{next(self._request_ids):024X}"
        now = self.settings.now() + (fault.date_skew if fault else 0)
        response.headers["Date"] = time.strftime("%a, %d %b %Y %H:%M:%S GMT", time.gmtime(now))
        self._remember(request, op, response.status, code)
        return response

    def _faulty(self, request, op, arguments, fault):
        if fault is None:
            return self._call(request, op, arguments)
        time.sleep(fault.delay)
        if fault.drop == "before":
            raise Dropped
        if fault.html:
            return Response(fault.status, {"Content-Type": "text/html"},
                            f"<html><h1>{fault.status} Bad Gateway</h1></html>".encode())
        if fault.status:
            raise SlsError(fault.status, fault.code, fault.message)
        response = self._call(request, op, arguments, fault.incomplete)
        if fault.drop == "after":
            raise Dropped
        return response

    def _call(self, request, op, arguments, incomplete=None):
        self.accounts.check(request)
        if op is None:
            raise (SlsError(405, "InvalidMethod", f"{request.method} is not for {request.path}")
                   if arguments else SlsError(404, "InvalidUrl", f"no such resource: {request.path}"))
        if incomplete is not None and op in _WITH_PROGRESS:
            return self._calls[op](request, *arguments, incomplete=incomplete)
        return self._calls[op](request, *arguments)

    def _remember(self, request, op, status, code):
        with self._lock:
            self._counts[f"{op or 'unknown'} {status}"] += 1
            self._requests.append({
                "op": op, "method": request.method, "path": request.path, "params": request.params,
                "project": request.project, "headers": request.headers,
                "body_size": len(request.body), "status": status, "code": code})

    def requests(self):
        """The last requests, oldest first, and the count of all by operation and status (0: dropped)."""
        with self._lock:
            return list(self._requests), dict(self._counts)

    def _drop_expired(self):
        for project in self.catalog.projects():
            for name in self.catalog.logstores(project["name"]):
                logstore = self.catalog.logstore(project["name"], name)
                self.log_rows.drop_expired(logstore["id"], logstore["config"]["ttl"] * DAY)

    def close(self):
        self._database.close()
