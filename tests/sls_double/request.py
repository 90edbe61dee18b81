"""One HTTP request as the double sees it."""

import urllib.parse


class Request:
    """`target` is the request line's, in origin or absolute form; `headers` any spelling of names.

    path    escaped, as sent: it is signed that way
    params  decoded; of a repeated key the first value stands
    project the first label of Host, or "" when Host is an IP address or has one label
    """

    def __init__(self, method, target, headers, body=b""):
        self.method = method
        self.headers = {name.lower(): value.strip() for name, value in headers.items()}
        self.body = body
        if not target.startswith("/"):
            parts = urllib.parse.urlsplit(target)
            self.headers.setdefault("host", parts.netloc)
            target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        self.path, _, query = target.partition("?")
        self.params = {}
        for pair in query.split("&") if query else ():
            key, _, value = pair.partition("=")
            self.params.setdefault(_decode(key), _decode(value))
        self.project = _project_of(self.headers.get("host", ""))

    def header(self, name):
        return self.headers.get(name, "")


def _decode(text):
    return urllib.parse.unquote_plus(text, errors="surrogateescape")


def _project_of(host):
    labels = host.partition(":")[0].split(".")
    is_ip = len(labels) == 4 and all(label.isdigit() for label in labels)
    return "" if is_ip or len(labels) == 1 else labels[0]
