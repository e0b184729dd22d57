"""Streams of the asynchronous client."""

from __future__ import annotations

import asyncio
import contextlib
import inspect
from collections.abc import AsyncIterator, Awaitable, Callable
from types import TracebackType
from typing import Any, Generic, TypeVar

import grpc
from grpc import aio

from understudy._call import Running
from understudy._collect import Accumulator, CollectedAnswer
from understudy._errors import Error, cancelled_error, error_of, interrupted_error
from understudy.v1 import llm_pb2

Item = TypeVar("Item")
_Self = TypeVar("_Self", bound="AsyncStream[Any]")

# Calls whose answer is complete while their status is still to come, as for the synchronous client.
_finishing: set[Any] = set()


class AsyncStream(Generic[Item]):
    """The messages of one call, to be read once, by one task at a time.

    The call starts with the first read. Leaving a loop over it early (``break``, ``return``, an exception, a cancelled task, a
    timeout) aborts the call in the same turn, and so do ``cancel``, the end of an ``async with`` block, and its end as garbage.
    """

    def __init__(
        self,
        start: Callable[[Running], Awaitable[Any]],
        running: Callable[[], Running],
        is_closed: Callable[[], bool],
        convert: Callable[[Any], Item],
    ) -> None:
        self._start = start
        self._make_running = running
        self._is_closed = is_closed
        self._convert = convert
        self._running: Running | None = None
        self._call: Any = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._has_begun = False
        self._is_reading = False
        self._is_complete = False
        self._is_left = False
        self._waiting: asyncio.Event | None = None
        self._end: BaseException | None = None

    def __aiter__(self) -> AsyncIterator[Item]:
        """Returns an iterator; when it is dropped, as a loop that is left does, the call is aborted."""
        return _AsyncLoop(self)

    async def __anext__(self) -> Item:
        """Reads the next message without a loop; then nothing but ``cancel``, ``async with`` or the end of this object aborts.

        A read that is cancelled aborts the call.
        """
        if self._end is not None:
            raise self._end
        if self._is_reading:
            raise RuntimeError("another task reads this stream")
        self._is_reading = True
        try:
            return await self._read()
        except BaseException as error:
            if isinstance(error, StopAsyncIteration):
                self._end = StopAsyncIteration()
            elif isinstance(error, Error):
                self._end = error.with_traceback(None)
            self.cancel()
            raise
        finally:
            self._is_reading = False

    def cancel(self) -> None:
        """Aborts the call, and with it the provider's call behind the gateway, before it returns.

        A read that is waiting then, and each further one, raises CallCancelledError. Does nothing once the stream has ended.
        """
        self._is_left = True
        if self._waiting is not None:
            self._waiting.set()
        call, self._call = self._call, None
        if call is None or self._loop is None or self._loop.is_closed():
            return
        if _running_loop() is self._loop:
            _end(call, is_complete=self._is_complete)
        else:  # collected as garbage by another thread, or behind the end of the loop's work
            self._loop.call_soon_threadsafe(lambda: _end(call, is_complete=self._is_complete))

    async def aclose(self) -> None:
        """Does the same as ``cancel``."""
        self.cancel()

    async def __aenter__(self: _Self) -> _Self:
        """Returns the stream; the end of the block aborts it unless it has ended."""
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        """Aborts the call unless it has ended."""
        self.cancel()

    def __del__(self) -> None:
        """Aborts the call unless it has ended."""
        with contextlib.suppress(Exception):
            self.cancel()

    async def _read(self) -> Item:
        running = self._running
        if running is None:
            running = self._running = self._make_running()
            self._loop = asyncio.get_running_loop()
        while True:
            if self._is_left:
                raise cancelled_error("the stream was left")
            try:
                call = self._call
                if call is None:
                    call = self._call = await self._start(running)
                message = await call.read()
            except grpc.RpcError as error:
                failure = error_of(error)
                if self._has_begun or self._is_left:
                    raise failure from error
                wait = running.wait(failure)
                self._call = None
            except asyncio.CancelledError:
                # grpc.aio tells of its own cancelled calls by this too, which would end the caller's task in silence.
                if not task_is_cancelled():
                    self._check_cancelled()
                raise
            else:
                if message is aio.EOF:
                    if not self._is_complete:  # older releases say no more of a channel that was closed
                        self._check_cancelled()
                    self._check_end()
                    raise StopAsyncIteration
                self._has_begun = True
                self._seen(message)
                return self._convert(message)
            await self._wait(wait)

    def _check_cancelled(self) -> None:
        if self._is_left or self._is_closed():
            raise cancelled_error("the stream was left" if self._is_left else "the client is closed")

    async def _wait(self, seconds: float) -> None:
        self._waiting = asyncio.Event()
        if not self._is_left:
            with contextlib.suppress(asyncio.TimeoutError):
                await asyncio.wait_for(self._waiting.wait(), seconds)
        self._waiting = None

    def _seen(self, message: Any) -> None:
        """Looks at a message that came."""

    def _check_end(self) -> None:
        """Raises an Error where the stream may not end here."""


class AsyncChatStream(AsyncStream[llm_pb2.StreamChatResponse]):
    """The events of one StreamChat call, to be read once, by one task at a time.

    ``async for event in stream`` reads them. Only ``finished`` means that the answer is complete: a stream that ends without it
    raises StreamInterruptedError. Leaving the loop early aborts the call, and with it the provider's, in the same turn.
    """

    async def collect(self, on_event: Callable[[llm_pb2.StreamChatResponse], object] | None = None) -> CollectedAnswer:
        """Reads to the end and puts the answer together, without what a ``restarted`` event discards.

        ``on_event`` sees every event as it comes, those too that are discarded later; it may be a coroutine function. An
        exception in it aborts the call.

        Raises:
            Error: The call failed; StreamInterruptedError if it ended without ``finished``.
        """
        accumulator = Accumulator()
        async for event in self:
            if on_event is not None:
                result = on_event(event)
                if inspect.isawaitable(result):
                    await result
            accumulator.add(event)
        return accumulator.answer()

    def _seen(self, message: Any) -> None:
        if message.HasField("finished"):
            self._is_complete = True

    def _check_end(self) -> None:
        if not self._is_complete:
            raise interrupted_error()


class _AsyncLoop(AsyncIterator[Item]):
    """The iterator of one loop. Python drops it when the loop is left, whatever holds the stream itself."""

    __slots__ = ("_stream",)

    def __init__(self, stream: AsyncStream[Item]) -> None:
        self._stream = stream

    def __anext__(self) -> Awaitable[Item]:
        return self._stream.__anext__()

    def __del__(self) -> None:
        with contextlib.suppress(Exception):
            self._stream.cancel()


def task_is_cancelled() -> bool:
    """Tells whether the running task was asked to end. Before Python 3.11 that cannot be known: False."""
    task = asyncio.current_task()
    cancelling = getattr(task, "cancelling", None)
    return bool(cancelling is not None and cancelling())


def _end(call: Any, *, is_complete: bool) -> None:
    if is_complete and not call.done():
        _finishing.add(call)
        call.add_done_callback(_finishing.discard)
    else:
        call.cancel()


def _running_loop() -> asyncio.AbstractEventLoop | None:
    try:
        return asyncio.get_running_loop()
    except RuntimeError:
        return None
