"""Shards: ranges of a 128-bit hash key, the cursors into them, split and merge.

A cursor is the base64 of a decimal number: the shard's creation in ns plus the count of LogGroups
before it, so the cursors of one answer are consecutive, as SDKs assume.
"""

import base64
import binascii
import itertools
import re

from sls_double.errors import SlsError, parameter_invalid

_KEYS_END = 1 << 128


def _hex(key):
    return f"{min(key, _KEYS_END - 1):032x}"


class Shards:
    """Every method takes place in one transaction of the database."""

    def __init__(self, database, settings):
        self._database = database
        self._settings = settings
        self._turn = itertools.count()

    def create(self, logstore, count):
        step = _KEYS_END // count
        bounds = [number * step for number in range(count)] + [_KEYS_END]
        for begin, end in itertools.pairwise(bounds):
            self._add(logstore, _hex(begin), _hex(end))

    def _add(self, logstore, begin, end):
        with self._database as db:
            db.run("INSERT INTO shard SELECT ?, COALESCE(MAX(id) + 1, 0), 'readwrite', ?, ?, ?, 0 "
                   "FROM shard WHERE logstore = ?",
                   logstore, begin, end, int(self._settings.now() * 1e9), logstore)

    def list(self, logstore):
        with self._database as db:
            return [as_json(row) for row in db.all(
                "SELECT * FROM shard WHERE logstore = ? ORDER BY id", logstore)]

    def get(self, logstore, shard_id):
        """The shard's row; `shard_id` is text of a path."""
        with self._database as db:
            row = shard_id.isdigit() and db.one(
                "SELECT * FROM shard WHERE logstore = ? AND id = ?", logstore, int(shard_id))
        if not row:
            raise SlsError(400, "ShardNotExist", f"shard {shard_id} does not exist")
        return row

    def choose(self, logstore, key=None):
        """The row of the shard to write to: by hash key (32 hex digits), or in turn."""
        with self._database as db:
            open_ones = db.all("SELECT * FROM shard WHERE logstore = ? AND status = 'readwrite' "
                               "ORDER BY begin_key", logstore)
        if key is None:
            return open_ones[next(self._turn) % len(open_ones)]
        key = check_key(key)
        return [shard for shard in open_ones if shard["begin_key"] <= key][-1]

    # Split and merge.

    def split(self, logstore, shard_id, key="", count=2):
        with self._database as db:
            shard = self._open(logstore, shard_id)
            begin, end = int(shard["begin_key"], 16), int(shard["end_key"], 16)
            if key:
                bounds = [begin, int(check_key(key), 16), end]
            else:
                bounds = [begin + (end - begin) * part // count for part in range(count + 1)]
            if any(low >= high for low, high in itertools.pairwise(bounds)):
                raise parameter_invalid(f"key {key} does not lie inside shard {shard_id}")
            db.run("UPDATE shard SET status = 'readonly' WHERE logstore = ? AND id = ?",
                   logstore, shard["id"])
            newest = self.list(logstore)[-1]["shardID"]
            for low, high in itertools.pairwise(bounds):
                self._add(logstore, _hex(low), _hex(high))
            return [each for each in self.list(logstore)
                    if each["shardID"] == shard["id"] or each["shardID"] > newest]

    def merge(self, logstore, shard_id):
        """With the neighbour to the right."""
        with self._database as db:
            shard = self._open(logstore, shard_id)
            right = db.one("SELECT * FROM shard WHERE logstore = ? AND status = 'readwrite' "
                           "AND begin_key = ?", logstore, shard["end_key"])
            if not right:
                raise parameter_invalid(f"shard {shard_id} has no neighbour to merge with")
            old = (shard["id"], right["id"])
            db.run("UPDATE shard SET status = 'readonly' WHERE logstore = ? AND id IN (?, ?)",
                   logstore, *old)
            self._add(logstore, shard["begin_key"], right["end_key"])
            found = self.list(logstore)
            return [each for each in found if each["shardID"] in (*old, found[-1]["shardID"])]

    def _open(self, logstore, shard_id):
        shard = self.get(logstore, shard_id)
        if shard["status"] != "readwrite":
            raise parameter_invalid(f"shard {shard_id} is readonly")
        return shard

    # Cursors.

    def cursor_at(self, shard, moment):
        """`moment` is begin, end, or unix seconds of receipt."""
        if moment == "begin":
            return cursor_of(shard, 0)
        if moment == "end":
            return cursor_of(shard, shard["groups"])
        if not re.fullmatch(r"\d{1,11}", moment):
            raise parameter_invalid(f"from '{moment}' is not begin, end or unix seconds")
        with self._database as db:
            row = db.one("SELECT MIN(sequence) AS first FROM log_group WHERE logstore = ? "
                         "AND shard = ? AND received_ns >= ?",
                         shard["logstore"], shard["id"], int(moment) * 10**9)
        return cursor_of(shard, shard["groups"] if row["first"] is None else row["first"])

    def cursor_time(self, shard, cursor):
        """Unix seconds of receipt of the group at the cursor; of now at the end."""
        with self._database as db:
            row = db.one("SELECT MIN(received_ns) AS ns FROM log_group WHERE logstore = ? "
                         "AND shard = ? AND sequence >= ?",
                         shard["logstore"], shard["id"], sequence_of(shard, cursor))
        return int(self._settings.now()) if row["ns"] is None else row["ns"] // 10**9


def cursor_of(shard, sequence):
    return base64.b64encode(str(shard["created_ns"] + sequence).encode()).decode()


def sequence_of(shard, cursor):
    """Undoes cursor_of; SlsError when it is no cursor of this shard."""
    try:
        number = int(base64.b64decode(cursor, validate=True)) - shard["created_ns"]
    except (ValueError, binascii.Error):
        number = -1
    if not 0 <= number <= shard["groups"]:
        raise SlsError(400, "InvalidCursor", f"cursor '{cursor}' is not of shard {shard['id']}")
    return number


def check_key(key):
    if not re.fullmatch(r"[0-9a-fA-F]{32}", key):
        raise parameter_invalid(f"hash key '{key}' is not 32 hex digits")
    return key.lower()


def as_json(row):
    return {"shardID": row["id"], "status": row["status"], "inclusiveBeginKey": row["begin_key"],
            "exclusiveEndKey": row["end_key"], "createTime": row["created_ns"] // 10**9}
