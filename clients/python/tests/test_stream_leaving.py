"""Leaving a stream of the synchronous client aborts the call at once."""

from __future__ import annotations

import gc
import itertools
import threading
import time
from collections.abc import Callable, Generator, Iterator

import pytest
from stub_server import Event, StubServer, finished, text

import understudy
from understudy import ChatStream

WITHIN_S = 0.3


def by_break(stream: ChatStream) -> None:
    for event in stream:
        if event.HasField("text_delta"):
            break


def by_exception(stream: ChatStream) -> None:
    with pytest.raises(ZeroDivisionError):
        for event in stream:
            1 / (event.sequence - 2)


def by_return(stream: ChatStream) -> int:
    for event in stream:
        return event.sequence
    return 0


def by_close_of_a_generator(stream: ChatStream) -> None:
    def numbers() -> Generator[int, None, None]:
        for event in stream:
            yield event.sequence

    generator = numbers()
    next(generator)
    generator.close()


def by_islice(stream: ChatStream) -> None:
    list(itertools.islice(stream, 3))


def by_cancel(stream: ChatStream) -> None:
    next(stream)
    stream.cancel()


def by_with(stream: ChatStream) -> None:
    with stream:
        next(stream)


def by_an_exception_of_the_reader_of_events(stream: ChatStream) -> None:
    def refuse(event: Event) -> None:
        raise KeyError(event.sequence)

    with pytest.raises(KeyError):
        stream.collect(refuse)


WAYS = [
    by_break,
    by_exception,
    by_return,
    by_close_of_a_generator,
    by_islice,
    by_cancel,
    by_with,
    by_an_exception_of_the_reader_of_events,
]


@pytest.mark.parametrize("leave", WAYS)
def test_leaving_aborts_the_call_while_the_stream_is_still_held(
    server: StubServer, leave: Callable[[ChatStream], object]
) -> None:
    with understudy.Client(server.address) as client:
        stream = client.stream_chat("Tell me a story.")
        leave(stream)
        left_at = time.monotonic()
        assert server.left_after() - left_at < WITHIN_S
        with pytest.raises(understudy.CallCancelledError):
            next(stream)


def test_one_read_of_a_stream_that_nothing_holds_aborts(server: StubServer) -> None:
    with understudy.Client(server.address) as client:
        assert next(client.stream_chat("Hi")).HasField("started")
        left_at = time.monotonic()
        assert server.left_after() - left_at < WITHIN_S


def test_a_stream_in_a_cycle_is_aborted_when_it_is_collected(server: StubServer) -> None:
    with understudy.Client(server.address) as client:
        cycle: list[object] = [client.stream_chat("Hi")]
        cycle.append(cycle)
        next(cycle[0])  # type: ignore[call-overload]
        del cycle
        gc.collect()
        left_at = time.monotonic()
        assert server.left_after() - left_at < WITHIN_S


def test_another_thread_may_cancel_a_waiting_read(server: StubServer) -> None:
    def silence(request: object, context: object) -> Iterator[Event]:
        yield text(1, "a")
        time.sleep(2)

    server.on_stream = silence
    with understudy.Client(server.address) as client:
        stream = client.stream_chat("Hi")
        next(stream)
        threading.Timer(0.1, stream.cancel).start()
        with pytest.raises(understudy.CallCancelledError):
            next(stream)
        server.left_after()


def test_closing_the_client_ends_a_waiting_read(server: StubServer) -> None:
    client = understudy.Client(server.address)
    stream = client.stream_chat("Hi")
    next(stream)
    threading.Timer(0.1, client.close).start()
    with pytest.raises(understudy.CallCancelledError):
        for _ in stream:
            pass
    server.left_after()
    with pytest.raises(understudy.CallCancelledError):
        client.generate("Hi")


def test_a_stream_left_after_finished_is_not_reset(server: StubServer) -> None:
    def answer(request: object, context: object) -> Iterator[Event]:
        yield text(1, "a")
        yield finished(2)
        time.sleep(0.2)

    server.on_stream = answer
    with understudy.Client(server.address) as client:
        for event in client.stream_chat("Hi"):
            if event.HasField("finished"):
                break
        assert server.ends.get(timeout=3)[0] == "ended"


def test_a_stream_that_is_not_read_makes_no_call(server: StubServer) -> None:
    with understudy.Client(server.address) as client:
        client.stream_chat("Hi")
        client.generate("Hi")
    assert server.calls == ["Generate"]


def test_leaving_a_watch_aborts_it(server: StubServer) -> None:
    with understudy.Client(server.address) as client:
        seen = []
        for status in client.watch():
            seen.append(status)
            if len(seen) == 2:
                break
            server.set_serving(is_serving=False)
        assert seen == [understudy.ServingStatus.SERVING, understudy.ServingStatus.NOT_SERVING]
