"""What the synchronous and the asynchronous client have in common."""

from __future__ import annotations

import enum
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from typing import Any, Final

import grpc
from google.protobuf.message import Message
from grpc_health.v1 import health_pb2

from understudy._address import parse_addresses
from understudy._call import CallOptions, Metadata, Plan, authorization_of, metadata_of
from understudy._deadline import seconds_of
from understudy._settings import Tls, channel_options, merged_timeouts
from understudy.v1 import llm_pb2

AsyncKey = Callable[[], str | Awaitable[str]]
"""A function that is asked for the API key at each try, for keys that change. Only the asynchronous client waits for one."""


class ServingStatus(enum.Enum):
    """Whether a service of a gateway serves (grpc.health.v1)."""

    UNKNOWN = 0
    """Not known."""
    SERVING = 1
    """It serves."""
    NOT_SERVING = 2
    """It does not, such as a gateway that is going down."""
    SERVICE_UNKNOWN = 3
    """There is no such service; only of ``watch``."""

    @classmethod
    def of(cls, response: health_pb2.HealthCheckResponse) -> ServingStatus:
        """Reads an answer."""
        try:
            return cls(response.status)
        except ValueError:
            return cls.UNKNOWN


class Config:
    """The options of a client, checked."""

    def __init__(
        self,
        address: str | Iterable[str],
        *,
        api_key: str | AsyncKey | None,
        tls: Tls | bool | None,
        timeouts: Mapping[str, float | None] | None,
        metadata: Metadata | None,
        max_retries: int,
        wait_for_ready: bool,
        allow_api_key_without_tls: bool,
        channel_options_: Sequence[tuple[str, Any]],
    ) -> None:
        options = Tls() if tls is True else tls or None
        self.endpoints: Final = parse_addresses(address, tls=options is not None)
        if api_key is not None and not (self.endpoints.secure or self.endpoints.loopback or allow_api_key_without_tls):
            raise ValueError(
                "an API key would go over plaintext to another host: use TLS, or allow_api_key_without_tls=True "
                "where something else guards the way"
            )
        if max_retries < 0:
            raise ValueError("max_retries must be 0 or more")
        self.timeouts: Final = merged_timeouts(timeouts)
        for timeout in self.timeouts.values():
            seconds_of(timeout)
        self.api_key: Final = api_key if callable(api_key) else None
        self._metadata = metadata_of(metadata)
        if isinstance(api_key, str):
            self._metadata.append(authorization_of(api_key))
        elif api_key is not None and not callable(api_key):
            raise TypeError("api_key must be a text or a function")
        self.max_retries: Final = max_retries
        self.wait_for_ready: Final = wait_for_ready
        self.options: Final = channel_options(self.endpoints, options, channel_options_)
        self.probe_options: Final = [*self.options, ("grpc.inhibit_health_checking", 1)]
        self.credentials: Final = (options or Tls()).credentials() if self.endpoints.secure else None

    def plan(self, method: str, options: CallOptions) -> Plan:
        """Makes the plan of one call of a method."""
        return Plan(
            options,
            default_timeout=self.timeouts[method],
            client_metadata=self._metadata,
            wait_for_ready=self.wait_for_ready,
            max_retries=self.max_retries,
            channels=len(self.endpoints.targets),
        )


_METHODS: Final[Mapping[str, tuple[str, type[Message], type[Message]]]] = {
    "generate": ("/understudy.v1.LlmService/Generate", llm_pb2.GenerateRequest, llm_pb2.GenerateResponse),
    "chat": ("/understudy.v1.LlmService/Chat", llm_pb2.ChatRequest, llm_pb2.ChatResponse),
    "stream_chat": ("/understudy.v1.LlmService/StreamChat", llm_pb2.StreamChatRequest, llm_pb2.StreamChatResponse),
    "health": ("/understudy.v1.LlmService/Health", llm_pb2.HealthRequest, llm_pb2.HealthResponse),
    "list_models": ("/understudy.v1.LlmService/ListModels", llm_pb2.ListModelsRequest, llm_pb2.ListModelsResponse),
    "check": ("/grpc.health.v1.Health/Check", health_pb2.HealthCheckRequest, health_pb2.HealthCheckResponse),
    "watch": ("/grpc.health.v1.Health/Watch", health_pb2.HealthCheckRequest, health_pb2.HealthCheckResponse),
}
_STREAMS: Final = frozenset({"stream_chat", "watch"})
_PROBES: Final = frozenset({"check", "watch"})


class Stubs:
    """The methods of one gateway or name, of either API of grpcio.

    The probe is a channel of its own for health checks, which gRPC keeps away from a gateway that does not serve as all calls
    are. It connects when it is used.
    """

    def __init__(self, channel: Any, probe: Any) -> None:
        self.channels: Final = (channel, probe)
        self._methods = {}
        for name, (path, request, response) in _METHODS.items():
            over = probe if name in _PROBES else channel
            self._methods[name] = (over.unary_stream if name in _STREAMS else over.unary_unary)(
                path, request_serializer=request.SerializeToString, response_deserializer=response.FromString
            )

    def start(self, method: str, request: Message, plan: Plan, metadata: Any, timeout: float | None) -> Any:
        """Starts a call."""
        return self._methods[method](
            request, timeout=timeout, metadata=tuple(metadata), wait_for_ready=plan.wait_for_ready or None
        )


def is_closed_channel(error: Exception) -> bool:
    """Tells whether grpcio refused a call because its channel is closed."""
    return isinstance(error, ValueError | grpc.aio.UsageError) and "closed" in str(error)
