"""Streams of the synchronous client."""

from __future__ import annotations

import contextlib
import sys
import threading
from collections.abc import Callable, Iterator
from types import TracebackType
from typing import Any, Generic, TypeVar

import grpc

from understudy._call import Running
from understudy._collect import Accumulator, CollectedAnswer
from understudy._errors import Error, cancelled_error, error_of, interrupted_error
from understudy.v1 import llm_pb2

Item = TypeVar("Item")
_Self = TypeVar("_Self", bound="Stream[Any]")

# Calls whose answer is complete while their status is still to come. Without a holder grpcio cancels them, and a reset counts
# as a cancelled call at the gateway.
_finishing: set[Any] = set()


class Stream(Generic[Item]):
    """The messages of one call, to be read once, by one thread at a time.

    The call starts with the first read. Leaving a loop over it early (``break``, ``return``, an exception) aborts the call at
    once, and so do ``cancel``, the end of a ``with`` block, and its end as garbage.
    """

    def __init__(
        self, start: Callable[[Running], Any], running: Callable[[], Running], convert: Callable[[Any], Item]
    ) -> None:
        self._start = start
        self._make_running = running
        self._convert = convert
        self._running: Running | None = None
        self._call: Any = None
        self._has_begun = False
        self._is_complete = False
        self._left = threading.Event()
        self._end: BaseException | None = None

    def __iter__(self) -> Iterator[Item]:
        """Returns an iterator; when it is dropped, as a loop that is left does, the call is aborted."""
        return _Loop(self)

    def __next__(self) -> Item:
        """Reads the next message without a loop; then nothing but ``cancel``, ``with`` or the end of this object aborts."""
        if self._end is not None:
            raise self._end
        try:
            return self._read()
        except BaseException as error:
            # StopIteration and errors of the call are the end; after others, such as KeyboardInterrupt, it was left.
            self._end = error.with_traceback(None) if isinstance(error, Error) else None
            if isinstance(error, StopIteration):
                self._end = StopIteration()
            self.cancel()
            raise

    def cancel(self) -> None:
        """Aborts the call, and with it the provider's call behind the gateway. Any thread may do so, at any time.

        A read that is waiting then, and each further one, raises CallCancelledError. Does nothing once the stream has ended.
        """
        self._left.set()
        call, self._call = self._call, None
        if call is None:
            return
        if self._is_complete and not call.done():
            _finishing.add(call)
            if call.add_callback(lambda: _finishing.discard(call)):
                return
            _finishing.discard(call)
        call.cancel()

    close = cancel

    def __enter__(self: _Self) -> _Self:
        """Returns the stream; the end of the block aborts it unless it has ended."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        """Aborts the call unless it has ended."""
        self.cancel()

    def __del__(self) -> None:
        """Aborts the call unless it has ended."""
        _cancel_garbage(self)

    def _read(self) -> Item:
        running = self._running
        if running is None:
            running = self._running = self._make_running()
        while True:
            if self._left.is_set():
                raise cancelled_error("the stream was left")
            try:
                call = self._call
                if call is None:
                    call = self._call = self._start(running)
                    if self._left.is_set():
                        call.cancel()
                message = next(call)
            except grpc.RpcError as error:
                failure = error_of(error)
                if self._has_begun or self._left.is_set():
                    raise failure from error
                wait = running.wait(failure)
                self._call = None
            except StopIteration:
                self._check_end()
                raise
            else:
                self._has_begun = True
                self._seen(message)
                return self._convert(message)
            self._left.wait(wait)

    def _seen(self, message: Any) -> None:
        """Looks at a message that came."""

    def _check_end(self) -> None:
        """Raises an Error where the stream may not end here."""


class ChatStream(Stream[llm_pb2.StreamChatResponse]):
    """The events of one StreamChat call, to be read once, by one thread at a time.

    ``for event in stream`` reads them. Only ``finished`` means that the answer is complete: a stream that ends without it
    raises StreamInterruptedError. Leaving the loop early aborts the call, and with it the provider's, at once.
    """

    def collect(self, on_event: Callable[[llm_pb2.StreamChatResponse], object] | None = None) -> CollectedAnswer:
        """Reads to the end and puts the answer together, without what a ``restarted`` event discards.

        ``on_event`` sees every event as it comes, those too that are discarded later; an exception in it aborts the call.

        Raises:
            Error: The call failed; StreamInterruptedError if it ended without ``finished``.
        """
        accumulator = Accumulator()
        for event in self:
            if on_event is not None:
                on_event(event)
            accumulator.add(event)
        return accumulator.answer()

    def _seen(self, message: Any) -> None:
        if message.HasField("finished"):
            self._is_complete = True

    def _check_end(self) -> None:
        if not self._is_complete:
            raise interrupted_error()


class _Loop(Iterator[Item]):
    """The iterator of one loop. Python drops it when the loop is left, whatever holds the stream itself."""

    __slots__ = ("_stream",)

    def __init__(self, stream: Stream[Item]) -> None:
        self._stream = stream

    def __next__(self) -> Item:
        return next(self._stream)

    def __del__(self) -> None:
        _cancel_garbage(self._stream)


def _cancel_garbage(stream: Stream[Any]) -> None:
    # At the end of the interpreter grpcio's threads stand still, with locks that this could wait for. The sockets end the call.
    if not sys.is_finalizing():
        with contextlib.suppress(Exception):
            stream.cancel()
