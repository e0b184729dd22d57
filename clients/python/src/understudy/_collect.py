"""Puts a streamed answer together."""

from __future__ import annotations

from dataclasses import dataclass, field

from understudy._errors import interrupted_error
from understudy.v1 import chat_pb2, llm_pb2


@dataclass(frozen=True)
class CollectedAnswer:
    """A streamed answer, put together.

    Attributes:
        text: The text parts, joined.
        reasoning: The reasoning, as far as the provider showed it, joined.
        message: The whole answer: text, reasoning and tool calls in their order. It can be sent back as it is.
        finished: What the last event says: finish reason, usage, cost, attempts, warnings.
        started: What the first event says.
        restarts: Each new beginning, in order. ``text``, ``reasoning`` and ``message`` hold the last one alone.
        events: The events that count, in order: without those that a restart discarded, and without pings.
    """

    text: str
    reasoning: str
    message: chat_pb2.Message
    finished: llm_pb2.StreamChatResponse.Finished
    started: llm_pb2.StreamChatResponse.Started | None
    restarts: tuple[llm_pb2.StreamChatResponse.Restarted, ...]
    events: tuple[llm_pb2.StreamChatResponse, ...]


@dataclass
class _Draft:
    kind: str
    body: list[str] = field(default_factory=list)
    id: str = ""
    name: str = ""
    provider_state: chat_pb2.ProviderState | None = None


class Accumulator:
    """Takes the events of one stream as they come, and applies restarts.

    For callers that read a stream themselves; ``collect`` of a stream uses it.
    """

    def __init__(self) -> None:
        self._events: list[llm_pb2.StreamChatResponse] = []
        self._started: llm_pb2.StreamChatResponse.Started | None = None
        self._finished: llm_pb2.StreamChatResponse.Finished | None = None
        self._restarts: list[llm_pb2.StreamChatResponse.Restarted] = []

    def add(self, event: llm_pb2.StreamChatResponse) -> None:
        """Takes the next event."""
        kind = event.WhichOneof("event")
        if kind is None or kind == "ping":
            return
        if kind == "restarted":
            self._restarts.append(event.restarted)
            from_sequence = event.restarted.discard_from_sequence
            self._events = [kept for kept in self._events if kept.sequence < from_sequence]
        elif kind == "started":
            self._started = event.started
        elif kind == "finished":
            self._finished = event.finished
        self._events.append(event)

    @property
    def text(self) -> str:
        """The text so far, without what restarts discarded."""
        return "".join(part.text for part in self._parts() if part.HasField("text"))

    @property
    def restarts(self) -> tuple[llm_pb2.StreamChatResponse.Restarted, ...]:
        """The restarts so far."""
        return tuple(self._restarts)

    def answer(self) -> CollectedAnswer:
        """Returns the whole answer.

        Raises:
            StreamInterruptedError: ``finished`` has not come.
        """
        if self._finished is None:
            raise interrupted_error()
        parts = self._parts()
        return CollectedAnswer(
            text="".join(part.text for part in parts if part.HasField("text")),
            reasoning="".join(part.reasoning.text for part in parts if part.HasField("reasoning")),
            message=chat_pb2.Message(role=chat_pb2.ROLE_ASSISTANT, content=parts),
            finished=self._finished,
            started=self._started,
            restarts=tuple(self._restarts),
            events=tuple(self._events),
        )

    def _parts(self) -> list[chat_pb2.Part]:
        drafts: dict[int, _Draft] = {}
        for event in self._events:
            if event.HasField("text_delta"):
                text = event.text_delta
                drafts.setdefault(text.part_index, _Draft("text")).body.append(text.text)
            elif event.HasField("reasoning_delta"):
                reasoning = event.reasoning_delta
                drafts.setdefault(reasoning.part_index, _Draft("reasoning")).body.append(reasoning.text)
            elif event.HasField("tool_call_delta"):
                call = event.tool_call_delta
                draft = drafts.setdefault(call.part_index, _Draft("tool_call"))
                draft.id = draft.id or call.id
                draft.name = draft.name or call.name
                draft.body.append(call.arguments_fragment)
            elif event.HasField("part_finished") and event.part_finished.HasField("provider_state"):
                # A part that has nothing but a state is reasoning that its provider keeps to itself.
                draft = drafts.setdefault(event.part_finished.part_index, _Draft("reasoning"))
                draft.provider_state = event.part_finished.provider_state
        return [_part(drafts[index]) for index in sorted(drafts)]


def _part(draft: _Draft) -> chat_pb2.Part:
    body = "".join(draft.body)
    part = chat_pb2.Part(provider_state=draft.provider_state)
    if draft.kind == "text":
        part.text = body
    elif draft.kind == "reasoning":
        part.reasoning.text = body
        part.reasoning.SetInParent()
    else:
        part.tool_call.CopyFrom(chat_pb2.ToolCall(id=draft.id, name=draft.name, arguments_json=body))
    return part
