"""Requests, metadata, addresses and balancing."""

from __future__ import annotations

import asyncio
import json
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import grpc
import pytest
from conftest import free_port
from stub_server import StubServer

import understudy
from understudy import types
from understudy._address import parse_addresses
from understudy._requests import chat_request, generate_request, stream_chat_request

TRACE = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"


def test_metadata_of_client_and_call_arrive(server: StubServer) -> None:
    with understudy.Client(server.address, api_key="secret", metadata={"X-Team": "a", "x-user": "b"}) as client:
        client.generate("Hi", request_id="r-1", traceparent=TRACE, metadata=[("X-User", "c"), ("data-bin", b"\x00")])
    got = server.metadata[0]
    assert got["authorization"] == "Bearer secret"
    assert got["x-request-id"] == "r-1"
    assert got["traceparent"] == TRACE
    assert (got["x-team"], got["x-user"], got["data-bin"]) == ("a", "c", b"\x00")
    assert got["user-agent"].startswith(f"understudy-python/{understudy.__version__} grpc-python/")


def test_a_function_is_asked_for_the_key_at_each_call(server: StubServer) -> None:
    keys = iter(["first", "second", "third", "fourth"])
    with understudy.Client(server.address, api_key=lambda: next(keys)) as client:
        client.generate("Hi")
        next(client.stream_chat("Hi"))
        client.generate("Hi", metadata={"Authorization": "Bearer own"})

    async def later() -> str:
        await asyncio.sleep(0)
        return next(keys)

    async def main() -> None:
        async with understudy.AsyncClient(server.address, api_key=later) as client:
            await client.generate("Hi")
        async with understudy.AsyncClient(server.address, api_key=lambda: next(keys)) as client:
            await client.generate("Hi")

    asyncio.run(main())
    assert [got["authorization"].split()[1] for got in server.metadata[:4]] == ["first", "second", "own", "third"]


def test_a_key_that_never_comes_does_not_outlast_the_deadline(server: StubServer) -> None:
    async def never() -> str:
        await asyncio.sleep(60)
        return ""

    async def main() -> None:
        async with understudy.AsyncClient(server.address, api_key=never) as client:
            with pytest.raises(understudy.DeadlineExceededError):
                await client.generate("Hi", timeout=0.1)

    asyncio.run(main())


def test_all_methods(server: StubServer) -> None:
    with understudy.Client(server.address) as client:
        assert client.chat("Hi").text == "Hi"
        assert client.health().version == "stub"
        assert client.list_models(target="t").models[0].target == "t"
        assert [model.id for model in client.models()] == ["model-0", "model-1", "model-2"]
        assert client.check() is understudy.ServingStatus.SERVING
        with pytest.raises(understudy.NotFoundError):
            client.check("nobody")
        assert next(client.watch("nobody")) is understudy.ServingStatus.SERVICE_UNKNOWN

    async def main() -> None:
        async with understudy.AsyncClient(server.address) as client:
            assert (await client.chat("Hi")).text == "Hi"
            assert (await client.health()).version == "stub"
            assert [model.id async for model in client.models()] == ["model-0", "model-1", "model-2"]
            assert await client.check() is understudy.ServingStatus.SERVING
            async with client.watch() as statuses:
                assert await anext(statuses) is understudy.ServingStatus.SERVING

    asyncio.run(main())


def test_messages_of_ten_mebibytes_go_both_ways(server: StubServer) -> None:
    prompt = "x" * (10 * 1024 * 1024)
    with understudy.Client(server.address) as client:
        assert client.generate(prompt).text == prompt
        with pytest.raises(understudy.ResourceExhaustedError):
            client.generate("x" * (understudy.RECEIVE_LIMIT + 1), max_retries=0)

    async def main() -> None:
        async with understudy.AsyncClient(server.address) as client:
            assert (await client.generate(prompt)).text == prompt

    asyncio.run(main())


def test_threads_share_a_client(server: StubServer) -> None:
    with understudy.Client(server.address) as client, ThreadPoolExecutor(16) as pool:
        prompts = [str(number) for number in range(200)]
        assert list(pool.map(lambda prompt: client.generate(prompt).text, prompts)) == prompts
    assert len(set(server.peers)) == 1


