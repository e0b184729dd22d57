"""Deadlines that survive the way to the server."""

from __future__ import annotations

import math
import time
from datetime import timedelta

_LONGEST_S = 99_999_999 / 1000
_MARGIN_S = 0.001
_UNITS = ((1.0, 0.001), (10.0, 0.01), (100.0, 0.1), (1000.0, 1.0), (10_000.0, 10.0))


def seconds_of(timeout: float | timedelta | None) -> float | None:
    """Reads a timeout in seconds; None for none.

    Raises:
        ValueError: It is not above 0.
    """
    if timeout is None:
        return None
    seconds = timeout.total_seconds() if isinstance(timeout, timedelta) else float(timeout)
    if not seconds > 0:
        raise ValueError("timeout must be above 0 seconds; None for no deadline")
    return None if math.isinf(seconds) else min(seconds, _LONGEST_S)


def told_exactly(seconds: float) -> float:
    """Shortens a timeout to one that the server is told as it is.

    gRPC's core rounds what it tells the server up, by up to 1 % or 1 s. The server would then answer too late: it keeps a
    little time back to say why it could not do better, and the client has gone by then.
    """
    unit = next((unit for limit, unit in _UNITS if seconds <= limit), 100.0)
    whole = math.floor(seconds / unit + 1e-6) * unit
    return max(whole - _MARGIN_S, _MARGIN_S) if whole > 0 else seconds


class Deadline:
    """The time that is left for one call with all its repeats."""

    def __init__(self, seconds: float | None) -> None:
        self._at = None if seconds is None else time.monotonic() + seconds
        self._first = seconds

    def left(self) -> float | None:
        """Returns the seconds that are left; None for no deadline."""
        return None if self._at is None else self._at - time.monotonic()

    def timeout(self) -> float | None:
        """Returns the timeout of the next try; None for none."""
        left, self._first = self._first if self._first is not None else self.left(), None
        return None if left is None else told_exactly(max(left, _MARGIN_S))
