"""The index of a logstore of spans, as the tier creates it."""

DELIMITERS = list(", '\";=()[]{}?@&<>/:\n\t\r")

_ID = {"type": "text", "token": [], "caseSensitive": False, "doc_value": True}
_TEXT = {"type": "text", "token": DELIMITERS, "caseSensitive": False, "doc_value": True}
_LONG = {"type": "long", "doc_value": True}
_JSON = {"type": "json", "token": DELIMITERS, "caseSensitive": False, "doc_value": True,
         "index_all": True, "max_depth": -1, "json_keys": {}}

TRACE_INDEX = {
    "keys": {
        **dict.fromkeys(("traceID", "spanID", "parentSpanID", "__tag__:__pack_id__"), _ID),
        **dict.fromkeys(("service", "name", "host", "kind", "statusCode", "statusMessage", "traceState",
                         "otlp.name", "otlp.version", "links", "logs"), _TEXT),
        **dict.fromkeys(("start", "end", "duration", "flags"), _LONG),
        **dict.fromkeys(("attribute", "resource"), _JSON),
    },
    "max_text_len": 16384,
}
