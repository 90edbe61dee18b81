"""Which operation a request is: method, path and `type` to a name and the parts of the path."""

import re
import urllib.parse

_STORE = r"/logstores/(?P<store>[^/]+)"
_SHARD = _STORE + r"/shards/(?P<shard>[^/]+)"

# (name, methods, path, values of the parameter `type`; None: whatever it is)
_ROUTES = [
    ("GetProject", "GET", r"/", None),
    ("CreateProject", "POST", r"/", None),
    ("DeleteProject", "DELETE", r"/", None),
    ("ListLogstores", "GET", r"/logstores", None),
    ("CreateLogstore", "POST", r"/logstores", None),
    # The SDK for Java asks the index for them.
    ("GetLogs", "GET", _STORE + r"(?:/index)?", ("log",)),
    ("GetHistograms", "GET", _STORE + r"(?:/index)?", ("histogram",)),
    ("GetLogstore", "GET", _STORE, (None, "")),
    ("UpdateLogstore", "PUT", _STORE, None),
    ("DeleteLogstore", "DELETE", _STORE, None),
    ("PutLogs", "POST", _STORE + r"(?:/shards/(?:lb|route))?", None),
    ("GetLogsV3", "POST", _STORE + r"/logs", None),
    ("GetIndex", "GET", _STORE + r"/index", None),
    ("CreateIndex", "POST", _STORE + r"/index", None),
    ("UpdateIndex", "PUT", _STORE + r"/index", None),
    ("DeleteIndex", "DELETE", _STORE + r"/index", None),
    ("ListShards", "GET", _STORE + r"/shards", None),
    ("GetCursor", "GET", _SHARD, ("cursor",)),
    ("GetCursorTime", "GET", _SHARD, ("cursor_time",)),
    ("PullLogs", "GET HEAD", _SHARD, ("log", "logs")),
    ("ChangeShard", "POST", _SHARD, None),
]
_COMPILED = [(name, methods.split(), re.compile(path), types) for name, methods, path, types in _ROUTES]
NAMES = sorted(name for name, *_ in _ROUTES)


def find(request):
    """(operation's name, its arguments), or (None, whether the path is known with another method)."""
    path = request.path if len(request.path) == 1 else request.path.rstrip("/")
    path_known = False
    for name, methods, pattern, types in _COMPILED:
        match = pattern.fullmatch(path)
        if not match:
            continue
        path_known = True
        if request.method in methods and (types is None or request.params.get("type") in types):
            return name, [urllib.parse.unquote(part) for part in match.groups()]
    return None, path_known
