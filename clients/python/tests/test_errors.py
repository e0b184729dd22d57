"""What errors say."""

from __future__ import annotations

import asyncio
import pickle
import time
from collections.abc import Iterator
from typing import Any

import grpc
import pytest
from google.rpc import error_details_pb2
from stub_server import Event, StubServer, fail, text

import understudy
from understudy.types import (
    ATTEMPT_KIND_FIRST,
    ERROR_REASON_PROVIDER_UNAVAILABLE,
    Attempt,
    GenerateRequest,
    GenerateResponse,
)
from understudy.v1.llm_pb2_grpc import LlmServiceStub

ATTEMPT = Attempt(
    number=1, kind=ATTEMPT_KIND_FIRST, provider="openai", target="eu", outcome=ERROR_REASON_PROVIDER_UNAVAILABLE
)


def everything(request: GenerateRequest, context: grpc.ServicerContext) -> Any:
    fail(
        context,
        grpc.StatusCode.RESOURCE_EXHAUSTED,
        "ALL_PROVIDERS_FAILED",
        pushback="-1",
        retry_after=1.5,
        attempts=[ATTEMPT],
        others=[
            error_details_pb2.RequestInfo(request_id="r-1"),
            error_details_pb2.BadRequest(
                field_violations=[error_details_pb2.BadRequest.FieldViolation(field="prompt", description="is bad")]
            ),
            error_details_pb2.QuotaFailure(
                violations=[error_details_pb2.QuotaFailure.Violation(subject="target:eu", description="used up")]
            ),
        ],
    )


def test_an_error_of_the_gateway_is_read_whole(server: StubServer) -> None:
    server.on_generate = everything
    with understudy.Client(server.address) as client:
        with pytest.raises(understudy.ResourceExhaustedError) as caught:
            client.generate("Hi")
        error = caught.value
    assert error.code is grpc.StatusCode.RESOURCE_EXHAUSTED
    assert error.reason == "ALL_PROVIDERS_FAILED"
    assert error.message == "no"
    assert error.decoded.domain == understudy.ERROR_DOMAIN
    assert error.retry_after == 1.5
    assert not error.may_retry
    assert error.violations == (understudy.FieldViolation("prompt", "is bad"),)
    assert error.decoded.quota_violations == (understudy.QuotaViolation("target:eu", "used up"),)
    assert error.request_id == "r-1"
    assert error.attempts == (ATTEMPT,)
    assert isinstance(error.__cause__, grpc.RpcError)
    assert str(error) == "RESOURCE_EXHAUSTED: no (reason ALL_PROVIDERS_FAILED)\n  prompt: is bad"
    assert server.calls == ["Generate"]
    copy = pickle.loads(pickle.dumps(error))
    assert type(copy) is type(error)
    assert copy.decoded == error.decoded


def test_errors_of_bare_stubs_are_read_too(server: StubServer) -> None:
    server.on_generate = everything
    with grpc.insecure_channel(server.address) as channel:
        with pytest.raises(grpc.RpcError) as caught:
            LlmServiceStub(channel).Generate(GenerateRequest(prompt="Hi"))
        assert understudy.decode_error(caught.value).attempts == (ATTEMPT,)

    async def main() -> None:
        async with grpc.aio.insecure_channel(server.address) as channel:
            with pytest.raises(grpc.aio.AioRpcError) as caught:
                await LlmServiceStub(channel).Generate(GenerateRequest(prompt="Hi"))
            assert understudy.decode_error(caught.value).attempts == (ATTEMPT,)

    asyncio.run(main())


