"""Helpers that make messages, parts, tools and forms of answers. All are exported by ``understudy`` as well."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from understudy.v1 import chat_pb2

Content = str | chat_pb2.Part | Iterable[str | chat_pb2.Part]
"""What a message says: text, a part, or several of them."""

Schema = str | Mapping[str, Any]
"""A JSON Schema: as its text, or as an object of which the text is made."""

_MEDIA_TYPES = {
    ".png": "image/png",
    ".jpg": "image/jpeg",
    ".jpeg": "image/jpeg",
    ".gif": "image/gif",
    ".webp": "image/webp",
    ".pdf": "application/pdf",
}


def text_part(text: str, *, cache_breakpoint: bool = False) -> chat_pb2.Part:
    """Makes a part of text; ``cache_breakpoint`` says that the prompt up to it is worth caching at the provider."""
    return chat_pb2.Part(text=text, cache_breakpoint=cache_breakpoint)


def image_part(source: str | bytes | os.PathLike[str], media_type: str = "") -> chat_pb2.Part:
    """Makes a part that is an image: an https address, bytes with their media type, or the path of a file (``pathlib.Path``).

    Raises:
        OSError: The file cannot be read.
        ValueError: The media type is not given and not known by the file's name.
    """
    if isinstance(source, str):
        return chat_pb2.Part(image=chat_pb2.Image(url=source, media_type=media_type))
    data, _, media_type = _read(source, media_type)
    return chat_pb2.Part(image=chat_pb2.Image(data=data, media_type=media_type))


def file_part(source: bytes | os.PathLike[str], media_type: str = "", filename: str = "") -> chat_pb2.Part:
    """Makes a part that is a file, such as a PDF: bytes with their media type, or the path of a file (``pathlib.Path``).

    Raises:
        OSError: The file cannot be read.
        ValueError: The media type is not given and not known by the file's name.
    """
    data, name, media_type = _read(source, media_type)
    return chat_pb2.Part(file=chat_pb2.File(data=data, media_type=media_type, filename=filename or name))


def _read(source: bytes | os.PathLike[str], media_type: str) -> tuple[bytes, str, str]:
    if isinstance(source, bytes):
        data, name, known = source, "", ""
    else:
        path = Path(source)
        data, name, known = path.read_bytes(), path.name, _MEDIA_TYPES.get(path.suffix.lower(), "")
    if not (media_type or known):
        raise ValueError("media_type is needed")
    return data, name, media_type or known


def system_message(content: Content) -> chat_pb2.Message:
    """Makes a message of the application: instructions."""
    return chat_pb2.Message(role=chat_pb2.ROLE_SYSTEM, content=parts_of(content))


def user_message(content: Content) -> chat_pb2.Message:
    """Makes a message of the user."""
    return chat_pb2.Message(role=chat_pb2.ROLE_USER, content=parts_of(content))


def assistant_message(content: Content) -> chat_pb2.Message:
    """Makes a message of the model. An answer that came from the gateway is better sent back as it is."""
    return chat_pb2.Message(role=chat_pb2.ROLE_ASSISTANT, content=parts_of(content))


def tool_message(call: str | chat_pb2.ToolCall, content: Content, *, is_error: bool = False) -> chat_pb2.Message:
    """Makes the message that answers one tool call, which is given as it came or by its id."""
    call_id = call if isinstance(call, str) else call.id
    result = chat_pb2.ToolResult(tool_call_id=call_id, content=parts_of(content), is_error=is_error)
    return chat_pb2.Message(role=chat_pb2.ROLE_TOOL, content=[chat_pb2.Part(tool_result=result)])


def function_tool(
    name: str, description: str = "", parameters: Schema | None = None, *, strict: bool = False
) -> chat_pb2.Tool:
    """Makes a tool. ``parameters`` is the JSON Schema of its arguments; ``strict`` holds the provider to it, where it can."""
    function = chat_pb2.FunctionTool(
        name=name, description=description, parameters_json=_schema_text(parameters), strict=strict
    )
    return chat_pb2.Tool(function=function)


def json_schema(name: str, schema: Schema, *, strict: bool = False, repair: bool = False) -> chat_pb2.ResponseFormat:
    """Makes the form of an answer that is JSON of a schema.

    ``strict`` passes over an answer that does not hold to it; ``repair`` lets the model be asked once more.
    """
    form = chat_pb2.JsonSchemaFormat(name=name, schema_json=_schema_text(schema), strict=strict, repair=repair)
    return chat_pb2.ResponseFormat(json_schema=form)


def json_object() -> chat_pb2.ResponseFormat:
    """Makes the form of an answer that is any JSON object."""
    return chat_pb2.ResponseFormat(json_object=chat_pb2.JsonObjectFormat())


def tool_calls(message: chat_pb2.Message) -> list[chat_pb2.ToolCall]:
    """Returns the tool calls of an answer, in their order."""
    return [part.tool_call for part in message.content if part.HasField("tool_call")]


def parts_of(content: Content) -> list[chat_pb2.Part]:
    """Makes the parts of a message."""
    items = [content] if isinstance(content, str | chat_pb2.Part) else content
    return [text_part(item) if isinstance(item, str) else item for item in items]


def _schema_text(schema: Schema | None) -> str:
    if schema is None or isinstance(schema, str):
        return schema or ""
    return json.dumps(schema, ensure_ascii=False, separators=(",", ":"))
