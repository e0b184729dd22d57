"""The asynchronous client."""

from __future__ import annotations

import asyncio
import contextlib
import inspect
import itertools
import os
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Mapping, Sequence
from types import TracebackType
from typing import Any

import grpc
from google.protobuf.message import Message
from grpc import aio
from grpc_health.v1 import health_pb2
from typing_extensions import Self, Unpack

from understudy._async_stream import AsyncChatStream, AsyncStream, task_is_cancelled
from understudy._call import CallOptions, Metadata, Plan, Running, authorization_of, with_defaults
from understudy._config import Config, ServingStatus, Stubs, is_closed_channel
from understudy._errors import cancelled_error, deadline_error, error_of
from understudy._options import ChatOptions, GenerateOptions, StreamChatOptions, split_options
from understudy._requests import Messages, chat_request, generate_request, stream_chat_request
from understudy._retry import DEFAULT_MAX_RETRIES
from understudy._settings import Tls
from understudy.v1 import llm_pb2

# Channels of a parent process. Dropping them in a child would write to the connections of the parent.
_inherited: list[Any] = []


class AsyncClient:
    """Calls gateways from asyncio.

    The same as `Client`, with coroutines. Tasks may share one; it may be made outside of a loop, connects with the first
    call, and has connections of its own in each event loop and in a forked child. ``close`` closes those of its own loop; those
    of others go with their loops.

    Args:
        address: ``host:port`` (plaintext), ``http://host:port``, ``https://host:port``, or a name of gRPC such as
            ``dns:///host:port`` or ``unix:path``. Several, in a list or with commas between, take turns, those that cannot be
            reached or do not serve left out.
        api_key: Key to send as ``Authorization: Bearer``, or a function (also a coroutine function) that is asked for it at
            each try.
        tls: Certificates and keys, or True for the usual. Makes an address without a scheme one of TLS.
        timeouts: Deadlines of calls that set none, in seconds by method; None for no deadline. Default: 600 for
            ``stream_chat``, 5 for ``health`` and ``check``, none for ``watch``, 120 for the others.
        metadata: Metadata of every call.
        max_retries: How often a call is repeated where that cannot bill twice. 0 for never.
        wait_for_ready: Whether calls wait, within their deadline, for a gateway that can be reached.
        allow_api_key_without_tls: Allows a key over plaintext to another host than this one.
        channel_options: Further options of gRPC channels; they win over those of the client.

    Raises:
        ValueError: An address or an option cannot be used.
    """

    def __init__(
        self,
        address: str | Iterable[str],
        *,
        api_key: str | Callable[[], str | Awaitable[str]] | None = None,
        tls: Tls | bool | None = None,
        timeouts: Mapping[str, float | None] | None = None,
        metadata: Metadata | None = None,
        max_retries: int = DEFAULT_MAX_RETRIES,
        wait_for_ready: bool = False,
        allow_api_key_without_tls: bool = False,
        channel_options: Sequence[tuple[str, Any]] = (),
    ) -> None:
        self._config = Config(
            address,
            api_key=api_key,
            tls=tls,
            timeouts=timeouts,
            metadata=metadata,
            max_retries=max_retries,
            wait_for_ready=wait_for_ready,
            allow_api_key_without_tls=allow_api_key_without_tls,
            channel_options_=channel_options,
        )
        self._stubs: dict[asyncio.AbstractEventLoop, list[Stubs]] = {}
        self._pid = os.getpid()
        self._turns = itertools.count()
        self._is_closed = False
        self._waits: set[tuple[asyncio.AbstractEventLoop, asyncio.Event]] = set()

    async def generate(
        self, prompt: str | llm_pb2.GenerateRequest, **options: Unpack[GenerateOptions]
    ) -> llm_pb2.GenerateResponse:
        """Answers one prompt. Takes the fields of a GenerateRequest, or a whole one, and the options of a call.

        Raises:
            Error: The call failed.
        """
        call, fields = split_options(options, GenerateOptions)
        response: llm_pb2.GenerateResponse = await self._unary("generate", generate_request(prompt, fields), call)
        return response

    async def chat(
        self, messages: Messages | llm_pb2.ChatRequest, **options: Unpack[ChatOptions]
    ) -> llm_pb2.ChatResponse:
        """Answers a conversation with one whole message.

        Takes the fields of a ChatRequest, or a whole one, and the options of a call.

        Raises:
            Error: The call failed.
        """
        call, fields = split_options(options, ChatOptions)
        response: llm_pb2.ChatResponse = await self._unary("chat", chat_request(messages, fields), call)
        return response

    def stream_chat(
        self,
        messages: Messages | llm_pb2.ChatRequest | llm_pb2.StreamChatRequest,
        **options: Unpack[StreamChatOptions],
    ) -> AsyncChatStream:
        """Answers a conversation as it is written. The call starts with the first read of the stream.

        Takes the fields of a StreamChatRequest, or a whole one, and the options of a call.
        """
        call, fields = split_options(options, StreamChatOptions)
        return AsyncChatStream(*self._stream("stream_chat", stream_chat_request(messages, fields), call), _as_it_is)

    async def health(self, **call: Unpack[CallOptions]) -> llm_pb2.HealthResponse:
        """Tells how the targets are doing. Calls no provider.

        Raises:
            Error: The call failed.
        """
        response: llm_pb2.HealthResponse = await self._unary("health", llm_pb2.HealthRequest(), call)
        return response

    async def list_models(
        self, *, page_size: int = 0, page_token: str = "", target: str = "", **call: Unpack[CallOptions]
    ) -> llm_pb2.ListModelsResponse:
        """Lists one page of the models that requests may name.

        Raises:
            Error: The call failed.
        """
        request = llm_pb2.ListModelsRequest(page_size=page_size, page_token=page_token, target=target)
        response: llm_pb2.ListModelsResponse = await self._unary("list_models", request, call)
        return response

    async def models(self, *, target: str = "", **call: Unpack[CallOptions]) -> AsyncIterator[llm_pb2.Model]:
        """Yields all models that requests may name, page by page.

        Raises:
            Error: A call failed.
        """
        token = ""
        while True:
            page = await self.list_models(page_size=1000, page_token=token, target=target, **call)
            for model in page.models:
                yield model
            token = page.next_page_token
            if not token:
                return

    async def check(self, service: str = "", **call: Unpack[CallOptions]) -> ServingStatus:
        """Asks grpc.health.v1 whether a service serves: the gateway by default.

        Raises:
            Error: The call failed; NotFoundError where there is no such service.
        """
        return ServingStatus.of(await self._unary("check", health_pb2.HealthCheckRequest(service=service), call))

    def watch(self, service: str = "", **call: Unpack[CallOptions]) -> AsyncStream[ServingStatus]:
        """Asks grpc.health.v1 whether a service serves, now and each time that it changes."""
        request = health_pb2.HealthCheckRequest(service=service)
        return AsyncStream(*self._stream("watch", request, call), ServingStatus.of)

    async def close(self) -> None:
        """Ends open calls with CallCancelledError and closes the connections for good."""
        self._is_closed = True
        self._forget_others()
        for loop, event in list(self._waits):
            if not loop.is_closed():
                loop.call_soon_threadsafe(event.set)
        for stub in self._stubs.pop(asyncio.get_running_loop(), []):
            for channel in stub.channels:
                await channel.close()

    async def __aenter__(self) -> Self:
        """Returns the client; the end of the block closes it."""
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        """Closes the client."""
        await self.close()

    async def _unary(self, method: str, request: Message, options: CallOptions) -> Any:
        plan = self._config.plan(method, options)
        running = plan.start()
        while True:
            try:
                return await (await self._begin(method, request, plan, running))
            except grpc.RpcError as error:
                wait = running.wait(error_of(error))
            except asyncio.CancelledError:
                if self._is_closed and not task_is_cancelled():
                    raise cancelled_error("the client is closed") from None
                raise
            await self._wait(wait)

    async def _wait(self, seconds: float) -> None:
        """Waits for a repeat, or for the end of the client, which the repeat then meets."""
        if self._is_closed:
            return
        wait = (asyncio.get_running_loop(), asyncio.Event())
        self._waits.add(wait)
        try:
            with contextlib.suppress(asyncio.TimeoutError):
                await asyncio.wait_for(wait[1].wait(), seconds)
        finally:
            self._waits.discard(wait)

    def _stream(
        self, method: str, request: Message, options: CallOptions
    ) -> tuple[Callable[[Running], Awaitable[Any]], Callable[[], Running], Callable[[], bool]]:
        plan = self._config.plan(method, options)
        return lambda running: self._begin(method, request, plan, running), plan.start, lambda: self._is_closed

    async def _begin(self, method: str, request: Message, plan: Plan, running: Running) -> Any:
        metadata = plan.metadata
        if self._config.api_key is not None and all(name != "authorization" for name, _ in metadata):
            metadata = with_defaults(metadata, [authorization_of(await self._key(running))])
        left = running.deadline.left()
        if left is not None and left <= 0:
            raise deadline_error()
        stubs = self._next_stubs(running)
        try:
            return stubs.start(method, request, plan, metadata, running.deadline.timeout())
        except (aio.UsageError, ValueError) as error:
            if self._is_closed or is_closed_channel(error):
                raise cancelled_error("the client is closed") from error
            raise

    async def _key(self, running: Running) -> str:
        key = self._config.api_key() if self._config.api_key is not None else ""
        if not inspect.isawaitable(key):
            return key
        try:
            return await asyncio.wait_for(key, running.deadline.left())
        except asyncio.TimeoutError:
            raise deadline_error() from None

    def _next_stubs(self, running: Running) -> Stubs:
        if self._is_closed:
            raise cancelled_error("the client is closed")
        loop = asyncio.get_running_loop()
        if loop not in self._stubs or self._pid != os.getpid():
            self._forget_others()
            self._stubs[loop] = [self._stubs_of(target) for target in self._config.endpoints.targets]
        stubs = self._stubs[loop]
        return stubs[running.turn(self._turns) % len(stubs)]

    def _forget_others(self) -> None:
        """Drops channels of loops that are closed, and keeps those of a parent process from being touched."""
        if self._pid != os.getpid():
            _inherited.append(self._stubs)
            self._stubs, self._pid = {}, os.getpid()
        self._stubs = {loop: stubs for loop, stubs in self._stubs.items() if not loop.is_closed()}

    def _stubs_of(self, target: str) -> Stubs:
        config = self._config
        return Stubs(self._channel(target, config.options), self._channel(target, config.probe_options))

    def _channel(self, target: str, options: list[tuple[str, Any]]) -> aio.Channel:
        credentials = self._config.credentials
        if credentials is None:
            return aio.insecure_channel(target, options=options)
        return aio.secure_channel(target, credentials, options=options)


def _as_it_is(message: llm_pb2.StreamChatResponse) -> llm_pb2.StreamChatResponse:
    return message
