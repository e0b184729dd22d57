"""Leaving a stream of the asynchronous client aborts the call in the same turn."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
from stub_server import Event, StubServer, finished, text

import understudy
from understudy import AsyncChatStream, AsyncClient

WITHIN_S = 0.3


async def by_break(stream: AsyncChatStream) -> None:
    async for event in stream:
        if event.HasField("text_delta"):
            break


async def by_exception(stream: AsyncChatStream) -> None:
    with pytest.raises(ZeroDivisionError):
        async for event in stream:
            1 / (event.sequence - 2)


async def by_return(stream: AsyncChatStream) -> int:
    async for event in stream:
        return event.sequence
    return 0


async def by_a_task_cancelled_in_the_body(stream: AsyncChatStream) -> None:
    has_begun = asyncio.Event()

    async def read() -> None:
        async for _ in stream:
            has_begun.set()
            await asyncio.sleep(60)

    task = asyncio.create_task(read())
    await has_begun.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


async def by_a_task_cancelled_while_it_reads(stream: AsyncChatStream) -> None:
    async def read() -> None:
        async for _ in stream:
            pass

    task = asyncio.create_task(read())
    await asyncio.sleep(0.1)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


async def by_wait_for(stream: AsyncChatStream) -> None:
    with pytest.raises(asyncio.TimeoutError):
        await asyncio.wait_for(stream.collect(), 0.1)


async def by_timeout(stream: AsyncChatStream) -> None:
    if sys.version_info < (3, 11):
        pytest.skip("asyncio.timeout came with Python 3.11")
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.1):
            async for _ in stream:
                pass


async def by_cancel(stream: AsyncChatStream) -> None:
    await anext(stream)
    stream.cancel()


async def by_aclose(stream: AsyncChatStream) -> None:
    await anext(stream)
    await stream.aclose()


async def by_async_with(stream: AsyncChatStream) -> None:
    async with stream:
        await anext(stream)


async def by_aclosing(stream: AsyncChatStream) -> None:
    async with contextlib.aclosing(stream):
        await anext(stream)


async def by_leaving_a_generator_around_it(stream: AsyncChatStream) -> None:
    async def numbers() -> AsyncIterator[int]:
        async for event in stream:
            yield event.sequence

    async for number in numbers():
        if number > 1:
            break


async def by_an_exception_of_the_reader_of_events(stream: AsyncChatStream) -> None:
    async def refuse(event: Event) -> None:
        raise KeyError(event.sequence)

    with pytest.raises(KeyError):
        await stream.collect(refuse)


WAYS = [
    by_break,
    by_exception,
    by_return,
    by_a_task_cancelled_in_the_body,
    by_a_task_cancelled_while_it_reads,
    by_wait_for,
    by_timeout,
    by_cancel,
    by_aclose,
    by_async_with,
    by_aclosing,
    by_leaving_a_generator_around_it,
    by_an_exception_of_the_reader_of_events,
]


@pytest.mark.parametrize("leave", WAYS)
def test_leaving_aborts_the_call_while_the_stream_is_still_held(
    server: StubServer, leave: Callable[[AsyncChatStream], Awaitable[object]]
) -> None:
    async def main() -> None:
        async with AsyncClient(server.address) as client:
            stream = client.stream_chat("Tell me a story.")
            await leave(stream)
            left_at = time.monotonic()
            assert await asyncio.to_thread(server.left_after) - left_at < WITHIN_S
            with pytest.raises(understudy.CallCancelledError):
                await anext(stream)

    asyncio.run(main())


def test_breaking_cancels_before_the_next_turn(server: StubServer) -> None:
    async def main() -> None:
        async with AsyncClient(server.address) as client:
            async for _ in client.stream_chat("Hi"):
                break
            # Nothing is awaited: the process is busy, and the server is told all the same.
            left_at = time.monotonic()
            assert server.left_after() - left_at < WITHIN_S

    asyncio.run(main())


def test_one_read_of_a_stream_that_nothing_holds_aborts(server: StubServer) -> None:
    async def main() -> None:
        async with AsyncClient(server.address) as client:
            assert (await anext(client.stream_chat("Hi"))).HasField("started")
            left_at = time.monotonic()
            assert await asyncio.to_thread(server.left_after) - left_at < WITHIN_S

    asyncio.run(main())


def test_a_stream_in_a_cycle_is_aborted_by_whichever_thread_collects_it(server: StubServer) -> None:
    async def main() -> None:
        async with AsyncClient(server.address) as client:
            cycle: list[object] = [client.stream_chat("Hi")]
            cycle.append(cycle)
            await anext(cycle[0])  # type: ignore[call-overload]
            del cycle
            await asyncio.to_thread(gc.collect)
            left_at = time.monotonic()
            assert await asyncio.to_thread(server.left_after) - left_at < WITHIN_S

    asyncio.run(main())


def test_closing_the_client_raises_an_error_and_cancels_no_task(server: StubServer) -> None:
    def silence(request: object, context: object) -> Iterator[Event]:
        yield text(1, "a")
        time.sleep(2)

    server.on_stream = silence

    async def main() -> None:
        client = AsyncClient(server.address)
        stream = client.stream_chat("Hi")
        await anext(stream)
        asyncio.get_running_loop().call_later(0.1, lambda: tasks.append(asyncio.create_task(client.close())))
        tasks: list[asyncio.Task[None]] = []
        with pytest.raises(understudy.CallCancelledError):
            await anext(stream)
        await asyncio.gather(*tasks)
        with pytest.raises(understudy.CallCancelledError):
            await client.generate("Hi")

    asyncio.run(main())


def test_another_task_may_cancel_a_waiting_read(server: StubServer) -> None:
    def silence(request: object, context: object) -> Iterator[Event]:
        yield text(1, "a")
        time.sleep(2)

    server.on_stream = silence

    async def main() -> None:
        async with AsyncClient(server.address) as client:
            stream = client.stream_chat("Hi")
            await anext(stream)
            asyncio.get_running_loop().call_later(0.1, stream.cancel)
            with pytest.raises(understudy.CallCancelledError):
                await anext(stream)
            await asyncio.to_thread(server.left_after)

    asyncio.run(main())


def test_a_stream_left_after_finished_is_not_reset(server: StubServer) -> None:
    def answer(request: object, context: object) -> Iterator[Event]:
        yield text(1, "a")
        yield finished(2)
        time.sleep(0.2)

    server.on_stream = answer

    async def main() -> None:
        async with AsyncClient(server.address) as client:
            async for event in client.stream_chat("Hi"):
                if event.HasField("finished"):
                    break
            assert (await asyncio.to_thread(server.ends.get, timeout=3))[0] == "ended"

    asyncio.run(main())


def test_two_tasks_may_not_read_one_stream(server: StubServer) -> None:
    async def main() -> None:
        async with AsyncClient(server.address) as client:
            stream = client.stream_chat("Hi")
            results = await asyncio.gather(anext(stream), anext(stream), return_exceptions=True)
            assert isinstance(results[1], RuntimeError)
            stream.cancel()

    asyncio.run(main())


def test_cancelling_a_task_reaches_the_server_of_a_unary_call(server: StubServer) -> None:
    def hang(request: object, context: object) -> object:
        context.add_callback(lambda: server.ends.put(("aborted", time.monotonic())))  # type: ignore[attr-defined]
        time.sleep(1)
        return None

    server.on_generate = hang  # type: ignore[assignment]

    async def main() -> None:
        async with AsyncClient(server.address) as client:
            with pytest.raises(asyncio.TimeoutError):
                await asyncio.wait_for(client.generate("Hi"), 0.1)
            left_at = time.monotonic()
            assert await asyncio.to_thread(server.left_after) - left_at < WITHIN_S

    asyncio.run(main())


def test_one_client_serves_several_loops_at_once(server: StubServer) -> None:
    client = AsyncClient(server.address)

    async def main() -> list[str]:
        return [(await client.generate(str(number))).text for number in range(20)]

    with ThreadPoolExecutor(4) as pool:
        for texts in pool.map(lambda _: asyncio.run(main()), range(4)):
            assert texts == [str(number) for number in range(20)]


def test_one_client_serves_one_loop_after_another(server: StubServer) -> None:
    client = AsyncClient(server.address)
    for _ in range(3):
        assert asyncio.run(client.generate("Hi")).text == "Hi"
