"""Options of one call, and the metadata that goes with it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import timedelta
from typing import Final

from typing_extensions import TypedDict

from understudy._deadline import Deadline, seconds_of
from understudy._errors import Error
from understudy._retry import Repeats

Metadata = Mapping[str, str | bytes] | Iterable[tuple[str, str | bytes]]
"""Metadata of calls: a mapping, or pairs. Names are written in lower case; values of names that end in ``-bin`` are bytes."""


class CallOptions(TypedDict, total=False):
    """Options that every call takes, as keyword arguments."""

    timeout: float | timedelta | None
    """Deadline from now, in seconds or as a timedelta: the budget of the whole chain of providers, repeats included.
    Default: that of the method. None sends none; the gateway then uses its own."""
    metadata: Metadata | None
    """Metadata of the call. Wins over that of the client."""
    request_id: str | None
    """Own id of the request (``x-request-id``), at most 128 printable ASCII characters. It comes back in answers and errors."""
    traceparent: str | None
    """W3C trace context of the caller. ``tracestate`` goes by ``metadata``."""
    wait_for_ready: bool | None
    """Whether to wait, within the deadline, for a gateway that can be reached, instead of failing at once."""
    max_retries: int | None
    """How often the call is repeated where that cannot bill twice. Default: that of the client."""


class Plan:
    """One call, ready to be made, once or again."""

    def __init__(
        self,
        options: CallOptions,
        *,
        default_timeout: float | None,
        client_metadata: list[tuple[str, str | bytes]],
        wait_for_ready: bool,
        max_retries: int,
        channels: int,
    ) -> None:
        if unknown := sorted(set(options) - CallOptions.__annotations__.keys()):
            raise TypeError(f"got an unexpected keyword argument {unknown[0]!r}")
        timeout = options.get("timeout", default_timeout)
        self._seconds = seconds_of(timeout)
        own = metadata_of(options.get("metadata"))
        for name in ("request_id", "traceparent"):
            value = options.get(name)
            if value is not None:
                own.append(("x-request-id" if name == "request_id" else name, str(value)))
        self.metadata: Final = with_defaults(own, client_metadata)
        told_to_wait = options.get("wait_for_ready")
        waits = wait_for_ready if told_to_wait is None else told_to_wait
        # gRPC would wait for the one channel whose turn it is; with several, all are asked in rounds.
        self.wait_for_ready: Final = waits and channels == 1
        self._waits_in_rounds = waits and channels > 1
        retries = options.get("max_retries")
        self._max_retries = max_retries if retries is None else retries
        self._channels = channels

    def start(self) -> Running:
        """Starts the clock of the call."""
        deadline = Deadline(self._seconds)
        repeats = Repeats(self._max_retries, deadline, self._channels, waits_for_ready=self._waits_in_rounds)
        return Running(deadline, repeats)


class Running:
    """A call under way."""

    def __init__(self, deadline: Deadline, repeats: Repeats) -> None:
        self.deadline: Final = deadline
        self._repeats = repeats
        self._turn: int | None = None

    def turn(self, turns: Iterator[int]) -> int:
        """Returns whose turn it is: the next one of all calls at first, the one behind the last for a repeat."""
        self._turn = next(turns) if self._turn is None else self._turn + 1
        return self._turn

    def wait(self, error: Error) -> float:
        """Returns how long to wait before the repeat, in seconds.

        Raises:
            Error: The error, where the call is not repeated.
        """
        seconds = self._repeats.wait(error)
        if seconds is None:
            raise error
        return seconds


def metadata_of(metadata: Metadata | None) -> list[tuple[str, str | bytes]]:
    """Makes pairs with names in lower case."""
    if metadata is None:
        return []
    pairs = metadata.items() if isinstance(metadata, Mapping) else metadata
    return [(name.lower(), value) for name, value in pairs]


def with_defaults(
    own: list[tuple[str, str | bytes]], others: list[tuple[str, str | bytes]]
) -> list[tuple[str, str | bytes]]:
    """Adds pairs whose names are not there."""
    names = {name for name, _ in own}
    return own + [(name, value) for name, value in others if name not in names]


def authorization_of(key: str) -> tuple[str, str]:
    """Makes the metadata of an API key.

    Raises:
        ValueError: It is no text that a header can carry. The key is not told.
    """
    if not isinstance(key, str) or not key or not all("!" <= character <= "~" for character in key):
        raise ValueError("an API key must be printable ASCII characters, without spaces")
    return ("authorization", f"Bearer {key}")
