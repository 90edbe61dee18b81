"""The file that everything lies in, one SQLite database; and the one lock over it."""

import pathlib
import sqlite3
import threading

_SCHEMA = """
CREATE TABLE IF NOT EXISTS project (
  name TEXT PRIMARY KEY, description TEXT, created INTEGER);
CREATE TABLE IF NOT EXISTS logstore (
  id INTEGER PRIMARY KEY AUTOINCREMENT, project TEXT, name TEXT, config TEXT, index_version INTEGER,
  UNIQUE (project, name));
CREATE TABLE IF NOT EXISTS index_version (
  id INTEGER PRIMARY KEY AUTOINCREMENT, logstore INTEGER, config TEXT, modified INTEGER);
CREATE TABLE IF NOT EXISTS shard (
  logstore INTEGER, id INTEGER, status TEXT, begin_key TEXT, end_key TEXT, created_ns INTEGER,
  groups INTEGER, PRIMARY KEY (logstore, id));
-- A LogGroup as it came, zstd; `sequence` counts within the shard.
CREATE TABLE IF NOT EXISTS log_group (
  id INTEGER PRIMARY KEY AUTOINCREMENT, logstore INTEGER, shard INTEGER, sequence INTEGER,
  received_ns INTEGER, time_max INTEGER, index_version INTEGER, envelope TEXT, raw BLOB);
CREATE INDEX IF NOT EXISTS log_group_by_shard ON log_group (logstore, shard, sequence);
-- id = group id * 65536 + place in the group.
CREATE TABLE IF NOT EXISTS log_row (
  id INTEGER PRIMARY KEY, logstore INTEGER, time INTEGER, nanoseconds INTEGER, contents TEXT);
CREATE INDEX IF NOT EXISTS log_row_by_time ON log_row (logstore, time);
-- The places in a group whose rows hold a term, 16 bits each, of this machine's byte order.
CREATE TABLE IF NOT EXISTS posting (
  term INTEGER, log_group INTEGER, rows BLOB, PRIMARY KEY (term, log_group)) WITHOUT ROWID;
"""


class Database:
    """Any thread may use it, within `with database:`, which is one transaction."""

    def __init__(self, directory):
        """`directory` is created; what an earlier double left there is found again."""
        pathlib.Path(directory).mkdir(parents=True, exist_ok=True)
        self._lock = threading.RLock()
        self._depth = 0
        self._connection = sqlite3.connect(
            pathlib.Path(directory) / "sls_double.sqlite", check_same_thread=False,
            isolation_level=None)
        self._connection.row_factory = sqlite3.Row
        self._connection.executescript(
            "PRAGMA synchronous=OFF; PRAGMA journal_mode=WAL; PRAGMA cache_size=-65536;" + _SCHEMA)

    def __enter__(self):
        self._lock.acquire()
        self._depth += 1
        if self._depth == 1:
            self._connection.execute("BEGIN")
        return self

    def __exit__(self, kind, error, trace):
        self._depth -= 1
        try:
            if self._depth == 0:
                self._connection.execute("COMMIT" if kind is None else "ROLLBACK")
        finally:
            self._lock.release()

    def all(self, statement, *values):
        return self._connection.execute(statement, values).fetchall()

    def one(self, statement, *values):
        return self._connection.execute(statement, values).fetchone()

    def run(self, statement, *values):
        return self._connection.execute(statement, values)

    def run_many(self, statement, rows):
        self._connection.executemany(statement, rows)

    def close(self):
        with self._lock:
            self._connection.close()
