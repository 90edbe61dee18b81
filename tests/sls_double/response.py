"""What is answered, before it becomes bytes of HTTP."""

import dataclasses
import json


@dataclasses.dataclass
class Response:
    status: int = 200
    headers: dict = dataclasses.field(default_factory=dict)
    body: bytes = b""


def json_response(value, status=200, **headers):
    """Header names are given with _ for -."""
    named = {name.replace("_", "-"): str(each) for name, each in headers.items()}
    return Response(status, {"Content-Type": "application/json"} | named,
                    json.dumps(value, ensure_ascii=False).encode())
