"""The calls about projects, logstores, indexes and shards. Each takes a Request and the parts of
its path, and gives a Response; SlsError when it is refused."""

import json

from sls_double.errors import SlsError, parameter_invalid
from sls_double.response import Response, json_response


class CatalogApi:
    def __init__(self, catalog, shards):
        self._catalog = catalog
        self._shards = shards

    # Projects.

    def list_projects(self, request):
        found = [_project_json(row) for row in self._catalog.projects()]
        return json_response({"count": len(found), "total": len(found), "projects": found})

    def get_project(self, request):
        return json_response(_project_json(self._catalog.project(request.project)))

    def create_project(self, request):
        config = body_json(request)
        self._catalog.create_project(config.get("projectName"), config.get("description") or "")
        return Response()

    def delete_project(self, request):
        self._catalog.delete_project(request.project)
        return Response()

    # Logstores.

    def list_logstores(self, request):
        part = request.params.get("logstoreName", "")
        names = [name for name in self._catalog.logstores(request.project) if part in name]
        offset, size = number(request.params, "offset", 0), number(request.params, "size", 500)
        shown = names[offset:offset + min(size, 500)]
        return json_response({"count": len(shown), "total": len(names), "logstores": shown})

    def create_logstore(self, request):
        self._catalog.create_logstore(request.project, body_json(request))
        return Response()

    def get_logstore(self, request, name):
        return json_response(self._catalog.logstore(request.project, name)["config"])

    def update_logstore(self, request, name):
        self._catalog.update_logstore(request.project, name, body_json(request))
        return Response()

    def delete_logstore(self, request, name):
        self._catalog.delete_logstore(request.project, name)
        return Response()

    # Indexes.

    def create_index(self, request, name):
        self._catalog.create_index(request.project, name, body_json(request))
        return Response()

    def update_index(self, request, name):
        self._catalog.update_index(request.project, name, body_json(request))
        return Response()

    def get_index(self, request, name):
        return json_response(self._catalog.get_index(request.project, name))

    def delete_index(self, request, name):
        self._catalog.delete_index(request.project, name)
        return Response()

    # Shards.

    def list_shards(self, request, name):
        return json_response(self._shards.list(self._catalog.logstore(request.project, name)["id"]))

    def change_shard(self, request, name, shard):
        logstore = self._catalog.logstore(request.project, name)["id"]
        action = request.params.get("action")
        if action == "split":
            return json_response(self._shards.split(
                logstore, shard, request.params.get("key", ""), number(request.params, "shardCount", 2)))
        if action == "merge":
            return json_response(self._shards.merge(logstore, shard))
        raise parameter_invalid(f"action '{action}' is not split or merge")

    def get_cursor(self, request, name, shard):
        row = self._shard(request, name, shard)
        return json_response({"cursor": self._shards.cursor_at(row, request.params.get("from", ""))})

    def get_cursor_time(self, request, name, shard):
        row = self._shard(request, name, shard)
        return json_response(
            {"cursor_time": self._shards.cursor_time(row, request.params.get("cursor", ""))})

    def _shard(self, request, name, shard):
        return self._shards.get(self._catalog.logstore(request.project, name)["id"], shard)


def _project_json(row):
    return {"projectName": row["name"], "description": row["description"] or "", "status": "Normal",
            "owner": "", "region": "local", "createTime": str(row["created"]),
            "lastModifyTime": str(row["created"])}


def body_json(request):
    """The body as a JSON object; SlsError when it is none."""
    try:
        value = json.loads(request.body)
    except ValueError as error:
        raise SlsError(400, "PostBodyInvalid", f"the body is not JSON: {error}") from error
    if not isinstance(value, dict):
        raise SlsError(400, "PostBodyInvalid", "the body is not a JSON object")
    return value


def number(fields, name, default):
    """A whole number from parameters or JSON; an absent or empty one is `default`."""
    value = fields.get(name)
    if value in (None, ""):
        return default
    try:
        return int(value)
    except (TypeError, ValueError) as error:
        raise parameter_invalid(f"{name} must be a number, not '{value}'") from error
