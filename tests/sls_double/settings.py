"""What can be set, at start and later by /_double/settings, and the clock that obeys it.

Times are in seconds, sizes in bytes. A value is replaced whole, so threads may read it any time.
"""

import dataclasses
import time

DAY = 86400
MIB = 1 << 20


@dataclasses.dataclass
class Settings:
    clock_offset: float = 0.0  # Added to this machine's time, everywhere.
    check_signature: bool = True
    check_skew: bool = True
    skew_max: float = 900.0  # Between a request's date and the clock, either way.
    region: str = ""  # Signature V4 must name this region; empty takes any.
    window_past: float = 7.0 * DAY  # A log's time must lie in [now - past, now + future].
    window_future: float = 900.0
    window_status: int = 400  # The documents give 400 and 499.
    group_size_max: int = 10 * MIB  # Of one LogGroup, uncompressed.
    logs_max: int = 4096  # In one LogGroup; at most 65536.
    value_size_max: int = MIB
    index_delay: float = 0.0  # From a write until queries see it.

    def change(self, changes):
        """Takes a dict of some of the fields; raises ValueError and changes nothing on a bad one."""
        checked = {}
        for name, value in changes.items():
            if name not in self.__dataclass_fields__:
                raise ValueError(f"no setting '{name}'; there are: "
                                 + ", ".join(self.__dataclass_fields__))
            kind = type(getattr(self, name))
            fits = isinstance(value, (int, float)) and not isinstance(value, bool) \
                if kind in (int, float) else isinstance(value, kind)
            if not fits:
                raise ValueError(f"'{name}' must be of type {kind.__name__}, not {value!r}")
            checked[name] = kind(value)
        if not 0 < checked.get("logs_max", 1) <= 65536:
            raise ValueError("'logs_max' must lie in 1..65536")
        for name, value in checked.items():
            setattr(self, name, value)

    def now(self):
        """Unix seconds of the double's clock."""
        return time.time() + self.clock_offset
