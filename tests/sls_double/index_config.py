"""An index's configuration: which fields are searched, how text falls into tokens, which columns
SQL sees."""

import dataclasses
import functools
import json
import re

from sls_double.errors import SlsError, parameter_invalid

TYPES = ("text", "long", "double", "json")
ALIASES = {"source": "__source__", "topic": "__topic__"}
_ALWAYS = {"__source__": {"type": "text", "token": [], "doc_value": True},
           "__topic__": {"type": "text", "token": [], "doc_value": True}}


class Tokens:
    """Splits text at delimiters; without delimiters a value is one token."""

    def __init__(self, delimiters, case_sensitive):
        self.fold = (lambda text: text) if case_sensitive else str.lower
        one = "".join(delimiters)
        self._split = re.compile(f"[{re.escape(one)}]+").split if one else None

    def of(self, text):
        text = self.fold(text)
        return [token for token in self._split(text) if token] if self._split else [text]


@dataclasses.dataclass
class Field:
    """What a name in a query means: a row's key, and for JSON the path below it."""

    key: str
    path: str  # "" for a plain field.
    type: str  # text, long or double; json for the whole of a JSON field.
    tokens: Tokens
    doc_value: bool

    def value(self, row):
        """The field's text in a row (a dict of texts), or None."""
        text = row.get(self.key)
        return text if text is None or not self.path else json_leaves(text).get(self.path)


class IndexConfig:
    def __init__(self, config):
        """`config` is the API's JSON; SlsError when it is not an index."""
        self.config = config
        self.max_text_len = config.get("max_text_len", 2048)
        self.line = config.get("line")
        self.line_tokens = Tokens(*_tokens(self.line, "line")) if self.line else None
        self.keys = _ALWAYS | config.get("keys", {})
        self._tokens = {name: Tokens(*_tokens(key, name) if key["type"] in ("text", "json") else ((), False))
                        for name, key in self.keys.items()}
        self._names = {key["alias"]: name for name, key in self.keys.items() if key.get("alias")}
        self._names |= ALIASES

    def find(self, name):
        """The Field that a name in a query or in SQL means, or None. The longest key wins."""
        if name in self.keys:
            return self._field(name)
        for position in range(len(name) - 1, 0, -1):
            key = self.keys.get(name[:position])
            if name[position] == "." and key and key["type"] == "json":
                return self._leaf(name[:position], name[position + 1:])
        return self._field(self._names[name]) if name in self._names else None

    def _field(self, name):
        key = self.keys[name]
        return Field(name, "", key["type"], self._tokens[name], key.get("doc_value", False))

    def _leaf(self, name, path):
        key = self.keys[name]
        leaf = key.get("json_keys", {}).get(path)
        if leaf is None and not key.get("index_all", False):
            return None
        leaf = leaf or {}
        return Field(name, path, leaf.get("type", "text"), self._tokens[name],
                     leaf.get("doc_value", key.get("doc_value", False)))

    def texts(self):
        """The plain text fields: what a word without a field searches when there is no line index."""
        return [self._field(name) for name, key in self.keys.items() if key["type"] == "text"]

    def line_keys(self, row):
        """The keys of a row that the line index covers; tags are never in it."""
        include, exclude = self.line.get("include_keys"), self.line.get("exclude_keys") or ()
        return [key for key in row if not key.startswith("__")
                and (key in include if include else key not in exclude)]

    def has_words(self, key):
        """Whether terms_of() may give anything for the values of a key."""
        return bool(self.line and self.line_keys((key,))
                    or key in self.keys and self.keys[key]["type"] in ("text", "json"))

    def terms_of(self, key, text):
        """The (field, path, token) of a value that a search may ask for; field "" is the line."""
        terms = []
        kind = self.keys[key]["type"] if key in self.keys else None
        if kind == "text":
            terms += [(key, "", token) for token in set(self._tokens[key].of(text))]
        elif kind == "json":
            split = self._tokens[key].of
            terms += [(key, path, token) for path, leaf in json_leaves(text).items()
                      for token in set(split(leaf))]
        if self.line and self.line_keys((key,)):
            terms += [("", "", token) for token in set(self.line_tokens.of(text))]
        return terms


@functools.lru_cache(maxsize=5000)
def json_leaves(text):
    """Path to text of every leaf of a JSON object, arrays left out; {} when it is none."""
    try:
        document = json.loads(text, parse_int=str, parse_float=str)
    except ValueError:
        return {}
    leaves = {}
    if isinstance(document, dict):
        _collect("", document, leaves)
    return leaves


def _collect(prefix, document, leaves):
    for key, value in document.items():
        path = f"{prefix}.{key}" if prefix else key
        if isinstance(value, dict):
            _collect(path, value, leaves)
        elif isinstance(value, bool):
            leaves.setdefault(path, "true" if value else "false")
        elif isinstance(value, str):
            # A flat key stands before a nested path of the same spelling.
            leaves[path] = value if not prefix else leaves.get(path, value)


def _tokens(config, name):
    token = config.get("token")
    if not isinstance(token, list) or not all(isinstance(each, str) for each in token):
        raise _invalid(f"'{name}' needs 'token', a list of characters")
    return token, bool(config.get("caseSensitive", False))


def check(config):
    """Raises SlsError unless `config` is an index that may be created."""
    if not isinstance(config, dict) or not (config.get("line") or config.get("keys")):
        raise _invalid("an index needs 'line' or 'keys'")
    line = config.get("line") or {}
    if line.get("include_keys") and line.get("exclude_keys"):
        raise _invalid("'include_keys' and 'exclude_keys' exclude each other")
    for name, key in (config.get("keys") or {}).items():
        if not isinstance(key, dict) or key.get("type") not in TYPES:
            raise _invalid(f"the type of '{name}' must be one of {', '.join(TYPES)}")
        if key["type"] in ("long", "double") and key.get("token"):
            raise _invalid(f"'{name}' is a number and takes no 'token'")
    if not 64 <= config.get("max_text_len", 2048) <= 16384:
        raise parameter_invalid("'max_text_len' must lie in 64..16384")
    IndexConfig(config)


def _invalid(message):
    return SlsError(400, "IndexInfoInvalid", message)