def both(addresses: list[str]) -> None:
    with understudy.Client(addresses, max_retries=0) as client:
        client.generate("Hi", wait_for_ready=True, timeout=10)
        time.sleep(0.2)
        for _ in range(20):
            client.generate("Hi")


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
def test_calls_take_turns_between_addresses(server: StubServer, host: str) -> None:
    other = StubServer()
    try:
        both([f"{host}:{server.port}", f"{host}:{other.port}"])
        assert abs(len(server.calls) - len(other.calls)) <= 2
    finally:
        other.stop()


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
@pytest.mark.parametrize("is_async", [False, True])
def test_an_address_where_nobody_listens_costs_no_call(server: StubServer, host: str, is_async: bool) -> None:
    addresses = f"{host}:{free_port()},{host}:{server.port}"

    async def main() -> None:
        async with understudy.AsyncClient(addresses, max_retries=0) as client:
            for _ in range(21):
                await client.generate("Hi")

    if is_async:
        asyncio.run(main())
    else:
        both(addresses.split(","))
    assert len(server.calls) == 21


def test_threads_do_not_take_each_others_turns(server: StubServer) -> None:
    addresses = [f"localhost:{free_port()}", f"localhost:{server.port}"]
    with understudy.Client(addresses, max_retries=0) as client, ThreadPoolExecutor(16) as pool:
        list(pool.map(lambda _: client.generate("Hi"), range(200)))
    assert len(server.calls) == 200


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
def test_waiting_for_ready_takes_whichever_comes_first(host: str) -> None:
    ports = [free_port() for _ in range(2)]
    servers: list[StubServer] = []
    starter = threading.Timer(0.3, lambda: servers.append(StubServer(ports[1])))
    starter.start()
    try:
        with understudy.Client([f"{host}:{port}" for port in ports], max_retries=0) as client:
            assert client.generate("Hi", wait_for_ready=True, timeout=10).text == "Hi"
    finally:
        starter.join()
        servers[0].stop()


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
def test_a_gateway_that_does_not_serve_gets_no_call(server: StubServer, host: str) -> None:
    other = StubServer()
    other.set_serving(is_serving=False)
    try:
        both([f"{host}:{server.port}", f"{host}:{other.port}"])
        assert len(server.calls) == 21
    finally:
        other.stop()


@pytest.mark.parametrize(
    ("given", "targets", "secure"),
    [
        ("127.0.0.1:1", ("ipv4:127.0.0.1:1",), False),
        ("[::1]:1", ("ipv6:[::1]:1",), False),
        ("http://[::1]:1/", ("ipv6:[::1]:1",), False),
        ("gateway:1", ("dns:///gateway:1",), False),
        ("https://gateway", ("dns:///gateway:443",), True),
        ("http://gateway", ("dns:///gateway:80",), False),
        ("10.0.0.1:1, 10.0.0.2:1", ("ipv4:10.0.0.1:1,10.0.0.2:1",), False),
        (["https://10.0.0.1", "10.0.0.2:1"], ("ipv4:10.0.0.1:443", "ipv4:10.0.0.2:1"), True),
        (["a:1", "10.0.0.1:1", "a:1"], ("dns:///a:1", "ipv4:10.0.0.1:1"), False),
        ("dns:///a.b:1", ("dns:///a.b:1",), False),
        ("unix:/run/gateway", ("unix:/run/gateway",), False),
    ],
)
def test_addresses(given: Any, targets: tuple[str, ...], secure: bool) -> None:
    endpoints = parse_addresses(given, tls=False)
    assert (endpoints.targets, endpoints.secure) == (targets, secure)


@pytest.mark.parametrize(
    "given",
    ["", "gateway", "gateway:", "ftp://a:1", "http://user:pass@a:1", "a:1/path", "a:99999", "a:0", [], "a:1,", ":1"]
    + [["http://a", "https://b"], "http://a?x=1", "two words:1"],
)
def test_addresses_that_cannot_be_read_are_refused_and_not_told(given: Any) -> None:
    with pytest.raises(ValueError, match="address") as caught:
        parse_addresses(given, tls=False)
    assert "pass" not in str(caught.value)


