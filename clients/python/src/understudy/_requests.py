"""Makes requests of what callers give."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, TypeVar

from google.protobuf import struct_pb2
from google.protobuf.message import Message
from typing_extensions import TypedDict

from understudy.messages import parts_of, user_message
from understudy.v1 import chat_pb2, llm_pb2, routing_pb2

MessageLike = str | chat_pb2.Message | Mapping[str, Any]
"""A message: made by a helper, a text of the user, or a mapping such as ``{"role": "user", "content": "Hello."}``."""

Messages = MessageLike | Iterable[MessageLike]
"""A conversation: one message, or several, oldest first."""

Options = chat_pb2.GenerationOptions | Mapping[str, Any]
"""How to write an answer: the message, or a mapping of its fields such as ``{"temperature": 0.2, "max_tokens": 100}``."""

Routing = routing_pb2.RoutingOptions | Mapping[str, Any]
"""Which targets may answer: the message, or a mapping of its fields such as ``{"route": "cheap"}``."""

_Request = TypeVar("_Request", bound=Message)


class GenerateFields(TypedDict, total=False):
    """Fields of a GenerateRequest, the prompt apart, as keyword arguments."""

    system: str
    """Instructions that stand before the prompt."""
    model: str
    """A model id, or "target/model". Default: the default model of each entry of the route."""
    options: Options | None
    """How to write the answer."""
    routing: Routing | None
    """Which targets may answer, and how they are tried."""
    labels: Mapping[str, str] | None
    """Labels of the caller for logs and usage records, at most 16."""


class ChatFields(TypedDict, total=False):
    """Fields of a ChatRequest, the messages apart, as keyword arguments."""

    model: str
    """A model id, or "target/model". Default: the default model of each entry of the route."""
    options: Options | None
    """How to write the answer."""
    tools: Sequence[chat_pb2.Tool] | None
    """Tools that the model may call."""
    tool_choice: chat_pb2.ToolChoice | str | None
    """Whether and which tools must be called: "auto", "none", "required", the name of a tool, or the message."""
    routing: Routing | None
    """Which targets may answer, and how they are tried."""
    labels: Mapping[str, str] | None
    """Labels of the caller for logs and usage records, at most 16."""


class StreamChatFields(ChatFields, total=False):
    """Fields of a StreamChatRequest, the messages apart, as keyword arguments."""

    recovery: routing_pb2.Recovery.ValueType | str | None
    """What happens when a provider breaks off after its first words: "fail" (the default) or "restart"."""


_MODES = {
    "auto": chat_pb2.TOOL_CHOICE_MODE_AUTO,
    "none": chat_pb2.TOOL_CHOICE_MODE_NONE,
    "required": chat_pb2.TOOL_CHOICE_MODE_REQUIRED,
}
_ROLES = {
    "system": chat_pb2.ROLE_SYSTEM,
    "user": chat_pb2.ROLE_USER,
    "assistant": chat_pb2.ROLE_ASSISTANT,
    "tool": chat_pb2.ROLE_TOOL,
}


def generate_request(prompt: str | llm_pb2.GenerateRequest, fields: Mapping[str, Any]) -> llm_pb2.GenerateRequest:
    """Makes the request of Generate.

    Raises:
        TypeError: A field is not of its type, or fields come with a whole request.
        ValueError: A value cannot be used, such as an enum's name that does not exist.
    """
    if isinstance(prompt, llm_pb2.GenerateRequest):
        return _whole(prompt, fields)
    return llm_pb2.GenerateRequest(prompt=prompt, **_made(fields))


def chat_request(messages: Messages | llm_pb2.ChatRequest, fields: Mapping[str, Any]) -> llm_pb2.ChatRequest:
    """Makes the request of Chat, as `generate_request` does."""
    if isinstance(messages, llm_pb2.ChatRequest):
        return _whole(messages, fields)
    return llm_pb2.ChatRequest(messages=_messages(messages), **_made(fields))


def stream_chat_request(
    messages: Messages | llm_pb2.ChatRequest | llm_pb2.StreamChatRequest, fields: Mapping[str, Any]
) -> llm_pb2.StreamChatRequest:
    """Makes the request of StreamChat, as `generate_request` does. The fields of a ChatRequest have the same numbers."""
    if isinstance(messages, llm_pb2.StreamChatRequest):
        return _whole(messages, fields)
    made = _made({name: value for name, value in fields.items() if name != "recovery"})
    recovery: Any = fields.get(
        "recovery"
    )  # protobuf takes the names of enum values too, which its type hints do not say
    if isinstance(recovery, str):
        recovery = recovery.upper()
        recovery = recovery if recovery.startswith("RECOVERY_") else f"RECOVERY_{recovery}"
    if isinstance(messages, llm_pb2.ChatRequest):
        _whole(messages, made)
        request = llm_pb2.StreamChatRequest.FromString(messages.SerializeToString())
        request.MergeFrom(llm_pb2.StreamChatRequest(recovery=recovery))
        return request
    return llm_pb2.StreamChatRequest(messages=_messages(messages), recovery=recovery, **made)


def _whole(request: _Request, fields: Mapping[str, Any]) -> _Request:
    if fields:
        raise TypeError(f"{next(iter(fields))!r} was given beside a whole {type(request).__name__}, which has its own")
    return request


def _made(fields: Mapping[str, Any]) -> dict[str, Any]:
    made = {name: value for name, value in fields.items() if value is not None}
    if isinstance(made.get("options"), Mapping):
        made["options"] = _options(made["options"])
    if isinstance(made.get("tool_choice"), str):
        made["tool_choice"] = _tool_choice(made["tool_choice"])
    return made


def _options(options: Mapping[str, Any]) -> chat_pb2.GenerationOptions:
    others = {name: value for name, value in options.items() if name != "provider_options" and value is not None}
    effort = others.get("reasoning_effort")
    if isinstance(effort, str) and not effort.startswith("REASONING_EFFORT_"):
        others["reasoning_effort"] = f"REASONING_EFFORT_{effort.upper()}"
    made = chat_pb2.GenerationOptions(**others)
    for provider, values in (options.get("provider_options") or {}).items():
        if isinstance(values, struct_pb2.Struct):
            made.provider_options[provider].CopyFrom(values)
        else:
            made.provider_options[provider].update(values)
    return made


def _tool_choice(choice: str) -> chat_pb2.ToolChoice:
    mode = _MODES.get(choice)
    if mode is not None:
        return chat_pb2.ToolChoice(mode=mode)
    return chat_pb2.ToolChoice(mode=chat_pb2.TOOL_CHOICE_MODE_REQUIRED, tool_names=[choice])


def _messages(messages: Messages) -> list[chat_pb2.Message]:
    if isinstance(messages, str | chat_pb2.Message | Mapping):
        messages = [messages]
    return [_message(message) for message in messages]


def _message(message: MessageLike) -> chat_pb2.Message:
    if isinstance(message, chat_pb2.Message):
        return message
    if isinstance(message, str):
        return user_message(message)
    if not isinstance(message, Mapping):
        raise TypeError(f"a message must be a text, a Message or a mapping, not {type(message).__name__}")
    if unknown := sorted(message.keys() - {"role", "content"}):
        raise ValueError(f"a message has role and content, and no {unknown[0]!r}")
    role: Any = message.get("role")
    if isinstance(role, str):
        role = _ROLES.get(role, role)
    content = message.get("content", ())
    if isinstance(content, str | chat_pb2.Part):
        parts = parts_of(content)
    else:
        parts = [chat_pb2.Part(**item) if isinstance(item, Mapping) else parts_of(item)[0] for item in content]
    return chat_pb2.Message(role=role, content=parts)
