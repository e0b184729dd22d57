"""When a call is repeated."""

from __future__ import annotations

import random
from typing import Final

from understudy._deadline import Deadline
from understudy._errors import Error, was_never_reached

DEFAULT_MAX_RETRIES: Final = 2
"""How often a call is repeated by default."""

_FIRST_BACKOFF_S = 0.25
_GROWTH = 4.0
_LEAST_TRY_S = 0.01
_ROUND_S = 0.2


class Repeats:
    """The repeats of one call: only where they cannot bill twice, after the wait that was asked for, within the deadline."""

    def __init__(self, max_retries: int, deadline: Deadline, channels: int, *, waits_for_ready: bool) -> None:
        self._left = max_retries
        self._deadline = deadline
        self._backoff = _FIRST_BACKOFF_S
        self._channels = channels
        # Another gateway is asked at once where this one cannot be reached; that is part of the balancing.
        self._others = channels - 1
        self._waits_for_ready = waits_for_ready

    def wait(self, error: Error) -> float | None:
        """Returns how long to wait before the repeat, in seconds; None where the error is the caller's."""
        if not error.may_retry:
            return None
        left = self._deadline.left()
        if self._others > 0 and was_never_reached(error.decoded) and (left is None or left > _LEAST_TRY_S):
            self._others -= 1
            return 0.0
        if self._waits_for_ready and was_never_reached(error.decoded) and (left is None or left > _ROUND_S):
            self._others = self._channels - 1
            return _ROUND_S
        if self._left <= 0:
            return None
        wait = error.retry_after
        if wait is None:
            wait = self._backoff * random.uniform(0.8, 1.2)  # noqa: S311 - no secret
            self._backoff *= _GROWTH
        if left is not None and wait + _LEAST_TRY_S > left:
            return None
        self._left -= 1
        return wait
