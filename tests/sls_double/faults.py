"""Faults to inject: each meets the requests of an operation, a number of times, and then is gone.

A fault is a JSON object, as /_double/faults takes it; README.md has the table of its fields.
"""

import dataclasses
import threading


@dataclasses.dataclass
class Fault:
    op: str = "*"  # An operation's name, or * for every one.
    logstore: str = ""  # Of this logstore alone; "": of any.
    skip: int = 0  # So many matching requests pass first.
    times: int | None = 1  # None: for ever.
    status: int = 0  # Answer with this status, `code` and `message` and do nothing.
    code: str = "InternalServerError"
    message: str = "injected by a test"
    html: bool = False  # Let the body be HTML without a request id, as a load balancer does.
    drop: str = ""  # Close the connection: "before" applying the request, or "after".
    delay: float = 0.0  # Seconds to wait before the answer (and before applying it).
    incomplete: int | None = None  # Mark a query's answer Incomplete and keep so many rows.
    date_skew: float = 0.0  # Seconds to add to the Date header of the answer.

    @staticmethod
    def of(fields):
        """A Fault of a JSON object; ValueError says what is wrong with it."""
        unknown = sorted(set(fields) - set(Fault.__dataclass_fields__))
        if unknown:
            raise ValueError(f"no field '{unknown[0]}' in a fault; there are: "
                             + ", ".join(Fault.__dataclass_fields__))
        fault = Fault(**fields)
        if fault.drop not in ("", "before", "after"):
            raise ValueError("'drop' must be before or after")
        if fault.html and not fault.status:
            raise ValueError("'html' needs a 'status'")
        if fault == Fault(op=fault.op, logstore=fault.logstore, skip=fault.skip, times=fault.times):
            raise ValueError("the fault does nothing; give status, drop, delay, incomplete or date_skew")
        return fault


class Faults:
    """Thread-safe."""

    def __init__(self):
        self._lock = threading.Lock()
        self._faults = []

    def add(self, fault):
        with self._lock:
            self._faults.append(fault)

    def clear(self):
        with self._lock:
            self._faults.clear()

    def pending(self):
        with self._lock:
            return [dataclasses.asdict(fault) for fault in self._faults]

    def meet(self, op, logstore):
        """The first fault that this request meets, used up by one, or None."""
        with self._lock:
            for fault in self._faults:
                if fault.op not in ("*", op) or fault.logstore not in ("", logstore):
                    continue
                if fault.skip > 0:
                    fault.skip -= 1
                    continue
                if fault.times is not None:
                    fault.times -= 1
                    if fault.times == 0:
                        self._faults.remove(fault)
                return fault
        return None
