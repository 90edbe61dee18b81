"""Projects, logstores and their indexes: create, get, change, delete, with SLS's codes."""

import json
import re

from sls_double import index_config
from sls_double.errors import SlsError, parameter_invalid
from sls_double.index_config import IndexConfig

_NAME = re.compile(r"[a-z0-9][a-z0-9_-]{1,61}[a-z0-9]")
_DEFAULTS = {"ttl": 30, "shardCount": 2, "enable_tracking": False, "autoSplit": False,
             "maxSplitShard": 0, "appendMeta": False, "telemetryType": "", "mode": "standard"}
_FIXED = ("shardCount", "mode", "telemetryType")  # An update cannot change these.


class Catalog:
    """Every method takes place in one transaction of the database."""

    def __init__(self, database, shards, settings):
        self._database = database
        self._shards = shards
        self._settings = settings
        self._parsed = {}  # Index version: IndexConfig.

    # Projects.

    def create_project(self, name, description=""):
        if not isinstance(name, str) or not _NAME.fullmatch(name):
            raise parameter_invalid(f"project name '{name}' is invalid")
        with self._database as db:
            if db.one("SELECT 1 FROM project WHERE name = ?", name):
                raise SlsError(400, "ProjectAlreadyExist", f"Project {name} already exist")
            db.run("INSERT INTO project VALUES (?, ?, ?)", name, description, int(self._settings.now()))

    def projects(self):
        with self._database as db:
            return [dict(row) for row in db.all("SELECT * FROM project ORDER BY name")]

    def project(self, name):
        """SlsError unless the project is there."""
        with self._database as db:
            row = db.one("SELECT * FROM project WHERE name = ?", name)
        if not row:
            raise SlsError(404, "ProjectNotExist", f"The Project does not exist : {name}")
        return dict(row)

    def delete_project(self, name):
        with self._database as db:
            self.project(name)
            for logstore in self.logstores(name):
                self.delete_logstore(name, logstore)
            db.run("DELETE FROM project WHERE name = ?", name)

    # Logstores.

    def create_logstore(self, project, config):
        config = dict(config)
        name = config.get("logstoreName")
        if not isinstance(name, str) or not _NAME.fullmatch(name):
            raise parameter_invalid(f"logstore name '{name}' is not 3 to 63 of a-z, 0-9, '-' and '_'")
        config = {**_DEFAULTS, **{key: value for key, value in config.items() if value is not None}}
        _check_logstore(config)
        now = int(self._settings.now())
        config |= {"createTime": now, "lastModifyTime": now}
        with self._database as db:
            self.project(project)
            if db.one("SELECT 1 FROM logstore WHERE project = ? AND name = ?", project, name):
                raise SlsError(400, "LogStoreAlreadyExist", f"logstore {name} already exists")
            made = db.run("INSERT INTO logstore (project, name, config) VALUES (?, ?, ?)",
                          project, name, json.dumps(config))
            self._shards.create(made.lastrowid, config["shardCount"])

    def logstores(self, project):
        with self._database as db:
            self.project(project)
            return [row["name"] for row in db.all(
                "SELECT name FROM logstore WHERE project = ? ORDER BY name", project)]

    def logstore(self, project, name):
        """Its row with `config` parsed; SlsError when it is not there."""
        with self._database as db:
            self.project(project)
            row = db.one("SELECT * FROM logstore WHERE project = ? AND name = ?", project, name)
        if not row:
            raise SlsError(404, "LogStoreNotExist", f"logstore {name} does not exist")
        return dict(row) | {"config": json.loads(row["config"])}

    def update_logstore(self, project, name, changes):
        with self._database as db:
            logstore = self.logstore(project, name)
            config = logstore["config"]
            for key in _FIXED:
                if changes.get(key) not in (None, "", config[key]):
                    raise parameter_invalid(f"invalid {key}, it can not be changed: {changes[key]}")
            config |= {key: value for key, value in changes.items()
                       if value is not None and key not in (*_FIXED, "logstoreName")}
            _check_logstore(config)
            config["lastModifyTime"] = int(self._settings.now())
            db.run("UPDATE logstore SET config = ? WHERE id = ?", json.dumps(config), logstore["id"])

    def delete_logstore(self, project, name):
        with self._database as db:
            logstore = self.logstore(project, name)["id"]
            db.run("DELETE FROM posting WHERE log_group IN (SELECT id FROM log_group WHERE logstore = ?)",
                   logstore)
            for table in ("log_row", "log_group", "shard", "index_version"):
                db.run(f"DELETE FROM {table} WHERE logstore = ?", logstore)
            db.run("DELETE FROM logstore WHERE id = ?", logstore)

    # Indexes.

    def create_index(self, project, name, config):
        index_config.check(config)
        with self._database:
            logstore = self.logstore(project, name)
            if logstore["index_version"]:
                raise SlsError(400, "IndexAlreadyExist", f"logstore {name} has an index already")
            self._set_index(logstore["id"], config)

    def update_index(self, project, name, config):
        index_config.check(config)
        with self._database:
            self._set_index(self._indexed(project, name)["id"], config)

    def _set_index(self, logstore, config):
        with self._database as db:
            made = db.run("INSERT INTO index_version (logstore, config, modified) VALUES (?, ?, ?)",
                          logstore, json.dumps(config), int(self._settings.now()))
            db.run("UPDATE logstore SET index_version = ? WHERE id = ?", made.lastrowid, logstore)

    def get_index(self, project, name):
        """The index's JSON as the API gives it."""
        with self._database as db:
            logstore = self._indexed(project, name)
            row = db.one("SELECT * FROM index_version WHERE id = ?", logstore["index_version"])
        return {"ttl": logstore["config"]["ttl"], "max_text_len": 2048, "log_reduce": False,
                "storage": "pg", **json.loads(row["config"]), "lastModifyTime": row["modified"]}

    def delete_index(self, project, name):
        """What is written already is found no more, also after a new index is made."""
        with self._database as db:
            logstore = self._indexed(project, name)["id"]
            db.run("UPDATE logstore SET index_version = NULL WHERE id = ?", logstore)
            db.run("UPDATE log_group SET index_version = NULL WHERE logstore = ?", logstore)

    def _indexed(self, project, name):
        logstore = self.logstore(project, name)
        if not logstore["index_version"]:
            raise SlsError(400, "IndexConfigNotExist", f"logstore {name} without index config")
        return logstore

    def searchable(self, project, name):
        """The logstore's row; SlsError when it has no index."""
        return self._indexed(project, name)

    def index(self, version):
        """The IndexConfig of a version."""
        with self._database as db:
            if version not in self._parsed:
                row = db.one("SELECT config FROM index_version WHERE id = ?", version)
                self._parsed[version] = IndexConfig(json.loads(row["config"]))
            return self._parsed[version]


def _check_logstore(config):
    _check_whole_number(config, "ttl", 1, 3650)
    _check_whole_number(config, "shardCount", 1, 100)
    if config["autoSplit"]:
        _check_whole_number(config, "maxSplitShard", 1, 256)
    if config["mode"] not in ("standard", "query"):
        raise parameter_invalid(f"invalid mode {config['mode']}")
    hot = config.get("hot_ttl") or 0
    if hot and not 7 <= hot < config["ttl"]:
        raise parameter_invalid(f"invalid hot_ttl {hot}: 7 to below ttl")


def _check_whole_number(config, name, low, high):
    value = config[name]
    if not isinstance(value, int) or isinstance(value, bool) or not low <= value <= high:
        raise parameter_invalid(f"invalid {name} {value!r}: {low} to {high}")
