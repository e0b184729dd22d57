"""Keyword arguments of calls: fields of the request and options of the call together."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, cast

from understudy._call import CallOptions
from understudy._requests import ChatFields, GenerateFields, StreamChatFields


class GenerateOptions(GenerateFields, CallOptions, total=False):
    """Keyword arguments of ``generate``."""


class ChatOptions(ChatFields, CallOptions, total=False):
    """Keyword arguments of ``chat``."""


class StreamChatOptions(StreamChatFields, CallOptions, total=False):
    """Keyword arguments of ``stream_chat``."""


def split_options(options: Mapping[str, object], known: type[Any]) -> tuple[CallOptions, dict[str, Any]]:
    """Parts the options of the call from the fields of the request.

    Raises:
        TypeError: There is no such argument.
    """
    names = known.__annotations__.keys()
    if unknown := sorted(options.keys() - names):
        raise TypeError(f"got an unexpected keyword argument {unknown[0]!r}")
    of_call = CallOptions.__annotations__.keys()
    call = {name: value for name, value in options.items() if name in of_call}
    fields = {name: value for name, value in options.items() if name not in of_call}
    return cast("CallOptions", call), fields
