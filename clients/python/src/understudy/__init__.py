"""Calls Understudy, the LLM provider gateway that speaks gRPC.

    with understudy.Client("127.0.0.1:50051") as client:
        print(client.generate("Say hello.").text)

`Client` blocks, `AsyncClient` is for asyncio. Messages and enums of the contract are in ``understudy.types``.
"""

from understudy._async_client import AsyncClient
from understudy._async_stream import AsyncChatStream, AsyncStream
from understudy._call import CallOptions
from understudy._client import Client
from understudy._collect import Accumulator, CollectedAnswer
from understudy._config import ServingStatus
from understudy._errors import (
    ERROR_DOMAIN,
    CallCancelledError,
    DeadlineExceededError,
    DecodedError,
    Error,
    FailedPreconditionError,
    FieldViolation,
    InvalidArgumentError,
    NotFoundError,
    PermissionDeniedError,
    QuotaViolation,
    ResourceExhaustedError,
    StreamInterruptedError,
    UnauthenticatedError,
    UnavailableError,
    decode_error,
)
from understudy._settings import DEFAULT_TIMEOUTS, RECEIVE_LIMIT, SERVICE_CONFIG, Tls
from understudy._stream import ChatStream, Stream
from understudy._version import __version__
from understudy.messages import (
    assistant_message,
    file_part,
    function_tool,
    image_part,
    json_object,
    json_schema,
    system_message,
    text_part,
    tool_calls,
    tool_message,
    user_message,
)

__all__ = [
    "DEFAULT_TIMEOUTS",
    "ERROR_DOMAIN",
    "RECEIVE_LIMIT",
    "SERVICE_CONFIG",
    "Accumulator",
    "AsyncChatStream",
    "AsyncClient",
    "AsyncStream",
    "CallCancelledError",
    "CallOptions",
    "ChatStream",
    "Client",
    "CollectedAnswer",
    "DeadlineExceededError",
    "DecodedError",
    "Error",
    "FailedPreconditionError",
    "FieldViolation",
    "InvalidArgumentError",
    "NotFoundError",
    "PermissionDeniedError",
    "QuotaViolation",
    "ResourceExhaustedError",
    "ServingStatus",
    "Stream",
    "StreamInterruptedError",
    "Tls",
    "UnauthenticatedError",
    "UnavailableError",
    "__version__",
    "assistant_message",
    "decode_error",
    "file_part",
    "function_tool",
    "image_part",
    "json_object",
    "json_schema",
    "system_message",
    "text_part",
    "tool_calls",
    "tool_message",
    "user_message",
]
