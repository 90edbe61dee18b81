"""The double's own calls, below /_double: faults, settings, keys, and what was asked. Unsigned."""

import dataclasses
import json

from sls_double import routes
from sls_double.errors import SlsError
from sls_double.faults import Fault
from sls_double.response import json_response


class Admin:
    def __init__(self, double):
        self._double = double
        self._calls = {
            ("GET", "/_double"): self._help,
            ("GET", "/_double/faults"): self._faults,
            ("POST", "/_double/faults"): self._add_faults,
            ("DELETE", "/_double/faults"): self._clear_faults,
            ("GET", "/_double/settings"): self._settings,
            ("PUT", "/_double/settings"): self._change_settings,
            ("POST", "/_double/keys"): self._add_key,
            ("GET", "/_double/requests"): self._requests,
        }

    def answer(self, request):
        call = self._calls.get((request.method, request.path.rstrip("/")))
        try:
            if call is None:
                raise SlsError(404, "InvalidUrl", f"no {request.method} {request.path}; GET /_double helps")
            return call(request)
        except (ValueError, TypeError) as error:
            return json_response({"errorCode": "ParameterInvalid", "errorMessage": str(error)}, 400)
        except SlsError as error:
            return json_response(error.body(), error.status)

    def _help(self, request):
        return json_response({"calls": [" ".join(call) for call in self._calls],
                              "operations": routes.NAMES, "fault": dataclasses.asdict(Fault()),
                              "settings": dataclasses.asdict(self._double.settings)})

    def _faults(self, request):
        return json_response(self._double.faults.pending())

    def _add_faults(self, request):
        """One fault or a list of them; none is added when one is wrong."""
        given = json.loads(request.body)
        faults = [Fault.of(fields) for fields in (given if isinstance(given, list) else [given])]
        for fault in faults:
            if fault.op not in ("*", "ListProjects", *routes.NAMES):
                raise ValueError(f"no operation '{fault.op}'; there are: " + ", ".join(routes.NAMES))
        for fault in faults:
            self._double.faults.add(fault)
        return self._faults(request)

    def _clear_faults(self, request):
        self._double.faults.clear()
        return self._faults(request)

    def _settings(self, request):
        return json_response(dataclasses.asdict(self._double.settings))

    def _change_settings(self, request):
        self._double.settings.change(json.loads(request.body))
        return self._settings(request)

    def _add_key(self, request):
        """{"id", "secret"} and for STS "token" and "expires_in" seconds; an id of old is replaced."""
        key = json.loads(request.body)
        now = self._double.settings.now()
        self._double.accounts.add(key["id"], key["secret"], key.get("token", ""),
                                  now + key.get("expires_in", float("inf")))
        return json_response({})

    def _requests(self, request):
        last, counts = self._double.requests()
        return json_response({"counts": counts, "last": last})
