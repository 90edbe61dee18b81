"""The official SDKs for Python, Node and Java run the same calls against the double: README.md of
sdk/ says which. Installed once below build/; a machine without Node or Java skips with the reason."""

import json
import pathlib
import shutil
import subprocess
import sys
import time

import pytest

SDK = pathlib.Path(__file__).parent / "sdk"
BUILD = pathlib.Path(__file__).parents[2] / "build/sls_sdk"
NOW = int(time.time())
WORDS = [" ", "/"]
ID = {"type": "text", "token": [], "caseSensitive": False, "doc_value": True}
KEYS = {"traceID": ID, "service": {**ID, "token": WORDS}, "duration": {"type": "long", "doc_value": True}}
MORE_KEYS = {**KEYS, "name": {**ID, "token": WORDS}, "__tag__:__pack_id__": ID, "attribute": {
    "type": "json", "token": WORDS, "caseSensitive": False, "doc_value": True, "index_all": True,
    "max_depth": -1, "json_keys": {}}}

CONTENTS = [
    {"traceID": "00ab", "service": "svc-a", "name": "GET /你好", "duration": "1500",
     "attribute": '{"http.method": "GET"}', "otlp.raw": "1:" + "A" * 5000},
    {"traceID": "00ab", "service": "svc-b", "name": "reserve", "duration": "20", "attribute": "{}"},
    {"traceID": "00cd", "service": "svc-a", "name": "it's <&>", "duration": "7", "attribute": "{}"},
]
ROWS = [{"time": NOW - 100 + place, "ns": 5 + place, "contents": contents}
        for place, contents in enumerate(CONTENTS)]
FOUND = {  # Query to the places of the rows that it finds, or to the answer of SQL.
    "traceID: 00AB": [0, 1], 'traceID: "00cd"': [2], "name: 你好": [0],
    "attribute.http.method: GET and service: svc-a": [0], "duration >= 20 and not service: svc-b": [0],
    '__tag__:__pack_id__: "p-1"': [1], "absent": [],
    "* | select service, count(*) as c from log group by service order by service":
        [{"service": "svc-a", "c": "2"}, {"service": "svc-b", "c": "1"}],
    "service: svc-a | select traceid from log where 1=1  and duration >= 100 and name like 'GET%' group by "
    "traceid limit 20": [{"traceid": "00ab"}],
}
COUNTED = {"*": 3, "service: svc-a": 2, "traceID: 00ef": 0}


def run_of(served, logstore, way):
    return {"endpoint": served.address, "project": "larder", "logstore": logstore, "signature": "v1",
            "rows": ROWS, "from": NOW - 1000, "to": NOW + 1000, "hash_key": "f" * 32,
            "indexes": [{"keys": KEYS}, {"keys": MORE_KEYS, "max_text_len": 16384}],
            "queries": list(FOUND), "counts": list(COUNTED), **way}


def behind_proxy(served):
    """The double as a forward proxy to a name that is nowhere: targets become absolute."""
    return {"endpoint": "cn-test.log.example", "proxy": f"http://{served.address}"}


def drive(served, command, ways):
    """Runs a driver once over all ways; returns what each saw."""
    runs = [run_of(served, f"store-{place}", way) for place, way in enumerate(ways)]
    result = subprocess.run(command, input=json.dumps(runs), capture_output=True, text=True, timeout=300)
    assert result.returncode == 0, result.stderr[-4000:]
    return json.loads(result.stdout.splitlines()[-1])


def installed(name, wanted, install):
    """build/sls_sdk/NAME, filled by `install` on first use and when the file `wanted` changes."""
    folder = BUILD / name
    mark = folder / "installed.txt"
    if not mark.exists() or mark.read_text() != wanted.read_text():
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        shutil.copy(wanted, folder)
        install(folder)
        mark.write_text(wanted.read_text())
    return folder


def tool(name, what):
    path = shutil.which(name)
    if not path:
        pytest.skip(f"the SDK for {what} needs {name}, which is not installed")
    return path


