"""Random searches over random rows: what the postings and the store find is what a walk over every
row finds. LARDER_SEED replays a run."""

import json
import os
import random
import time

from sls_double.client import group_of
from sls_double.index_config import IndexConfig
from sls_double.search import Search
from sls_double.search_grammar import parse
from sls_double.trace_index import TRACE_INDEX

NOW = int(time.time()) - 1000
WORDS = ["ab", "AB", "a-b", "ab cd", "cd/ab", "", "7", "x:y"]


def random_row(chance):
    row = {key: chance.choice(WORDS) for key in ("traceID", "service", "name", "extra") if chance.random() < 0.7}
    if chance.random() < 0.7:
        row["duration"] = str(chance.randrange(10))
    if chance.random() < 0.7:
        row["attribute"] = json.dumps({chance.choice(["k", "k.v", "n"]): chance.choice([*WORDS, 3, True, None, {"v": "ab"}])})
    return row


def random_search(chance, depth=3):
    if depth and chance.random() < 0.6:
        left, right = random_search(chance, depth - 1), random_search(chance, depth - 1)
        return chance.choice(["({} and {})", "({} or {})", "(not {} and {})", "({} not {})", "{} {}"]).format(left, right)
    field = chance.choice(["traceID", "service", "name", "attribute.k", "attribute.k.v", "attribute.n", "host"])
    return chance.choice([
        '{}: "{}"'.format(field, chance.choice(WORDS)), "{}: {}".format(field, chance.choice(["ab", "cd", "7", "a*", "*"])),
        f"duration {chance.choice(['>', '<=', '='])} {chance.randrange(10)}", "ab", "*", '__tag__:__pack_id__: "p-1"'])


def test_random_searches(client):
    seed = int(os.environ.get("LARDER_SEED", random.randrange(1 << 32)))
    print("LARDER_SEED =", seed)
    chance = random.Random(seed)
    rows = [random_row(chance) for _ in range(60)]
    for pack in range(3):
        group = [(NOW + place, None, rows[place]) for place in range(pack * 20, pack * 20 + 20)]
        assert client.put("spans", group_of(group, {"__pack_id__": f"p-{pack}"})).status == 200
    index = IndexConfig(TRACE_INDEX)
    for _ in range(300):
        query = random_search(chance)
        search = Search(parse(query), index)
        expected = [NOW + place for place, row in enumerate(rows) if search.matches(
            {**row, "__source__": "127.0.0.1", "__topic__": "", "__tag__:__pack_id__": f"p-{place // 20}"})]
        assert [int(row["__time__"]) for row in client.rows("spans", query)] == expected, query
