"""Each fault, as a test of a client sets it."""

import email.utils
import http.client
import time

import pytest

from sls_double.client import group_of

ROW = {"traceID": "abc"}


def fault(client, **fields):
    client.admin("POST", "faults", fields)


def test_status_and_code_so_many_times(client):
    fault(client, op="PutLogs", status=403, code="WriteQuotaExceed", times=2, skip=1)
    answers = [client.put("spans", group_of([ROW])) for _ in range(4)]
    assert [answer.status for answer in answers] == [200, 403, 403, 200]
    assert answers[1].code == "WriteQuotaExceed"
    assert answers[1].headers["x-log-requestid"]
    assert len(client.rows("spans")) == 2


def test_other_operations_and_logstores_are_spared(client):
    fault(client, op="PutLogs", logstore="others", status=500)
    assert client.put("spans", group_of([ROW])).status == 200
    assert client.get_logs("spans").status == 200
    assert client.admin("GET", "faults")[0]["times"] == 1
    assert client.admin("DELETE", "faults") == []


@pytest.mark.parametrize("when, applied", [("before", 0), ("after", 1)])
def test_dropped_connection(client, when, applied):
    fault(client, op="PutLogs", drop=when)
    with pytest.raises((http.client.RemoteDisconnected, ConnectionResetError)):
        client.put("spans", group_of([ROW]))
    client.connection.close()
    assert len(client.rows("spans")) == applied


def test_html_without_a_request_id(client):
    fault(client, status=502, html=True)
    answer = client.put("spans", group_of([ROW]))
    assert (answer.status, answer.headers["content-type"]) == (502, "text/html")
    assert answer.body.startswith(b"<html>")
    assert "x-log-requestid" not in answer.headers


def test_slow_answer(client):
    fault(client, op="GetLogsV3", delay=0.2)
    began = time.monotonic()
    assert client.get_logs("spans").status == 200
    assert time.monotonic() - began >= 0.2


def test_incomplete_answers(client):
    client.put("spans", group_of([ROW] * 5))
    fault(client, op="GetLogsV3", incomplete=2, times=2)
    for _ in range(2):
        answer = client.get_logs("spans").json()
        assert (answer["meta"]["progress"], answer["meta"]["count"], len(answer["data"])) == ("Incomplete", 2, 2)
    answer = client.get_logs("spans").json()
    assert (answer["meta"]["progress"], len(answer["data"])) == ("Complete", 5)
    fault(client, op="GetHistograms", incomplete=0)
    answer = client.call("GET", f"/logstores/spans?type=histogram&from=0&to={int(time.time()) + 60}")
    assert (answer.headers["x-log-progress"], answer.headers["x-log-count"]) == ("Incomplete", "0")


def test_wrong_date_in_the_answer(client):
    fault(client, date_skew=3600)
    date = email.utils.parsedate_to_datetime(client.get_logs("spans").headers["date"]).timestamp()
    assert abs(date - time.time() - 3600) < 60
    date = email.utils.parsedate_to_datetime(client.get_logs("spans").headers["date"]).timestamp()
    assert abs(date - time.time()) < 60


@pytest.mark.parametrize("fields, why", [
    ({}, "does nothing"), ({"op": "PutLog", "status": 500}, "no operation 'PutLog'"),
    ({"stats": 500}, "no field 'stats'"), ({"drop": "now"}, "before or after"), ({"html": True}, "status")])
def test_bad_faults_are_explained(client, fields, why):
    with pytest.raises(AssertionError, match=why):
        fault(client, **fields)


@pytest.mark.parametrize("changes, why", [
    ({"clock": 1}, "no setting 'clock'"), ({"check_skew": 1}, "type bool"), ({"logs_max": 0}, "1..65536")])
def test_bad_settings_are_explained(client, changes, why):
    with pytest.raises(AssertionError, match=why):
        client.admin("PUT", "settings", changes)


def test_requests_are_remembered(client):
    client.put("spans", group_of([ROW]))
    client.get_logs("nowhere")
    seen = client.admin("GET", "requests")
    assert seen["counts"] == {"PutLogs 200": 1, "GetLogsV3 404": 1}
    assert (seen["last"][-1]["op"], seen["last"][-1]["code"]) == ("GetLogsV3", "LogStoreNotExist")
