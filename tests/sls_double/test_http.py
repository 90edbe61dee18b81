"""The wire: forms of targets, kept connections, spellings, and what is no good request."""

import http.client
import socket

import pytest

from sls_double.client import Client, group_of

ROW = {"traceID": "abc"}


def test_absolute_targets_and_kept_connections(client, served):
    """As a client does that takes the double for a forward proxy."""
    for _ in range(3):
        answer = client.call("POST", f"http://larder.{served.address}/logstores/spans/shards/lb?",
                             group_of([ROW]), content_type="application/x-protobuf")
        assert answer.status == 200
    assert len(client.rows("spans")) == 3


@pytest.mark.parametrize("project", ["", "larder"])
def test_an_address_names_the_first_project(client, served, project):
    assert Client(served.address, project=project).get_logs("spans").status == 200


def test_names_of_headers_in_any_case(client):
    answer = client.call("POST", "/logstores/spans", group_of([ROW]), **{
        "Content_Type": "application/x-protobuf", "X_Log_Bodyrawsize": str(len(group_of([ROW])))})
    assert answer.status == 200


def raw_exchange(address, request):
    host, port = address.split(":")
    with socket.create_connection((host, int(port)), timeout=60) as connection:
        connection.sendall(request)
        with connection.makefile("rb") as answer:
            return answer.read()


def test_close_is_obeyed(served):
    answer = raw_exchange(served.address, b"GET /_double HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
    assert answer.startswith(b"HTTP/1.1 200 OK\r\n")
    assert b"Connection: close" in answer


def test_chunked_bodies_are_refused(client, served):
    answer = raw_exchange(served.address, b"POST /logstores/spans HTTP/1.1\r\nHost: larder.x\r\n"
                          b"Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n")
    assert answer.startswith(b"HTTP/1.1 411 ")
    assert b"MissingContentLength" in answer


def test_large_bodies_after_a_continue(client, served):
    answer = raw_exchange(served.address, b"POST /_double/faults HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n"
                          b"Expect: 100-continue\r\nConnection: close\r\n\r\n[]")
    assert answer.startswith(b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\n")


def test_unknown_resources_and_methods(client):
    assert (client.call("GET", "/elsewhere").status, client.call("GET", "/elsewhere").code) == (404, "InvalidUrl")
    assert (client.call("PUT", "/logstores/spans/logs", {}).status) == 405
    assert client.call("PUT", "/logstores/spans/logs", {}).code == "InvalidMethod"


def test_without_authorization(client, served):
    connection = http.client.HTTPConnection(served.address)
    connection.request("GET", "/logstores")
    answer = connection.getresponse()
    assert (answer.status, b"MissingAuthorization" in answer.read()) == (400, True)
    assert answer.headers["x-log-requestid"]
    assert answer.headers["Server"] == "Tengine"