def check(seen, shards=True, project=True):
    assert seen["ttl"] == [30, 90]
    assert [name for name in seen["logstores"] if name.startswith("store-")]
    assert set(seen["index"]) == set(MORE_KEYS)
    assert seen["index"]["duration"]["type"] == "long"
    for query, expected in FOUND.items():
        if expected and isinstance(expected[0], int):
            found = [{key: value for key, value in row.items() if not key.startswith("__")}
                     for row in seen["found"][query]]
            assert found == [CONTENTS[place] for place in expected], query
        else:
            assert seen["found"][query] == expected, query
    assert seen["counted"] == COUNTED
    if shards:
        assert seen["pulled"] == sorted(contents["name"] for contents in CONTENTS)
    assert seen["errors"] == {
        "create again": "LogStoreAlreadyExist", "missing logstore": "LogStoreNotExist",
        "missing project": "ProjectNotExist" if project else "",
        "wrong secret": "SignatureNotMatch", "unknown key": "Unauthorized"}
    assert seen["without index"] == "IndexConfigNotExist"
    assert seen["deleted"] == "LogStoreNotExist"


def sent(served):
    """The headers of each answered PutLogs."""
    return [each["headers"] for each in served.double.requests()[0]
            if each["op"] == "PutLogs" and each["status"] == 200]


def no_unexpected_errors(served):
    expected = {"LogStoreAlreadyExist", "LogStoreNotExist", "ProjectNotExist", "SignatureNotMatch",
                "Unauthorized", "IndexConfigNotExist", ""}
    assert {each["code"] for each in served.double.requests()[0]} <= expected
    assert all(each["op"] for each in served.double.requests()[0])


STS = {"id": "sts-id", "secret": "sts-secret", "token": "sts-token"}


def test_python(served):
    def install(folder):
        subprocess.run([sys.executable, "-m", "venv", folder / "venv"], check=True)
        subprocess.run([folder / "venv/bin/pip", "install", "--quiet", "--no-compile", "--disable-pip-version-check",
                        "--requirement", folder / "requirements.txt"], check=True)

    folder = installed("python", SDK / "python/requirements.txt", install)
    served.double.accounts.add(*STS.values())
    proxied = behind_proxy(served)
    ways = [proxied, {**proxied, "signature": "v4"}, {**proxied, "signature": "v4", "key": STS},
            {"project": "", "key": STS}]
    for way, seen in zip(ways, drive(served, [folder / "venv/bin/python", SDK / "python/drive.py"], ways)):
        check(seen, project="project" not in way)
    assert [each.get("x-log-compresstype") for each in sent(served)] == ["lz4", "zstd", None] * len(ways)
    no_unexpected_errors(served)


def test_node(served):
    npm = tool("npm", "Node")

    def install(folder):
        subprocess.run([npm, "install", "--silent", "--no-package-lock", "--ignore-scripts", "--no-audit",
                        "--no-fund"], cwd=folder, check=True)

    folder = installed("node", SDK / "node/package.json", install)
    shutil.copy(SDK / "node/drive.mjs", folder)
    served.double.accounts.add(*STS.values())
    # The driver's agent finds `larder.127.0.0.1`, which no DNS has.
    ways = [{}, {"key": STS}, {"project": ""}]
    for way, seen in zip(ways, drive(served, ["node", folder / "drive.mjs"], ways)):
        check(seen, shards=False, project="project" not in way)
    assert len(sent(served)) == len(ways) * len(ROWS)
    no_unexpected_errors(served)


def test_java(served):
    mvn, java = tool("mvn", "Java"), tool("java", "Java")
    javac = tool("javac", "Java")

    def install(folder):
        subprocess.run([mvn, "--quiet", "--batch-mode", "dependency:copy-dependencies",
                        "-DoutputDirectory=lib"], cwd=folder, check=True)

    folder = installed("java", SDK / "java/pom.xml", install)
    classes = f"{folder}/lib/*"
    subprocess.run([javac, "-cp", classes, "-d", folder / "classes", SDK / "java/Drive.java"], check=True)
    served.double.accounts.add(*STS.values())
    proxied = behind_proxy(served)
    ways = [proxied, {**proxied, "signature": "v4"}, {**proxied, "key": STS}]
    for seen in drive(served, [java, "-cp", f"{folder}/classes:{classes}", "Drive"], ways):
        check(seen)
    assert [each.get("x-log-compresstype") for each in sent(served)] == ["lz4", "zstd", None] * len(ways)
    no_unexpected_errors(served)
