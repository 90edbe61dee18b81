"""The published vectors of both signatures."""

import hashlib

import pytest

from sls_double import signatures
from sls_double.request import Request

SECRET = "mockAccessKeySecret"
DATE = "Mon, 02 Jan 2023 03:04:05 GMT"
GROUP = bytes.fromhex(
    "0a380880e2cfaa06121b0a0774726163654944121030303030303030303030303030616263120e0a046e616d65120647"
    "4554202f782515cd5b071a0022093132372e302e302e3132120a0b5f5f7061636b5f69645f5f1203502d31")
SEARCH = ("/logstores/demo-traces?from=1700000000&line=100&offset=0&query=%2A+and+service%3A+svc-a+%7C+"
          "select+traceid+from+log+where+name+like+%27GET+%2F%E4%BD%A0%25%27+limit+20&reverse=false"
          "&to=1700003600&topic=&type=log")


def v1(method, target, headers, body=b"", date=DATE):
    request = Request(method, target, {"Date": date, "X-Log-Apiversion": "0.6.0",
                                       "X-Log-SignatureMethod": "hmac-sha1", **headers}, body)
    return signatures.v1_signature(SECRET, signatures.v1_string_to_sign(
        request.method, request.path, request.params, request.headers))


def put_headers(**more):
    return {"Content-MD5": hashlib.md5(GROUP).hexdigest().upper(),
            "Content-Type": "application/x-protobuf", "x-log-bodyrawsize": "91", **more}


def test_v1_put():
    assert v1("POST", "/logstores/demo-traces/shards/lb", put_headers()) == "Kqhq3gQEctrgtdNSqr/ikRT4xyg="


def test_v1_does_not_sign_the_copy_of_the_date():
    assert v1("POST", "/logstores/demo-traces/shards/lb", put_headers(**{"x-log-date": DATE}),
              date="gone") == "Kqhq3gQEctrgtdNSqr/ikRT4xyg="


@pytest.mark.parametrize("target", [SEARCH, "http://proj.127.0.0.1:8080" + SEARCH])
def test_v1_query_is_signed_decoded(target):
    assert v1("GET", target, {"x-log-bodyrawsize": "0"}) == "mO2QzVzZ8s1vjrJ6TUdj4wjssOE="


def test_v1_signs_the_token_of_sts():
    body = (b'{"from":1700000000,"to":1700003600,"topic":"","line":100,"offset":0,"reverse":false,'
            b'"query":"traceID: 0000000000000abc","powerSql":false,"fromNs":0,"toNs":0,"highlight":false}')
    assert v1("POST", "/logstores/demo-traces/logs", {
        "Content-MD5": hashlib.md5(body).hexdigest().upper(), "Content-Type": "application/json",
        "x-acs-security-token": "sts-token-1", "x-log-bodyrawsize": "175"}) == "V2hi/ZEiQPSFG8UzJHGDrqjDgM8="


def test_v1_put_by_hash_key():
    assert v1("POST", "/logstores/demo-traces/shards/route?key=14d2f850ad6ea48e46e4547edbbb27e0",
              put_headers(**{"x-log-compresstype": "lz4"})) == "DyVtXBt9+xrtqQHu5o3nt6BOXwc="


def test_v1_of_the_sdk_for_go():
    date = "Mon, 3 Jan 2010 08:33:47 GMT"
    assert v1("GET", "/logstores", {"x-log-bodyrawsize": "0"}, date=date) == "Rwm6cTKzoti4HWoe+GKcb6Kv07E="
    assert v1("GET", "/logstores/app_log", {
        "Content-MD5": "8D6881250FF5559F59BBDF04100F6E59", "Content-Type": "application/x-protobuf",
        "x-log-bodyrawsize": "50"}, date=date) == "87xQWqFaOSewqRIma8kPjGYlXHc="


def test_v1_ignores_a_bare_question_mark():
    assert v1("POST", "/logstores/demo-traces/shards/lb?", put_headers()) == "Kqhq3gQEctrgtdNSqr/ikRT4xyg="


def v4(method, target, headers, body, secret=SECRET, region="cn-hangzhou"):
    request = Request(method, target, {"x-log-content-sha256": hashlib.sha256(body).hexdigest(), **headers})
    canonical = signatures.v4_canonical_request(method, request.path, request.params, request.headers)
    return (hashlib.sha256(canonical.encode()).hexdigest(), signatures.v4_signature(
        secret, region, request.headers["x-log-date"], canonical))


V4_HEADERS = {"x-log-date": "20230102T030405Z", "host": "proj.cn-hangzhou.log.aliyuncs.com",
              "x-log-apiversion": "0.6.0"}


def test_v4_put():
    assert v4("POST", "/logstores/demo-traces/shards/lb", {
        **V4_HEADERS, "content-type": "application/x-protobuf", "x-log-bodyrawsize": "91"}, GROUP) == (
            "c1688377c3bc192683f9a687dc51fa6e9924cf4ea5726e21950122a0231ac337",
            "3121b7276c45ad2eaed0fd693d96101ba421922ba0c7388f895313fc7a4116b3")


def test_v4_query():
    assert v4("GET", SEARCH, {**V4_HEADERS, "x-log-bodyrawsize": "0"}, b"") == (
        "e049907e2ebf6574e184da79d23a1890aec082fb8a414869771dee580972811a",
        "1b2e84478438f78c184fbce4d9439befa800859f96501b8f0b2a1bc839a490ef")


@pytest.mark.parametrize("method, target, region, body, odd_headers, expected", [
    ("POST", "/logstores?+abc=efg&+agc+=&=efg&A-bc=eFg", "cn-hangzhou", b"adasd= -asd zcas", True,
     "a98f5632e93836e63839cd836a54055f480020a9364ca944e2d34f2eb9bf1bed"),
    ("POST", "/logstores", "cn-shanghai", b"adasd= -asd zcas", False,
     "8a10a5e723cb2e75964816de660b2c16a58af8bc0261f7f0722d832468c76ce8"),
    ("POST", "/logstores?+abc=efg&+agc+=&=efg&A-bc=eFg", "cn-hangzhou", b"", True,
     "5a66d8f8051983e0e9d08e0f960ef9252ef971eead5bb5c7acec8617a2eb2701"),
    ("GET", "/logstores?+abc=efg&+agc+=&=efg&A-bc=eFg", "cn-hangzhou", b"", True,
     "d92741852500791d662a8d469ff61627c0559ecd86c3f59b7bf6772b6c62666a"),
    ("POST", "/logstores/hello/a+*~bb/cc?+abc=efg&+agc+=&=efg&A-bc=eFg&abs-ij*asd%2Fvc=a~js%2Bd+ada"
     "&a+abAas123%2Fvc=a~jdad+a2ADFs%2Bd+ada", "cn-hangzhou", b"adasd= -asd zcas", True,
     "2c204068e961a8813a6bcf7ac422f7fa6e9bf9a5da493e0165dfe100854d18ff"),
])
def test_v4_of_the_sdks(method, target, region, body, odd_headers, expected):
    headers = {"x-log-date": "20220808T032330Z"}
    if odd_headers:
        headers |= {"hello": "world", "hello-Text": "a12X- ", " Ko ": "", "": "AA",
                    "x-log-test": "het123", "x-acs-ppp": "dds"}
    assert v4(method, target, headers, body, "zxasdasdasw2", region)[1] == expected


def test_v4_encoding_of_values():
    assert signatures.v4_encode("123abc!@#$%^&*()-=_+ ~|\\/`") == (
        "123abc%21%40%23%24%25%5E%26%2A%28%29-%3D_%2B%20~%7C%5C%2F%60")
