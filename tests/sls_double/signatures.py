"""SLS's two request signatures, as pure functions of what is on the wire.

V1 is HMAC-SHA1 over a few headers, V4 is HMAC-SHA256 with a key derived from date and region.
"""

import base64
import hashlib
import hmac
import urllib.parse



def v1_string_to_sign(method, path, params, headers):
    """`headers` with lower-case names, `params` decoded."""
    signed = sorted((name, value) for name, value in headers.items()
                    if name.startswith(("x-log-", "x-acs-")) and name != "x-log-date")
    resource = path
    if params:
        resource += "?" + "&".join(f"{key}={value}" for key, value in sorted(params.items()))
    return "\n".join([
        method, headers.get("content-md5", ""), headers.get("content-type", ""),
        headers.get("x-log-date") or headers.get("date", ""),
        *(f"{name}:{value}" for name, value in signed), resource])


def v1_signature(secret, string_to_sign):
    digest = hmac.digest(secret.encode(), _utf8(string_to_sign), "sha1")
    return base64.b64encode(digest).decode()


def v4_canonical_request(method, path, params, headers):
    signed = sorted((name, value) for name, value in headers.items()
                    if name in ("host", "content-type")
                    or name.startswith(("x-log-", "x-acs-")) and not name.startswith("x-log-meta-"))
    query = "&".join(f"{key}={v4_encode(value)}" if value else key
                     for key, value in sorted(params.items()))
    return "\n".join([
        method, path, query, "".join(f"{name}:{value}\n" for name, value in signed),
        ";".join(name for name, _ in signed), headers.get("x-log-content-sha256", "")])


def v4_encode(value):
    return urllib.parse.quote(_utf8(value), safe="~")


def v4_signature(secret, region, date_time, canonical_request):
    """`date_time` is x-log-date: YYYYMMDDTHHMMSSZ."""
    date = date_time[:8]
    digest = hashlib.sha256(_utf8(canonical_request)).hexdigest()
    to_sign = f"SLS4-HMAC-SHA256\n{date_time}\n{v4_scope(region, date)}\n{digest}"
    key = f"aliyun_v4{secret}".encode()
    for part in (date, region, "sls", "aliyun_v4_request"):
        key = hmac.digest(key, part.encode(), "sha256")
    return hmac.digest(key, to_sign.encode(), "sha256").hex()


def v4_scope(region, date):
    return f"{date}/{region}/sls/aliyun_v4_request"


def _utf8(text):
    return text.encode("utf-8", errors="surrogateescape")
