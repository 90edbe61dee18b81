"""A small signing client of the double, for its own tests and for others'."""

import email.utils
import hashlib
import http.client
import json
import time

from sls_double import compression, log_group, signatures
from sls_double.request import Request


class Answer:
    def __init__(self, status, headers, body):
        self.status = status
        self.headers = {name.lower(): value for name, value in headers}
        self.body = body

    def json(self):
        return json.loads(self.body)

    @property
    def code(self):
        """SLS's error code, or "" on success."""
        return "" if self.status == 200 else self.json()["errorCode"]


class Client:
    """One kept-alive connection. `v4_region` chooses signature V4."""

    def __init__(self, address, project="larder", key=("test-id", "test-secret"), token="", v4_region=""):
        self.address = address
        self.project = project
        self.key = key
        self.token = token
        self.v4_region = v4_region
        self.connection = http.client.HTTPConnection(address, timeout=60)

    def call(self, method, target, body=b"", **headers):
        """Signs and sends; header names are given with _ for -."""
        headers = {name.replace("_", "-"): value for name, value in headers.items()}
        if isinstance(body, (dict, list)):
            body = json.dumps(body).encode()
            headers.setdefault("content-type", "application/json")
        headers.setdefault("host", f"{self.project}.{self.address}" if self.project else self.address)
        headers = self._signed(method, target, body, headers)
        self.connection.request(method, target, body or None, headers)
        answer = self.connection.getresponse()
        return Answer(answer.status, answer.getheaders(), answer.read())

    def _signed(self, method, target, body, headers):
        headers = {"x-log-apiversion": "0.6.0", **headers}
        if not any(name.lower() == "x-log-bodyrawsize" for name in headers):
            headers["x-log-bodyrawsize"] = str(len(body))
        if self.token:
            headers["x-acs-security-token"] = self.token
        return headers | (self._v4(method, target, body, headers) if self.v4_region
                          else self._v1(method, target, body, headers))

    def _v4(self, method, target, body, headers):
        """The headers to add."""
        date_time = time.strftime("%Y%m%dT%H%M%SZ", time.gmtime())
        added = {"x-log-date": date_time, "x-log-content-sha256": hashlib.sha256(body).hexdigest()}
        request = Request(method, target, headers | added)
        signature = signatures.v4_signature(
            self.key[1], self.v4_region, date_time,
            signatures.v4_canonical_request(method, request.path, request.params, request.headers))
        scope = signatures.v4_scope(self.v4_region, date_time[:8])
        return added | {
            "Authorization": f"SLS4-HMAC-SHA256 Credential={self.key[0]}/{scope},Signature={signature}"}

    def _v1(self, method, target, body, headers):
        added = {"x-log-signaturemethod": "hmac-sha1",
                 "date": headers.get("date") or email.utils.formatdate(usegmt=True)}
        if body:
            added["content-md5"] = hashlib.md5(body).hexdigest().upper()
        request = Request(method, target, headers | added)
        signature = signatures.v1_signature(
            self.key[1],
            signatures.v1_string_to_sign(method, request.path, request.params, request.headers))
        return added | {"Authorization": f"LOG {self.key[0]}:{signature}"}

    # The calls that tests repeat.

    def put(self, logstore, raw, compression_name="", path="/shards/lb", **headers):
        """Sends a serialized LogGroup."""
        body = compression.compress(compression_name, raw) if compression_name else raw
        if compression_name:
            headers["x_log_compresstype"] = compression_name
        return self.call("POST", f"/logstores/{logstore}{path}", body, **{
            "content_type": "application/x-protobuf", "x_log_bodyrawsize": str(len(raw)), **headers})

    def get_logs(self, logstore, query="*", first=None, last=None, **more):
        """GetLogs v3 over the last hour, or over the seconds given."""
        now = int(time.time())
        return self.call("POST", f"/logstores/{logstore}/logs", {
            "from": now - 3600 if first is None else first, "to": now + 60 if last is None else last,
            "query": query, **more})

    def rows(self, logstore, query="*", **more):
        answer = self.get_logs(logstore, query, **more)
        assert answer.status == 200, answer.body
        return answer.json()["data"]

    def admin(self, method, path, body=None):
        """A call of the double's own, for example admin("POST", "faults", {"drop": "after"})."""
        self.connection.request(method, f"/_double/{path}", None if body is None else json.dumps(body))
        answer = self.connection.getresponse()
        result = json.loads(answer.read())
        assert answer.status == 200, result
        return result


def group_of(rows, tags=None, topic="", source="127.0.0.1"):
    """A serialized LogGroup; a row is a dict of contents, now, or (time, nanoseconds or None, dict)."""
    message = log_group.LogGroup(Topic=topic.encode(), Source=source.encode())
    for row in rows:
        seconds, nanoseconds, contents = row if isinstance(row, tuple) else (int(time.time()), None, row)
        log = message.Logs.add(Time=seconds)
        if nanoseconds is not None:
            log.Time_ns = nanoseconds
        for key, value in contents.items():
            log.Contents.add(Key=key.encode(), Value=value if isinstance(value, bytes) else value.encode())
    for key, value in (tags or {}).items():
        message.LogTags.add(Key=key.encode(), Value=value.encode())
    return message.SerializeToString()