def test_requests_take_fields_mappings_and_whole_messages() -> None:
    request = generate_request(
        "Hi",
        {
            "system": "Be brief.",
            "options": {
                "temperature": 0.2,
                "reasoning_effort": "low",
                "stop": ["."],
                "response_format": understudy.json_schema("city", {"type": "object"}, strict=True),
                "provider_options": {"openai": {"store": False}},
            },
            "routing": {"route": "cheap", "max_cost_usd": 0.01},
            "labels": {"team": "a"},
        },
    )
    assert request.options.reasoning_effort == types.REASONING_EFFORT_LOW
    assert request.options.response_format.json_schema.schema_json == '{"type":"object"}'
    assert request.options.provider_options["openai"]["store"] is False
    assert request.routing.route == "cheap"
    assert generate_request(request, {}) is request
    with pytest.raises(TypeError, match="whole"):
        generate_request(request, {"model": "m"})

    chat = chat_request(
        [
            {"role": "system", "content": "Be brief."},
            {"role": "user", "content": [{"text": "Look:"}, understudy.image_part("https://example.org/a.png")]},
            understudy.assistant_message("Yes?"),
            "Go on.",
        ],
        {"tools": [understudy.function_tool("weather", parameters={"type": "object"})], "tool_choice": "weather"},
    )
    assert [message.role for message in chat.messages] == [1, 2, 3, 2]
    assert chat.messages[1].content[1].image.url == "https://example.org/a.png"
    assert chat.tool_choice.mode == types.TOOL_CHOICE_MODE_REQUIRED
    assert list(chat.tool_choice.tool_names) == ["weather"]
    stream = stream_chat_request(chat, {"recovery": "restart"})
    assert stream.messages == chat.messages
    assert stream.recovery == types.RECOVERY_RESTART
    with pytest.raises(ValueError, match="role and content"):
        chat_request([{"role": "user", "text": "Hi"}], {})
    with pytest.raises(ValueError, match="nobody"):
        chat_request([{"role": "nobody", "content": "Hi"}], {})
    with pytest.raises(TypeError, match="a message must be"):
        chat_request([7], {})  # type: ignore[list-item]


def test_arguments_that_do_not_exist_are_refused(server: StubServer) -> None:
    with understudy.Client(server.address) as client:
        with pytest.raises(TypeError, match="'temprature'"):
            client.generate("Hi", temprature=1)  # type: ignore[call-arg]
        with pytest.raises(TypeError, match="'time'"):
            client.health(time=1)  # type: ignore[call-arg]
    assert server.calls == []


def test_files_become_parts(tmp_path: Path) -> None:
    path = tmp_path / "a.pdf"
    path.write_bytes(b"%PDF")
    part = understudy.file_part(path)
    assert (part.file.media_type, part.file.filename, part.file.data) == ("application/pdf", "a.pdf", b"%PDF")
    assert understudy.image_part(b"\x89PNG", "image/png").image.media_type == "image/png"
    with pytest.raises(ValueError, match="media_type"):
        understudy.file_part(b"x")
    result = understudy.tool_message(types.ToolCall(id="c1"), "sunny")
    assert result.content[0].tool_result.tool_call_id == "c1"


def test_the_types_are_those_of_the_contract() -> None:
    from understudy.v1 import chat_pb2, error_pb2, health_pb2, llm_pb2, routing_pb2, usage_pb2, usage_service_pb2

    expected: set[str] = set()
    for module in (chat_pb2, error_pb2, health_pb2, llm_pb2, routing_pb2, usage_pb2, usage_service_pb2):
        file = module.DESCRIPTOR
        expected.update(file.message_types_by_name, file.enum_types_by_name)
        expected.update(value for enum in file.enum_types_by_name.values() for value in enum.values_by_name)
    assert set(types.__all__) == expected
    assert all(hasattr(types, name) for name in expected)


def test_the_service_config_has_no_retry_policy() -> None:
    config = json.loads(understudy.SERVICE_CONFIG)
    assert config == {"loadBalancingConfig": [{"round_robin": {}}], "healthCheckConfig": {"serviceName": ""}}
    shared = Path(__file__).resolve().parents[2] / "service-config.json"
    if shared.exists():
        assert json.loads(shared.read_text()) == config


def test_own_channel_options_win(server: StubServer) -> None:
    options = [("grpc.max_receive_message_length", 10)]
    with understudy.Client(server.address, channel_options=options) as client:
        with pytest.raises(understudy.ResourceExhaustedError):
            client.generate("x" * 100)


def test_a_busy_client_may_be_closed_by_another_thread(server: StubServer) -> None:
    def sleep(request: Any, context: grpc.ServicerContext) -> types.GenerateResponse:
        time.sleep(0.5)
        return types.GenerateResponse()

    server.on_generate = sleep
    client = understudy.Client(server.address)
    threading.Timer(0.2, client.close).start()
    with pytest.raises(understudy.CallCancelledError):
        client.generate("Hi")


@pytest.mark.parametrize("is_async", [False, True], ids=["sync", "async"])
def test_a_gateway_that_does_not_serve_says_so_itself(server: StubServer, is_async: bool) -> None:
    server.set_serving(is_serving=False)

    async def main() -> list[understudy.ServingStatus]:
        async with understudy.AsyncClient(server.address) as client, client.watch() as watch:
            return [await client.check(), await anext(watch)]

    if is_async:
        seen = asyncio.run(main())
    else:
        with understudy.Client(server.address) as client, client.watch() as stream:
            seen = [client.check(), next(stream)]
    assert seen == [understudy.ServingStatus.NOT_SERVING] * 2
