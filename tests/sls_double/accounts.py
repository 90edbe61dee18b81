"""Who may call: access keys and STS tokens, and the check of a request's signature and date."""

import dataclasses
import datetime
import email.utils
import hashlib
import hmac
import re

from sls_double import signatures
from sls_double.errors import SlsError


@dataclasses.dataclass
class AccessKey:
    secret: str
    token: str = ""  # STS: the request must carry it.
    expires: float = float("inf")  # Unix seconds on the double's clock.


class Accounts:
    def __init__(self, settings):
        self.settings = settings
        self.keys = {}  # By access key id.

    def add(self, key_id, secret, token="", expires=float("inf")):
        self.keys[key_id] = AccessKey(secret, token, expires)

    def check(self, request):
        """Raises SlsError unless the request is dated now and signed by a key that is known."""
        authorization = request.header("authorization")
        if not authorization:
            raise SlsError(400, "MissingAuthorization", "header Authorization is missing")
        if request.header("x-log-apiversion") != "0.6.0":
            name = "InvalidAPIVersion" if request.header("x-log-apiversion") else "MissingAPIVersion"
            raise SlsError(400, name, "header x-log-apiversion must be 0.6.0")
        if authorization.startswith("SLS4-HMAC-SHA256 "):
            self._check_v4(request, authorization)
        else:
            self._check_v1(request, authorization)

    def _check_v1(self, request, authorization):
        match = re.fullmatch(r"(?:LOG|SLS) ([^:\s]+):(\S+)", authorization)
        if not match:
            raise SlsError(400, "InvalidAuthorization",
                           "header Authorization is not 'LOG <access key id>:<signature>'")
        if request.header("x-log-signaturemethod") != "hmac-sha1":
            raise SlsError(400, "InvalidSignatureMethod",
                           "header x-log-signaturemethod must be hmac-sha1")
        date = request.header("x-log-date") or request.header("date")
        if not date:
            raise SlsError(400, "MissingDate", "header Date is missing")
        try:
            seconds = email.utils.parsedate_to_datetime(date).timestamp()
        except (TypeError, ValueError) as error:
            raise SlsError(400, "InvalidDateFormat", f"date '{date}' is not RFC 1123") from error
        md5 = hashlib.md5(request.body).hexdigest().upper() if request.body else ""
        self._check_signature(
            request, seconds, match[1], match[2], request.header("content-md5") == md5,
            lambda secret: signatures.v1_signature(secret, signatures.v1_string_to_sign(
                request.method, request.path, request.params, request.headers)))

    def _check_v4(self, request, authorization):
        match = re.fullmatch(
            r"SLS4-HMAC-SHA256 Credential=([^/]+)/(\d{8})/([^/]+)/sls/aliyun_v4_request,"
            r"\s*Signature=([0-9a-f]{64})", authorization)
        date = request.header("x-log-date")
        if not match or not re.fullmatch(r"\d{8}T\d{6}Z", date) or match[2] != date[:8]:
            raise SlsError(400, "InvalidAuthorization", (
                "signature V4 needs x-log-date as YYYYMMDDTHHMMSSZ and Authorization "
                "'SLS4-HMAC-SHA256 Credential=<id>/<date>/<region>/sls/aliyun_v4_request,"
                "Signature=<hex>'"))
        if self.settings.region not in ("", match[3]):
            raise SlsError(401, "SignatureNotMatch", f"region '{match[3]}' is not this one")
        seconds = datetime.datetime.strptime(date + "+0000", "%Y%m%dT%H%M%SZ%z").timestamp()
        sha256 = hashlib.sha256(request.body).hexdigest()
        self._check_signature(
            request, seconds, match[1], match[4], request.header("x-log-content-sha256") == sha256,
            lambda secret: signatures.v4_signature(
                secret, match[3], date, signatures.v4_canonical_request(
                    request.method, request.path, request.params, request.headers)))

    def _check_signature(self, request, seconds, key_id, given, body_matches, sign):
        """`body_matches`: the digest in the headers is the body's. `sign` maps secret to signature."""
        now = self.settings.now()
        if self.settings.check_skew and abs(seconds - now) > self.settings.skew_max:
            raise SlsError(400, "RequestTimeTooSkewed",
                           f"request time {seconds:.0f} is too far from server time {now:.0f}")
        key = self.keys.get(key_id)
        if not self.settings.check_signature:
            return
        if key is None:
            raise SlsError(401, "Unauthorized", "AccessKeyId not found")
        if request.header("x-acs-security-token") != key.token:
            raise SlsError(401, "SecurityTokenInvalid", "the security token is not this key's")
        if now >= key.expires:
            raise SlsError(401, "SecurityTokenExpired", "the security token has expired")
        if not body_matches:
            raise SlsError(401, "SignatureNotMatch", "the digest in the headers is not the body's")
        if not hmac.compare_digest(sign(key.secret).encode(), given.encode()):
            raise SlsError(401, "SignatureNotMatch", "signature does not match")
