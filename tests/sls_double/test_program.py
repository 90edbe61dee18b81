"""The command that users start: it says where it listens, and kill -9 loses nothing acknowledged."""

import pathlib
import subprocess
import threading

import pytest

from sls_double.client import Client, group_of
from sls_double.trace_index import TRACE_INDEX

COMMAND = pathlib.Path(__file__).parents[2] / "tools/sls_double.sh"


@pytest.fixture
def start(tmp_path):
    """Starts the program on one data directory; returns it and the address that it printed."""
    programs = []

    def start_one(*more):
        program = subprocess.Popen([COMMAND, "--data-dir", tmp_path / "data", *more],
                                   stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        programs.append(program)
        return program, program.stdout.readline().removeprefix("listening on ").strip()

    yield start_one
    for program in programs:
        program.kill()
        program.wait()
        program.stdout.close()


def test_kill_and_restart(start):
    program, address = start("--access-key", "mine:hidden", "--project", "shop", "--set", "logs_max=5")
    client = Client(address, "shop", ("mine", "hidden"))
    assert client.call("POST", "/logstores", {"logstoreName": "spans", "ttl": 30, "shardCount": 1}).status == 200
    assert client.call("POST", "/logstores/spans/index", TRACE_INDEX).status == 200
    assert client.put("spans", group_of([{"traceID": "abc"}] * 6)).code == "PostBodyTooLarge"
    for number in range(20):
        assert client.put("spans", group_of([{"traceID": f"t{number}"}])).status == 200
    program.kill()

    program, address = start("--access-key", "mine:hidden", "--project", "shop")
    client = Client(address, "shop", ("mine", "hidden"))
    assert {row["traceID"] for row in client.rows("spans")} == {f"t{number}" for number in range(20)}
    assert client.put("spans", group_of([{"traceID": "t7"}])).status == 200
    assert len(client.rows("spans", "traceID: t7")) == 2
    program.terminate()
    assert program.wait(30) == 0


@pytest.mark.parametrize("arguments, why", [
    (["--set", "clock=1"], "no setting 'clock'"), (["--set", "logs_max=many"], "many"),
    (["--listen", "nowhere"], "nowhere"), (["--project", "Up"], "project name 'Up' is invalid")])
def test_bad_arguments(start, arguments, why):
    program, first_line = start(*arguments)
    assert program.wait(60) == 2
    assert why in first_line


def test_many_clients_at_once(client, served):
    failures = []

    def write_and_read(writer):
        mine = Client(served.address)
        for number in range(10):
            trace = f"w{writer}-{number}"
            put = mine.put("spans", group_of([{"traceID": trace}] * 3), "lz4")
            if put.status != 200 or len(mine.rows("spans", f"traceID: {trace}")) != 3:
                failures.append(trace)

    threads = [threading.Thread(target=write_and_read, args=(writer,)) for writer in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    cursors = [client.call("GET", f"/logstores/spans/shards/0?type=cursor&from={moment}").json()["cursor"]
               for moment in ("begin", "end")]
    answer = client.call("GET", f"/logstores/spans/shards/0?type=logs&count=1000&cursor={cursors[0].replace('=', '%3D')}")
    assert (answer.headers["x-log-count"], answer.headers["x-log-cursor"]) == ("60", cursors[1])
