"""A gRPC server whose answers the tests decide, and which notes what callers do."""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import grpc
from google.protobuf import any_pb2, duration_pb2
from google.protobuf.message import Message
from google.rpc import error_details_pb2, status_pb2
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_health.v1.health import HealthServicer

from understudy.v1 import llm_pb2, llm_pb2_grpc, routing_pb2

Event = llm_pb2.StreamChatResponse


class StubServer(llm_pb2_grpc.LlmServiceServicer):
    """Serves until `stop`. By default Generate answers with the prompt, and StreamChat with a word every 20 ms for 20 s."""

    def __init__(self, port: int = 0, credentials: grpc.ServerCredentials | None = None) -> None:
        self.calls: list[str] = []
        self.metadata: list[dict[str, Any]] = []
        self.timeouts: list[float | None] = []
        self.peers: list[str] = []
        self.ends: queue.Queue[tuple[str, float]] = queue.Queue()
        self.health = HealthServicer()
        self.set_serving(is_serving=True)
        self.on_generate: Callable[[llm_pb2.GenerateRequest, grpc.ServicerContext], llm_pb2.GenerateResponse] = (
            lambda request, _: llm_pb2.GenerateResponse(text=request.prompt)
        )
        self.on_stream: Callable[[llm_pb2.StreamChatRequest, grpc.ServicerContext], Iterator[Event]] = words
        self._server = grpc.server(
            ThreadPoolExecutor(64),
            options=[("grpc.max_receive_message_length", -1), ("grpc.so_reuseport", 0)],
        )
        llm_pb2_grpc.add_LlmServiceServicer_to_server(self, self._server)
        health_pb2_grpc.add_HealthServicer_to_server(self.health, self._server)
        if credentials is None:
            self.port = self._server.add_insecure_port(f"127.0.0.1:{port}")
        else:
            self.port = self._server.add_secure_port(f"127.0.0.1:{port}", credentials)
        self.address = f"127.0.0.1:{self.port}"
        self._server.start()

    def set_serving(self, *, is_serving: bool) -> None:
        status = health_pb2.HealthCheckResponse.SERVING if is_serving else health_pb2.HealthCheckResponse.NOT_SERVING
        self.health.set("", status)

    def stop(self) -> None:
        # Whoever still has a call open is not waited for: the process goes on without it.
        self._server.stop(None).wait(timeout=5)

    def left_after(self, seconds: float = 3.0) -> float:
        """Waits for the end of a stream, which must be an abort; returns when it came (time.monotonic)."""
        end, at = self.ends.get(timeout=seconds)
        assert end == "aborted"
        return at

    def Generate(self, request: llm_pb2.GenerateRequest, context: Any) -> llm_pb2.GenerateResponse:  # noqa: N802
        self._note("Generate", context)
        return self.on_generate(request, context)

    def Chat(self, request: llm_pb2.ChatRequest, context: Any) -> llm_pb2.ChatResponse:  # noqa: N802
        self._note("Chat", context)
        return llm_pb2.ChatResponse(text=request.messages[0].content[0].text)

    def StreamChat(self, request: llm_pb2.StreamChatRequest, context: Any) -> Iterator[Event]:  # noqa: N802
        self._note("StreamChat", context)
        has_ended = threading.Event()
        context.add_callback(lambda: self.ends.put(("ended" if has_ended.is_set() else "aborted", time.monotonic())))
        yield from self.on_stream(request, context)
        if context.is_active():
            has_ended.set()

    def Health(self, request: llm_pb2.HealthRequest, context: Any) -> llm_pb2.HealthResponse:  # noqa: N802
        self._note("Health", context)
        return llm_pb2.HealthResponse(version="stub")

    def ListModels(self, request: llm_pb2.ListModelsRequest, context: Any) -> llm_pb2.ListModelsResponse:  # noqa: N802
        self._note("ListModels", context)
        page = int(request.page_token or "0")
        response = llm_pb2.ListModelsResponse(next_page_token=str(page + 1) if page < 2 else "")
        response.models.add(id=f"model-{page}", target=request.target)
        return response

    def _note(self, method: str, context: Any) -> None:
        self.calls.append(method)
        self.metadata.append(dict(context.invocation_metadata()))
        self.timeouts.append(context.time_remaining())
        self.peers.append(context.peer())


def words(request: llm_pb2.StreamChatRequest, context: grpc.ServicerContext) -> Iterator[Event]:
    yield Event(sequence=1, started=Event.Started(target="stub"))
    for sequence in range(2, 1000):
        yield text(sequence, "word ")
        time.sleep(0.02)


def text(sequence: int, value: str, part: int = 0) -> Event:
    return Event(sequence=sequence, text_delta=Event.TextDelta(part_index=part, text=value))


def finished(sequence: int) -> Event:
    return Event(sequence=sequence, finished=Event.Finished(target="stub"))


def fail(
    context: grpc.ServicerContext,
    code: grpc.StatusCode,
    reason: str,
    *,
    pushback: str | None = None,
    retry_after: float | None = None,
    attempts: list[routing_pb2.Attempt] | None = None,
    others: list[Message] | None = None,
    message: str = "no",
) -> Any:
    """Ends a call as the gateway does."""
    details: list[Message] = [error_details_pb2.ErrorInfo(reason=reason, domain="understudy")]
    if retry_after is not None:
        delay = duration_pb2.Duration(nanos=int(retry_after * 1e9) % 10**9, seconds=int(retry_after))
        details.append(error_details_pb2.RetryInfo(retry_delay=delay))
    if attempts:
        details.append(routing_pb2.AttemptTrail(attempts=attempts))
    status = status_pb2.Status(code=code.value[0], message=message)
    for detail in details + (others or []):
        packed = any_pb2.Any()
        packed.Pack(detail)
        status.details.append(packed)
    trailers: list[tuple[str, str | bytes]] = [("grpc-status-details-bin", status.SerializeToString())]
    if pushback is not None:
        trailers.append(("grpc-retry-pushback-ms", pushback))
    context.set_trailing_metadata(tuple(trailers))
    context.abort(code, message)
