"""The synchronous client."""

from __future__ import annotations

import itertools
import os
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from types import TracebackType
from typing import Any

import grpc
from google.protobuf.message import Message
from grpc_health.v1 import health_pb2
from typing_extensions import Self, Unpack

from understudy._call import CallOptions, Metadata, Plan, Running, authorization_of, with_defaults
from understudy._config import Config, ServingStatus, Stubs, is_closed_channel
from understudy._errors import cancelled_error, deadline_error, error_of
from understudy._options import ChatOptions, GenerateOptions, StreamChatOptions, split_options
from understudy._requests import Messages, chat_request, generate_request, stream_chat_request
from understudy._retry import DEFAULT_MAX_RETRIES
from understudy._settings import Tls
from understudy._stream import ChatStream, Stream
from understudy.v1 import llm_pb2

# Channels that a forked child has from its parent. Dropping them there would write to the parent's connections.
_inherited: list[Any] = []


class Client:
    """Calls gateways, and blocks until they answer.

    Threads may share one. It connects with the first call, and a child that was forked before that has connections of its
    own. Calls raise `Error`. A call is repeated only where that cannot bill twice.

    Args:
        address: ``host:port`` (plaintext), ``http://host:port``, ``https://host:port``, or a name of gRPC such as
            ``dns:///host:port`` or ``unix:path``. Several, in a list or with commas between, take turns, those that cannot be
            reached or do not serve left out.
        api_key: Key to send as ``Authorization: Bearer``, or a function that is asked for it at each try.
        tls: Certificates and keys, or True for the usual. Makes an address without a scheme one of TLS.
        timeouts: Deadlines of calls that set none, in seconds by method (``generate``, ``chat``, ``stream_chat``, ``health``,
            ``list_models``, ``check``, ``watch``); None for no deadline. Default: 600 for ``stream_chat``, 5 for ``health``
            and ``check``, none for ``watch``, 120 for the others.
        metadata: Metadata of every call.
        max_retries: How often a call is repeated where that cannot bill twice: the gateway says that no provider was asked,
            or invites to it, or was never reached. The wait is the one that it asks for; never beyond the deadline. 0 for
            never.
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
        api_key: str | Callable[[], str] | None = None,
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
        self._stubs: list[Stubs] = []
        self._pid = os.getpid()
        self._turns = itertools.count()
        self._lock = threading.Lock()
        self._closed = threading.Event()

    def generate(
        self, prompt: str | llm_pb2.GenerateRequest, **options: Unpack[GenerateOptions]
    ) -> llm_pb2.GenerateResponse:
        """Answers one prompt. Takes the fields of a GenerateRequest, or a whole one, and the options of a call.

        Raises:
            Error: The call failed.
        """
        call, fields = split_options(options, GenerateOptions)
        response: llm_pb2.GenerateResponse = self._unary("generate", generate_request(prompt, fields), call)
        return response

    def chat(self, messages: Messages | llm_pb2.ChatRequest, **options: Unpack[ChatOptions]) -> llm_pb2.ChatResponse:
        """Answers a conversation with one whole message.

        Takes the fields of a ChatRequest, or a whole one, and the options of a call.

        Raises:
            Error: The call failed.
        """
        call, fields = split_options(options, ChatOptions)
        response: llm_pb2.ChatResponse = self._unary("chat", chat_request(messages, fields), call)
        return response

    def stream_chat(
        self,
        messages: Messages | llm_pb2.ChatRequest | llm_pb2.StreamChatRequest,
        **options: Unpack[StreamChatOptions],
    ) -> ChatStream:
        """Answers a conversation as it is written. The call starts with the first read of the stream.

        Takes the fields of a StreamChatRequest, or a whole one, and the options of a call.
        """
        call, fields = split_options(options, StreamChatOptions)
        return ChatStream(*self._stream("stream_chat", stream_chat_request(messages, fields), call), convert=_as_it_is)

    def health(self, **call: Unpack[CallOptions]) -> llm_pb2.HealthResponse:
        """Tells how the targets are doing. Calls no provider.

        Raises:
            Error: The call failed.
        """
        response: llm_pb2.HealthResponse = self._unary("health", llm_pb2.HealthRequest(), call)
        return response

    def list_models(
        self, *, page_size: int = 0, page_token: str = "", target: str = "", **call: Unpack[CallOptions]
    ) -> llm_pb2.ListModelsResponse:
        """Lists one page of the models that requests may name.

        Raises:
            Error: The call failed.
        """
        request = llm_pb2.ListModelsRequest(page_size=page_size, page_token=page_token, target=target)
        response: llm_pb2.ListModelsResponse = self._unary("list_models", request, call)
        return response

    def models(self, *, target: str = "", **call: Unpack[CallOptions]) -> Iterator[llm_pb2.Model]:
        """Yields all models that requests may name, page by page.

        Raises:
            Error: A call failed.
        """
        token = ""
        while True:
            page = self.list_models(page_size=1000, page_token=token, target=target, **call)
            yield from page.models
            token = page.next_page_token
            if not token:
                return

    def check(self, service: str = "", **call: Unpack[CallOptions]) -> ServingStatus:
        """Asks grpc.health.v1 whether a service serves: the gateway by default.

        Raises:
            Error: The call failed; NotFoundError where there is no such service.
        """
        return ServingStatus.of(self._unary("check", health_pb2.HealthCheckRequest(service=service), call))

    def watch(self, service: str = "", **call: Unpack[CallOptions]) -> Stream[ServingStatus]:
        """Asks grpc.health.v1 whether a service serves, now and each time that it changes."""
        request = health_pb2.HealthCheckRequest(service=service)
        return Stream(*self._stream("watch", request, call), convert=ServingStatus.of)

    def close(self) -> None:
        """Ends open calls with CallCancelledError and closes the connections for good."""
        self._closed.set()
        with self._lock:
            stubs, self._stubs = self._stubs, []
        if self._pid == os.getpid():
            for stub in stubs:
                for channel in stub.channels:
                    channel.close()
        else:
            _inherited.extend(stubs)

    def __enter__(self) -> Self:
        """Returns the client; the end of the block closes it."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        """Closes the client."""
        self.close()

    def _unary(self, method: str, request: Message, options: CallOptions) -> Any:
        plan = self._config.plan(method, options)
        running = plan.start()
        while True:
            try:
                return self._begin(method, request, plan, running)
            except grpc.RpcError as error:
                wait = running.wait(error_of(error))
            self._closed.wait(wait)  # the repeat then meets the closed client

    def _stream(
        self, method: str, request: Message, options: CallOptions
    ) -> tuple[Callable[[Running], Any], Callable[[], Running]]:
        plan = self._config.plan(method, options)
        return lambda running: self._begin(method, request, plan, running), plan.start

    def _begin(self, method: str, request: Message, plan: Plan, running: Running) -> Any:
        metadata = plan.metadata
        if self._config.api_key is not None and all(name != "authorization" for name, _ in metadata):
            key = self._config.api_key()
            metadata = with_defaults(metadata, [authorization_of(key)])  # type: ignore[arg-type]
        left = running.deadline.left()
        if left is not None and left <= 0:
            raise deadline_error()
        stubs = self._next_stubs(running)
        try:
            return stubs.start(method, request, plan, metadata, running.deadline.timeout())
        except ValueError as error:
            if self._closed.is_set() or is_closed_channel(error):
                raise cancelled_error("the client is closed") from error
            raise

    def _next_stubs(self, running: Running) -> Stubs:
        if self._pid != os.getpid():
            _inherited.extend(self._stubs)
            self._stubs, self._pid, self._lock = [], os.getpid(), threading.Lock()
            closed, self._closed = self._closed.is_set(), threading.Event()
            if closed:
                self._closed.set()
        with self._lock:
            if self._closed.is_set():
                raise cancelled_error("the client is closed")
            if not self._stubs:
                self._stubs = [self._stubs_of(target) for target in self._config.endpoints.targets]
            return self._stubs[running.turn(self._turns) % len(self._stubs)]

    def _stubs_of(self, target: str) -> Stubs:
        config = self._config
        return Stubs(self._channel(target, config.options), self._channel(target, config.probe_options))

    def _channel(self, target: str, options: list[tuple[str, Any]]) -> grpc.Channel:
        credentials = self._config.credentials
        if credentials is None:
            return grpc.insecure_channel(target, options=options)
        return grpc.secure_channel(target, credentials, options=options)


def _as_it_is(message: llm_pb2.StreamChatResponse) -> llm_pb2.StreamChatResponse:
    return message
