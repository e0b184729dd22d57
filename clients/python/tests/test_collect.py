"""Streams are put together, and restarts applied."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from stub_server import Event, StubServer, finished, text

import understudy
from understudy.types import ROLE_ASSISTANT, ProviderState


def events() -> Iterator[Event]:
    yield Event(sequence=1, started=Event.Started(target="a"))
    yield text(2, "broken ")
    yield Event(sequence=3, tool_call_delta=Event.ToolCallDelta(part_index=1, id="x", name="y"))
    yield Event(sequence=4, ping=Event.Ping())
    yield Event(sequence=5, restarted=Event.Restarted(target="b", discard_from_sequence=2))
    yield Event(sequence=6, reasoning_delta=Event.ReasoningDelta(part_index=0, text="hm"))
    yield Event(
        sequence=7, part_finished=Event.PartFinished(part_index=0, provider_state=ProviderState(target="b", data=b"s"))
    )
    yield text(8, "whole ", 1)
    yield text(9, "answer", 1)
    yield Event(
        sequence=10, tool_call_delta=Event.ToolCallDelta(part_index=2, id="c", name="f", arguments_fragment="{")
    )
    yield Event(sequence=11, tool_call_delta=Event.ToolCallDelta(part_index=2, arguments_fragment="}"))
    yield Event(sequence=12, part_finished=Event.PartFinished(part_index=3, provider_state=ProviderState(target="b")))
    yield Event(sequence=13)
    yield finished(14)


def test_collect_leaves_out_what_a_restart_discards(server: StubServer) -> None:
    server.on_stream = lambda request, context: events()
    seen: list[int] = []
    with understudy.Client(server.address) as client:
        answer = client.stream_chat("Hi").collect(lambda event: seen.append(event.sequence))
    assert seen == list(range(1, 15))
    assert answer.text == "whole answer"
    assert answer.reasoning == "hm"
    assert [restart.target for restart in answer.restarts] == ["b"]
    assert answer.started is not None
    assert answer.started.target == "a"
    assert [event.sequence for event in answer.events] == [1, 5, 6, 7, 8, 9, 10, 11, 12, 14]
    message = answer.message
    assert message.role == ROLE_ASSISTANT
    assert [part.WhichOneof("part") for part in message.content] == ["reasoning", "text", "tool_call", "reasoning"]
    assert message.content[0].provider_state.data == b"s"
    (call,) = understudy.tool_calls(message)
    assert (call.id, call.name, call.arguments_json) == ("c", "f", "{}")


def test_an_accumulator_tells_the_text_so_far_and_refuses_a_stump() -> None:
    accumulator = understudy.Accumulator()
    texts = []
    for event in events():
        accumulator.add(event)
        texts.append(accumulator.text)
        if not event.HasField("finished"):
            with pytest.raises(understudy.StreamInterruptedError):
                accumulator.answer()
    assert texts[1] == "broken "
    assert texts[4] == ""
    assert accumulator.answer().text == texts[-1] == "whole answer"
    assert len(accumulator.restarts) == 1