def test_decoding_never_raises() -> None:
    class BrokenError(Exception):
        def __str__(self) -> str:
            raise ValueError("no text")

    class BrokenRpcError(grpc.RpcError):
        def code(self) -> Any:
            return "none"

        def details(self) -> Any:
            return None

        def trailing_metadata(self) -> Any:
            return (("grpc-status-details-bin", b"\xff\xff"), ("Grpc-Retry-Pushback-Ms", b"soon"))

    assert understudy.decode_error(BrokenError()).code is grpc.StatusCode.UNKNOWN
    assert understudy.decode_error(BrokenRpcError()).code is grpc.StatusCode.UNKNOWN
    assert not understudy.decode_error(BrokenRpcError()).may_retry
    assert understudy.decode_error(grpc.RpcError()).reason == ""
    assert understudy.decode_error(KeyboardInterrupt()).code is grpc.StatusCode.UNKNOWN
    assert understudy.decode_error(TimeoutError()).code is grpc.StatusCode.DEADLINE_EXCEEDED
    assert understudy.decode_error(asyncio.TimeoutError()).code is grpc.StatusCode.DEADLINE_EXCEEDED
    assert understudy.decode_error(asyncio.CancelledError()).code is grpc.StatusCode.CANCELLED


def test_details_of_any_size_arrive(server: StubServer) -> None:
    """Bare grpcio loses some of them from 6 KiB on, and all from 12 KiB on."""

    def large(request: GenerateRequest, context: grpc.ServicerContext) -> Any:
        fail(context, grpc.StatusCode.ABORTED, "SCHEMA_MISMATCH", attempts=[Attempt(target="x" * 30_000)])

    server.on_generate = large
    with understudy.Client(server.address) as client:
        for _ in range(20):
            with pytest.raises(understudy.Error) as caught:
                client.generate("Hi")
            assert caught.value.reason == "SCHEMA_MISMATCH"


@pytest.mark.parametrize(
    ("code", "kind"),
    [
        (grpc.StatusCode.UNAUTHENTICATED, understudy.UnauthenticatedError),
        (grpc.StatusCode.PERMISSION_DENIED, understudy.PermissionDeniedError),
        (grpc.StatusCode.FAILED_PRECONDITION, understudy.FailedPreconditionError),
        (grpc.StatusCode.CANCELLED, understudy.CallCancelledError),
        (grpc.StatusCode.INTERNAL, understudy.Error),
    ],
)
def test_each_code_has_its_exception(server: StubServer, code: grpc.StatusCode, kind: type[Exception]) -> None:
    server.on_generate = lambda _, context: context.abort(code, "no")

    async def main() -> None:
        async with understudy.AsyncClient(server.address) as client:
            with pytest.raises(kind):
                await client.generate("Hi")

    with understudy.Client(server.address) as client, pytest.raises(kind):
        client.generate("Hi")
    asyncio.run(main())


def test_a_deadline_is_a_timeout_error(server: StubServer) -> None:
    def sleep(request: object, context: object) -> GenerateResponse:
        time.sleep(0.3)
        return GenerateResponse()

    server.on_generate = sleep
    with understudy.Client(server.address) as client, pytest.raises(TimeoutError) as caught:
        client.generate("Hi", timeout=0.1)
    assert isinstance(caught.value, understudy.DeadlineExceededError)
    assert str(caught.value).startswith("DEADLINE_EXCEEDED")
    assert pickle.loads(pickle.dumps(caught.value)).code is grpc.StatusCode.DEADLINE_EXCEEDED


def test_a_stream_without_finished_is_an_error_each_time_it_is_read(server: StubServer) -> None:
    def cut(request: object, context: object) -> Iterator[Event]:
        yield text(1, "a")

    server.on_stream = cut

    async def main() -> None:
        async with understudy.AsyncClient(server.address) as client:
            stream = client.stream_chat("Hi")
            for _ in range(2):
                with pytest.raises(understudy.StreamInterruptedError) as caught:
                    await stream.collect()
                assert caught.value.reason == "STREAM_INTERRUPTED"

    with understudy.Client(server.address) as client:
        stream = client.stream_chat("Hi")
        for _ in range(2):
            with pytest.raises(understudy.StreamInterruptedError) as caught:
                stream.collect()
            assert caught.value.reason == "STREAM_INTERRUPTED"
    asyncio.run(main())
