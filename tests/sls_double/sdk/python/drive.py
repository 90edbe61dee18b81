"""Runs the official SDK for Python against the double: a JSON list of runs in, what each saw out.

What a run does and reports is the same in every language: ../README.md.
"""

import json
import os
import sys

from aliyun.log import (GetHistogramsRequest, GetLogsRequest, IndexConfig, ListLogstoresRequest,
                        LogClient, LogException, LogItem, PutLogsRequest)

COMPRESSIONS = ({"compress": True, "compress_type": "lz4"}, {"compress": True, "compress_type": "zstd"},
                {"compress": False})


def client_of(run, **other):
    key = {"id": "test-id", "secret": "test-secret", "token": None, **run.get("key", {}), **other}
    return LogClient(run["endpoint"], key["id"], key["secret"], key["token"],
                     auth_version=run["signature"], region="cn-hangzhou")


def code_of(call, *arguments):
    try:
        call(*arguments)
    except LogException as error:
        return error.get_error_code()
    return "none"


def put(client, run):
    for place, row in enumerate(run["rows"]):
        item = LogItem(row["time"], time_nano_part=row["ns"], contents=list(row["contents"].items()))
        request = PutLogsRequest(run["project"], run["logstore"], "cold", "sdk", [item],
                                 logtags=[("__pack_id__", f"p-{place}")],
                                 hashKey=run["hash_key"] if place == 0 else None,
                                 **COMPRESSIONS[place % len(COMPRESSIONS)])
        client.put_logs(request)


def search(client, run, query):
    answer = client.get_logs(GetLogsRequest(
        run["project"], run["logstore"], run["from"], run["to"], "", query, 100, 0, False))
    assert answer.is_completed()
    return [dict(log.contents) for log in answer.get_logs()]


def pull(client, run):
    names = []
    for shard in client.list_shards(run["project"], run["logstore"]).get_shards_info():
        where = (run["project"], run["logstore"], shard["shardID"])
        cursor = client.get_cursor(*where, "begin").get_cursor()
        end = client.get_cursor(*where, "end").get_cursor()
        while cursor != end:
            answer = client.pull_logs(*where, cursor, 1)
            names += [log["name"] for log in answer.get_flatten_logs_json()]
            cursor = answer.get_next_cursor()
    return sorted(names)


def histogram(client, run, query):
    answer = client.get_histograms(GetHistogramsRequest(
        run["project"], run["logstore"], run["from"], run["to"], "", query))
    assert answer.is_completed()
    return answer.get_total_count()


def errors(client, run):
    missing = GetLogsRequest(run["project"], "missing", run["from"], run["to"])
    elsewhere = ListLogstoresRequest("nobody")
    return {
        "create again": code_of(client.create_logstore, run["project"], run["logstore"], 30, 2),
        "missing logstore": code_of(client.get_logs, missing),
        "missing project": run["project"] and code_of(client.list_logstores, elsewhere),
        "wrong secret": code_of(client_of(run, secret="wrong").get_logs, missing),
        "unknown key": code_of(client_of(run, id="nobody").get_logs, missing)}


def drive(run):
    os.environ["HTTP_PROXY"] = run.get("proxy", "")
    client, project, logstore = client_of(run), run["project"], run["logstore"]
    seen = {}
    client.create_logstore(project, logstore, 30, 2)
    seen["ttl"] = [client.get_logstore(project, logstore).get_ttl()]
    client.update_logstore(project, logstore, 90, shard_count=2)
    seen["ttl"].append(client.get_logstore(project, logstore).get_ttl())
    seen["logstores"] = client.list_logstores(ListLogstoresRequest(project)).get_logstores()

    index = IndexConfig()
    index.from_json(run["indexes"][0])
    client.create_index(project, logstore, index)
    index.from_json(run["indexes"][1])
    client.update_index(project, logstore, index)
    seen["index"] = client.get_index_config(project, logstore).get_index_config().to_json()["keys"]

    put(client, run)
    seen["found"] = {query: search(client, run, query) for query in run["queries"]}
    seen["counted"] = {query: histogram(client, run, query) for query in run["counts"]}
    seen["pulled"] = pull(client, run)
    seen["errors"] = errors(client, run)
    client.delete_index(project, logstore)
    seen["without index"] = code_of(client.get_index_config, project, logstore)
    client.delete_logstore(project, logstore)
    seen["deleted"] = code_of(client.get_logstore, project, logstore)
    return seen


if __name__ == "__main__":
    print(json.dumps([drive(run) for run in json.load(sys.stdin)]))
