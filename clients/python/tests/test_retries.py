"""A call is repeated only where that cannot bill twice."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import grpc
import pytest
from conftest import free_port
from stub_server import Event, StubServer, fail, finished, text

import understudy
from understudy.types import (
    ATTEMPT_KIND_FIRST,
    ATTEMPT_KIND_SKIPPED,
    Attempt,
    GenerateRequest,
    GenerateResponse,
    StreamChatRequest,
)

UNAVAILABLE = grpc.StatusCode.UNAVAILABLE
Answer = Callable[[GenerateRequest, grpc.ServicerContext], GenerateResponse]


def failing_first(times: int, **how: Any) -> Answer:
    """Fails as told for some calls, then answers."""
    count = iter(range(times))
    reason = how.pop("reason", "CIRCUIT_OPEN")

    def answer(request: GenerateRequest, context: grpc.ServicerContext) -> GenerateResponse:
        if next(count, None) is not None:
            fail(context, how.get("code", UNAVAILABLE), reason, **{k: v for k, v in how.items() if k != "code"})
        return GenerateResponse(text="answer")

    return answer


def generate(address: str, *, is_async: bool, **options: Any) -> str:
    async def main() -> str:
        async with understudy.AsyncClient(address) as client:
            return (await client.generate("Hi", **options)).text

    if is_async:
        return asyncio.run(main())
    with understudy.Client(address) as client:
        return client.generate("Hi", **options).text


both = pytest.mark.parametrize("is_async", [False, True], ids=["sync", "async"])


@both
def test_an_invited_repeat_waits_as_long_as_it_is_told(server: StubServer, is_async: bool) -> None:
    server.on_generate = failing_first(2, pushback="150")
    begun_at = time.monotonic()
    assert generate(server.address, is_async=is_async) == "answer"
    assert 0.3 <= time.monotonic() - begun_at < 0.6
    assert len(server.calls) == 3


@both
@pytest.mark.parametrize(
    "how",
    [
        {"pushback": "-1"},
        {"pushback": "-1", "retry_after": 0.01},
        {"pushback": "soon"},
        {"reason": "PROVIDER_UNAVAILABLE"},
        {"reason": "CIRCUIT_OPEN", "attempts": [Attempt(kind=ATTEMPT_KIND_FIRST)]},
        {"reason": "DEADLINE", "code": grpc.StatusCode.DEADLINE_EXCEEDED},
    ],
    ids=str,
)
def test_what_may_have_cost_money_is_not_repeated(
    server: StubServer,
    is_async: bool,
    how: dict[str, Any],
) -> None:
    server.on_generate = failing_first(1, **how)
    with pytest.raises(understudy.Error) as caught:
        generate(server.address, is_async=is_async)
    assert not caught.value.may_retry
    assert len(server.calls) == 1


@both
@pytest.mark.parametrize(
    "how",
    [
        {"reason": "CIRCUIT_OPEN", "attempts": [Attempt(kind=ATTEMPT_KIND_SKIPPED)]},
        {"reason": "CALLER_RATE_LIMITED", "code": grpc.StatusCode.RESOURCE_EXHAUSTED, "retry_after": 0.05},
        {"reason": "SHUTTING_DOWN", "retry_after": 0.05},
    ],
    ids=str,
)
def test_what_reached_no_provider_is_repeated_without_a_pushback_too(
    server: StubServer,
    is_async: bool,
    how: dict[str, Any],
) -> None:
    server.on_generate = failing_first(1, **how)
    assert generate(server.address, is_async=is_async) == "answer"


@both
def test_a_repeat_that_would_come_too_late_is_not_waited_for(server: StubServer, is_async: bool) -> None:
    server.on_generate = failing_first(1, pushback="5000")
    begun_at = time.monotonic()
    with pytest.raises(understudy.UnavailableError) as caught:
        generate(server.address, is_async=is_async, timeout=1)
    assert time.monotonic() - begun_at < 0.5
    assert caught.value.may_retry
    assert caught.value.retry_after == 5
    assert len(server.calls) == 1


@both
def test_repeats_can_be_switched_off_and_have_an_end(server: StubServer, is_async: bool) -> None:
    server.on_generate = failing_first(99, pushback="10")
    for retries, calls in ((0, 1), (1, 2), (None, 3), (4, 5)):
        server.calls.clear()
        with pytest.raises(understudy.UnavailableError):
            generate(server.address, is_async=is_async, max_retries=retries)
        assert len(server.calls) == calls


@both
def test_a_gateway_that_is_not_there_yet_is_tried_again(is_async: bool) -> None:
    port = free_port()
    servers: list[StubServer] = []
    starter = threading.Timer(0.2, lambda: servers.append(StubServer(port)))
    starter.start()
    try:
        assert generate(f"127.0.0.1:{port}", is_async=is_async, timeout=10) == "Hi"
    finally:
        starter.join()
        servers[0].stop()


@both
def test_wait_for_ready_waits_for_a_gateway(is_async: bool) -> None:
    port = free_port()
    servers: list[StubServer] = []
    starter = threading.Timer(0.5, lambda: servers.append(StubServer(port)))
    starter.start()
    try:
        options = {"wait_for_ready": True, "max_retries": 0}
        assert generate(f"127.0.0.1:{port}", is_async=is_async, timeout=10, **options) == "Hi"
    finally:
        starter.join()
        servers[0].stop()


def test_a_gateway_that_was_never_reached_may_be_asked_again() -> None:
    with understudy.Client(f"127.0.0.1:{free_port()}", max_retries=0) as client:
        with pytest.raises(understudy.UnavailableError) as caught:
            client.generate("Hi")
    assert caught.value.may_retry
    with understudy.Client("nowhere.invalid:80", max_retries=0) as client:
        with pytest.raises(understudy.UnavailableError) as caught:
            client.generate("Hi", timeout=10)
    assert caught.value.may_retry


@both
def test_streams_are_repeated_before_their_first_event_alone(server: StubServer, is_async: bool) -> None:
    def answer(request: StreamChatRequest, context: grpc.ServicerContext) -> Iterator[Event]:
        if len(server.calls) == 1:
            fail(context, UNAVAILABLE, "OVERLOADED", pushback="10")
        yield text(1, "a")
        if len(server.calls) == 2:
            yield finished(2)
        else:
            fail(context, UNAVAILABLE, "OVERLOADED", pushback="10")

    server.on_stream = answer

    async def main() -> None:
        async with understudy.AsyncClient(server.address) as client:
            assert (await client.stream_chat("Hi").collect()).text == "a"
            with pytest.raises(understudy.UnavailableError):
                await client.stream_chat("Hi").collect()

    if is_async:
        asyncio.run(main())
    else:
        with understudy.Client(server.address) as client:
            assert client.stream_chat("Hi").collect().text == "a"
            with pytest.raises(understudy.UnavailableError):
                client.stream_chat("Hi").collect()
    assert len(server.calls) == 3


def test_cancelling_a_stream_ends_its_wait_for_a_repeat(server: StubServer) -> None:
    def answer(request: StreamChatRequest, context: grpc.ServicerContext) -> Iterator[Event]:
        fail(context, UNAVAILABLE, "OVERLOADED", pushback="20000")
        yield text(1, "a")

    server.on_stream = answer

    async def main() -> None:
        async with understudy.AsyncClient(server.address) as client:
            stream = client.stream_chat("Hi")
            asyncio.get_running_loop().call_later(0.2, stream.cancel)
            with pytest.raises(understudy.CallCancelledError):
                await anext(stream)

    begun_at = time.monotonic()
    asyncio.run(main())
    with understudy.Client(server.address) as client:
        stream = client.stream_chat("Hi")
        threading.Timer(0.2, stream.cancel).start()
        with pytest.raises(understudy.CallCancelledError):
            next(stream)
    assert time.monotonic() - begun_at < 2


def test_closing_a_client_ends_the_wait_of_a_call_for_a_repeat(server: StubServer) -> None:
    server.on_generate = failing_first(9, pushback="20000")
    client = understudy.Client(server.address)
    threading.Timer(0.2, client.close).start()
    begun_at = time.monotonic()
    with pytest.raises(understudy.CallCancelledError):
        client.generate("Hi")
    assert time.monotonic() - begun_at < 2
    assert len(server.calls) == 1


def test_closing_an_asynchronous_client_ends_the_wait_of_a_call_for_a_repeat(server: StubServer) -> None:
    server.on_generate = failing_first(9, pushback="20000")

    async def main() -> None:
        client = understudy.AsyncClient(server.address)
        call = asyncio.ensure_future(client.generate("Hi"))
        await asyncio.sleep(0.2)
        await client.close()
        with pytest.raises(understudy.CallCancelledError):
            await call

    begun_at = time.monotonic()
    asyncio.run(main())
    assert time.monotonic() - begun_at < 2
