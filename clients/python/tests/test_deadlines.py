"""Deadlines: what the server is told, and what the caller gets."""

from __future__ import annotations

from datetime import timedelta

import pytest
from stub_server import StubServer

import understudy
from understudy._deadline import told_exactly


@pytest.mark.parametrize(
    "seconds", [0.05, 0.25, 1, 1.2345, 5, 7.77, 15, 42.42, 99.99, 100, 120, 130.5, 600, 1234.5, 90_000]
)
def test_the_server_is_told_no_more_time_than_the_caller_has(server: StubServer, seconds: float) -> None:
    """Bare grpcio tells up to 1 % or 1 s more, and the server would answer when the caller has gone."""
    with understudy.Client(server.address) as client:
        client.generate("Hi")
        server.timeouts.clear()
        client.generate("Hi", timeout=seconds)
    told = server.timeouts[0]
    assert told is not None
    assert seconds * 0.985 - 0.05 < told <= seconds


def test_a_longer_deadline_of_an_earlier_call_is_not_told_again(server: StubServer) -> None:
    """Bare grpcio tells an earlier deadline of the connection that is up to 3 % longer."""
    with understudy.Client(server.address) as client:
        for seconds in (130, 129, 128, 127, 126):
            client.generate("Hi", timeout=seconds)
    assert all(
        told is not None and told <= limit
        for told, limit in zip(server.timeouts, (130, 129, 128, 127, 126), strict=True)
    )


def test_each_method_has_its_deadline(server: StubServer) -> None:
    with understudy.Client(server.address) as client:
        client.generate("Hi")
        client.chat("Hi")
        next(client.stream_chat("Hi"))
        client.health()
        client.list_models()
    told = dict(zip(server.calls, server.timeouts, strict=True))
    expected = {"Generate": 120, "Chat": 120, "StreamChat": 600, "Health": 5, "ListModels": 120}
    assert told == pytest.approx(expected, rel=0.01)


def test_deadlines_are_given_otherwise_by_client_and_by_call(server: StubServer) -> None:
    with understudy.Client(server.address, timeouts={"generate": 7, "chat": None}) as client:
        client.generate("Hi")
        client.generate("Hi", timeout=timedelta(seconds=9))
        client.generate("Hi", timeout=None)
        client.chat("Hi")
        client.generate("Hi", timeout=float("inf"))
    assert [None if told is None or told > 1e9 else round(told) for told in server.timeouts] == [7, 9, None, None, None]


@pytest.mark.parametrize("timeout", [0, -1, float("nan"), timedelta(0)])
def test_a_deadline_that_is_no_time_is_refused(server: StubServer, timeout: float | timedelta) -> None:
    with understudy.Client(server.address) as client, pytest.raises(ValueError, match="timeout"):
        client.generate("Hi", timeout=timeout)
    with pytest.raises(ValueError, match="no method"):
        understudy.Client(server.address, timeouts={"stream": 1})


def test_timeouts_are_shortened_by_one_percent_at_most() -> None:
    for milliseconds in [*range(20, 20_000, 7), *range(20_000, 9_000_000, 1_777)]:
        seconds = milliseconds / 1000
        assert seconds * 0.985 - 0.002 < told_exactly(seconds) < seconds
