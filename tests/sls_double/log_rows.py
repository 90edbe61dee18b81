"""Log groups on disk: written whole with their postings, and read back as rows or as groups."""

import array
import hashlib
import json

import zstandard

from sls_double.shards import cursor_of, sequence_of

GROUP_ROWS = 65536  # Row id = group id * GROUP_ROWS + place in the group.
_to_json = json.JSONEncoder(ensure_ascii=False).encode


class LogRows:
    """Every method takes place in one transaction of the database."""

    def __init__(self, database, settings):
        self._database = database
        self._settings = settings

    # Writing.

    def append(self, logstore, shard, group, raw, index):
        """Stores a checked Group with its raw bytes; `index` is an IndexConfig or None."""
        now_ns = int(self._settings.now() * 1e9)
        envelope = {"__source__": group.source, "__topic__": group.topic,
                    **{f"__tag__:{key}": value for key, value in group.tags.items()}}
        compressed = zstandard.ZstdCompressor(level=1).compress(raw)
        postings = self._postings_of(logstore["id"], group, envelope, index) if index else {}
        rows = [_to_json(contents) for _, _, contents in group.rows]
        with self._database as db:
            sequence = db.one("UPDATE shard SET groups = groups + 1 WHERE logstore = ? AND id = ? "
                              "RETURNING groups - 1 AS sequence",
                              logstore["id"], shard["id"])["sequence"]
            group_id = db.run(
                "INSERT INTO log_group (logstore, shard, sequence, received_ns, time_max, index_version, "
                "envelope, raw) VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
                logstore["id"], shard["id"], sequence, now_ns, max(row[0] for row in group.rows),
                logstore["index_version"], _to_json(envelope), compressed).lastrowid
            first = group_id * GROUP_ROWS
            db.run_many("INSERT INTO log_row VALUES (?, ?, ?, ?, ?)",
                        ((first + place, logstore["id"], time, nanoseconds, rows[place])
                         for place, (time, nanoseconds, _) in enumerate(group.rows)))
            db.run_many("INSERT INTO posting VALUES (?, ?, ?)",
                        ((term, group_id, _places_blob(places))
                         for term, places in sorted(postings.items())))

    def _postings_of(self, logstore, group, envelope, index):
        """Term id to places in the group. Equal values of one key are split into tokens once."""
        places = {key: {value: range(len(group.rows))} for key, value in envelope.items()}
        for place, (_, _, contents) in enumerate(group.rows):
            for key, value in contents.items():
                if key not in places:
                    places[key] = {} if index.has_words(key) else None
                of_key = places[key]
                if of_key is not None:
                    of_key.setdefault(value, []).append(place)
        postings = {}
        for key, values in places.items():
            for value, found in (values or {}).items():
                for term in index.terms_of(key, value):
                    postings.setdefault(term, []).extend(found)
        return {_term_id(logstore, term): found for term, found in postings.items()}

    # Searching.

    def postings(self, logstore, term):
        """The ids of the rows that hold a term (field, path, token), as a set."""
        with self._database as db:
            found = db.all("SELECT log_group, rows FROM posting WHERE term = ?",
                           _term_id(logstore, term))
        return {row["log_group"] * GROUP_ROWS + place
                for row in found for place in array.array("H", row["rows"])}

    def visible_groups(self, logstore):
        """Group id to index version of what queries see by now."""
        visible_ns = int((self._settings.now() - self._settings.index_delay) * 1e9)
        with self._database as db:
            return {row["id"]: row["index_version"] for row in db.all(
                "SELECT id, index_version FROM log_group WHERE logstore = ? AND received_ns <= ? "
                "AND index_version IS NOT NULL", logstore, visible_ns)}

    def window(self, logstore, first, last, ids=None):
        """(time, nanoseconds or 0, row id) in order of time, first <= time < last, all or of `ids`."""
        values = [logstore, first, last]
        where = "logstore = ? AND time >= ? AND time < ?"
        if ids is not None:
            # With ids SQLite must not walk the index of times: a + keeps it from that.
            where = "+logstore = ? AND +time >= ? AND +time < ? AND id IN (SELECT value FROM json_each(?))"
            values.append(json.dumps(ids))
        with self._database as db:
            return [tuple(row) for row in db.all(
                f"SELECT time, COALESCE(nanoseconds, 0), id FROM log_row WHERE {where} ORDER BY 1, 2, 3",
                *values)]

    def read(self, ids):
        """Yields each row as the API shows it: a dict of texts."""
        for begin in range(0, len(ids), 500):
            yield from self.read_by_id(ids[begin:begin + 500]).values()

    def read_by_id(self, ids):
        """Row id to row, in the order of `ids`; rows that were deleted meanwhile are left out."""
        envelopes = {}
        with self._database as db:
            found = {row["id"]: row for row in db.all(
                "SELECT * FROM log_row WHERE id IN (SELECT value FROM json_each(?))", json.dumps(ids))}
            return {row_id: self._as_shown(found[row_id], envelopes) for row_id in ids if row_id in found}

    def _as_shown(self, row, envelopes):
        group = row["id"] // GROUP_ROWS
        if group not in envelopes:
            with self._database as db:
                envelopes[group] = json.loads(
                    db.one("SELECT envelope FROM log_group WHERE id = ?", group)["envelope"])
        shown = {**json.loads(row["contents"]), **envelopes[group], "__time__": str(row["time"])}
        if row["nanoseconds"] is not None:
            shown["__time_ns_part__"] = str(row["nanoseconds"])
        return shown

    # Pulling.

    def pull(self, shard, cursor, count, end_cursor=None):
        """(raw LogGroups, next cursor) from `cursor` on, expired ones left out."""
        first = sequence_of(shard, cursor)
        last = min(first + count,
                   shard["groups"] if end_cursor is None else sequence_of(shard, end_cursor))
        last = max(first, last)
        with self._database as db:
            groups = db.all("SELECT raw FROM log_group WHERE logstore = ? AND shard = ? "
                            "AND sequence >= ? AND sequence < ? ORDER BY sequence",
                            shard["logstore"], shard["id"], first, last)
        unpack = zstandard.ZstdDecompressor()
        return [unpack.decompress(group["raw"]) for group in groups], cursor_of(shard, last)

    # Expiry.

    def drop_expired(self, logstore, ttl_seconds):
        """Deletes groups whose newest log is past its time to live; returns how many."""
        oldest = self._settings.now() - ttl_seconds
        with self._database as db:
            old = [row["id"] for row in db.all(
                "SELECT id FROM log_group WHERE logstore = ? AND time_max < ?", logstore, oldest)]
            for group in old:
                db.run("DELETE FROM log_row WHERE id >= ? AND id < ?",
                       group * GROUP_ROWS, (group + 1) * GROUP_ROWS)
            chosen = "IN (SELECT value FROM json_each(?))"
            if old:
                db.run(f"DELETE FROM posting WHERE log_group {chosen}", json.dumps(old))
                db.run(f"DELETE FROM log_group WHERE id {chosen}", json.dumps(old))
        return len(old)



def _term_id(logstore, term):
    """64 bits of a hash: two terms of one id would need billions of terms."""
    text = "\0".join((str(logstore), *term)).encode()
    return int.from_bytes(hashlib.blake2b(text, digest_size=8).digest(), "big", signed=True)


def _places_blob(places):
    # A row is named twice when two of its values hold the term.
    return array.array("H", sorted(set(places)) if len(places) > 1 else places).tobytes()
