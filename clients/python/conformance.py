"""Runs the cases of the conformance suite that are named as arguments, with nothing but what the package exports."""

from __future__ import annotations

import asyncio
import json
import os
import sys
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import grpc

import understudy
from understudy import types
from understudy.v1 import llm_pb2, llm_pb2_grpc

PROMPT = "Say hello."
TRACE = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"


class DifferentError(Exception):
    """What a case found is not what it should be."""


def expect(what: str, holds: object) -> None:
    """Raises unless something holds."""
    if not holds:
        raise DifferentError(what)


def client(variable: str = "UNDERSTUDY_ADDRESS", **options: Any) -> understudy.Client:
    """Makes a client of the gateway that an environment variable names."""
    return understudy.Client(os.environ[variable], **options)


def async_client(variable: str = "UNDERSTUDY_ADDRESS") -> understudy.AsyncClient:
    """Makes an asynchronous client of the gateway that an environment variable names."""
    return understudy.AsyncClient(os.environ[variable])


def generate() -> str:
    """Generate, with both clients."""
    with client() as llm:
        answer = llm.generate(PROMPT)

    async def main() -> types.GenerateResponse:
        async with async_client() as llm:
            return await llm.generate(PROMPT)

    for response in (answer, asyncio.run(main())):
        expect("text is empty", response.text)
        expect(f"provider is {response.provider}", response.provider == "mock")
    return answer.text


def chat() -> str:
    """Chat."""
    with client() as llm:
        response = llm.chat(PROMPT)
    expect("text is empty", response.text)
    expect(f"provider is {response.provider}", response.provider == "mock")
    return response.text


def stream() -> str:
    """StreamChat, with both clients, against Chat."""

    async def main() -> understudy.CollectedAnswer:
        async with async_client() as llm:
            return await llm.stream_chat(PROMPT).collect()

    with client() as llm:
        whole = llm.chat(PROMPT).text
        for answer in (llm.stream_chat(PROMPT).collect(), asyncio.run(main())):
            expect(f"text is {answer.text!r} instead of {whole!r}", answer.text == whole)
            expect("finished says nothing", answer.finished.finish_reason == types.FINISH_REASON_STOP)
    return f"{len(answer.events)} events"


def health() -> str:
    """Health."""
    with client() as llm:
        targets = [provider.target for provider in llm.health().providers]
    expect(f"targets are {targets}", "mock" in targets)
    return ",".join(targets)


def list_models() -> str:
    """ListModels, one page and all."""
    with client() as llm:
        models = [model.id for model in llm.models()]
        expect("no model", models and llm.list_models(page_size=1).models)
    return ",".join(models)


def health_check() -> str:
    """Check of grpc.health.v1."""
    with client() as llm:
        status = llm.check()
    expect(f"status is {status}", status is understudy.ServingStatus.SERVING)
    return status.name


def health_watch() -> str:
    """Watch of grpc.health.v1, its first answer."""
    with client() as llm, llm.watch() as statuses:
        status = next(statuses)
    expect(f"status is {status}", status is understudy.ServingStatus.SERVING)
    return status.name


def deadline() -> str:
    """A deadline of one second of a provider that never answers."""
    with client() as llm:
        try:
            llm.generate(PROMPT, model="mock-silence", timeout=1)
        except understudy.DeadlineExceededError as error:
            expect(f"reason is {error.reason!r}", error.reason == "DEADLINE")
            expect("the trail is empty", error.attempts)
            return f"{len(error.attempts)} attempts"
    raise DifferentError("no error")


def cancel() -> str:
    """A stream that another thread cancels."""
    with client("UNDERSTUDY_WORDS_ADDRESS") as llm:
        events = llm.stream_chat(PROMPT)
        seen = 0
        try:
            for event in events:
                seen += event.HasField("text_delta")
                if seen == 3:
                    mark("cancel")
                    threading.Thread(target=events.cancel).start()
        except understudy.CallCancelledError:
            time.sleep(3)
            return "cancelled"
    raise DifferentError("the stream ended otherwise")


def left_loop() -> str:
    """A stream whose loop is left, in asyncio; the stream itself is still held."""

    async def main() -> None:
        async with async_client("UNDERSTUDY_WORDS_ADDRESS") as llm:
            events = llm.stream_chat(PROMPT)
            seen = 0
            async for event in events:
                seen += event.HasField("text_delta")
                if seen == 3:
                    mark("left-loop")
                    break
            await asyncio.sleep(3)

    asyncio.run(main())
    return "left"


def mark(case: str) -> None:
    """Tells the runner when a stream is left."""
    print(json.dumps({"case": case, "mark": "left"}), flush=True)


def decoded_error() -> str:
    """What errors say."""
    with client() as llm:
        try:
            llm.generate("")
        except understudy.InvalidArgumentError as error:
            fields = [violation.field for violation in error.violations]
            expect(f"violations are {fields}", "prompt" in fields)
        else:
            raise DifferentError("an empty prompt was taken")
        try:
            llm.generate(PROMPT, model="mock-429")
        except understudy.ResourceExhaustedError as error:
            reasons = ("ALL_PROVIDERS_FAILED", "PROVIDER_RATE_LIMITED")
            expect(f"reason is {error.reason!r}", error.reason in reasons)
            expect("the trail is empty", error.attempts)
            expect("no retry info", error.retry_after is not None and error.retry_after > 0)
            expect("a repeat would bill twice", not error.may_retry)
            return f"{error.reason}, {len(error.attempts)} attempts, {error.retry_after} s"
    raise DifferentError("mock-429 answered")


def restarted() -> str:
    """A stream that begins anew."""
    with client() as llm:
        whole = llm.stream_chat(PROMPT, routing={"targets": ["second"]}).collect()
        answer = llm.stream_chat(PROMPT, routing={"route": "broken"}, recovery="restart").collect()
    expect(f"{len(answer.restarts)} restarts", len(answer.restarts) == 1)
    expect(f"text is {answer.text!r} instead of {whole.text!r}", answer.text == whole.text)
    return answer.restarts[0].target


def tls() -> str:
    """TLS and mTLS."""
    folder = Path(os.environ["UNDERSTUDY_TLS_FOLDER"])

    def call(name: str | None) -> str:
        own = {} if name is None else {"certificate_chain": folder / f"{name}.crt", "private_key": folder / f"{name}.key"}
        with client("UNDERSTUDY_TLS_ADDRESS", tls=understudy.Tls(root_certificates=folder / "ca.crt", **own)) as llm:
            return llm.generate(PROMPT).text

    expect("text is empty", call("caller"))
    refusals = {None: "A client certificate is required.", "expired": "The client certificate has expired."}
    for name, why in refusals.items():
        try:
            call(name)
        except understudy.Error as error:
            expect(str(error), error.code is grpc.StatusCode.UNAUTHENTICATED and why in str(error))
        else:
            raise DifferentError("a client without its certificate was taken")
    return "TLS"


def metadata() -> str:
    """What arrives at the server."""
    with client("UNDERSTUDY_ECHO_ADDRESS", api_key="conformance-key") as llm:
        text = llm.generate(PROMPT, request_id="conformance-1", traceparent=TRACE).text
    got = {name: value[0] if isinstance(value, list) else value for name, value in json.loads(text).items()}
    expect(f"authorization in {text}", got.get("authorization") == "Bearer conformance-key")
    expect(f"x-request-id in {text}", got.get("x-request-id") == "conformance-1")
    expect(f"traceparent in {text}", got.get("traceparent") == TRACE)
    expect(f"grpc-timeout in {text}", got.get("grpc-timeout") in {"120S", "2M", "120000m"})
    return str(got["grpc-timeout"])


def large() -> str:
    """10 MiB each way."""
    prompt = "0123456789abcdef" * (10 * 65536)
    with client("UNDERSTUDY_ECHO_ADDRESS") as llm:
        expect("the text differs", llm.generate(prompt).text == prompt)
    return f"{len(prompt)} bytes"


def streams() -> str:
    """200 streams at once on one client."""

    async def main() -> list[understudy.CollectedAnswer]:
        async with async_client() as llm:
            calls = (llm.stream_chat(f"{PROMPT} {number}", model="mock-slow").collect() for number in range(200))
            return await asyncio.gather(*calls)

    answers = asyncio.run(main())
    expect("an answer is empty", all(answer.text for answer in answers))
    return f"{len(answers)} answers"


def rolling() -> str:
    """Ten seconds of calls while one of two gateways is replaced."""
    failures: list[str] = []
    with client("UNDERSTUDY_PAIR_ADDRESSES") as llm, ThreadPoolExecutor(32) as pool:

        def call() -> None:
            try:
                llm.generate(PROMPT)
            except understudy.Error as error:
                failures.append(str(error))

        for _ in range(200):
            pool.submit(call)
            time.sleep(0.05)
    expect(f"{len(failures)} calls failed, the first: {failures[:1]}", not failures)
    return "200 calls"


def retry_with_policy(variable: str, timeout: float) -> dict[str, Any]:
    """Calls as grpcio alone does with a retry policy in its service config."""
    policy = {
        "maxAttempts": 3,
        "initialBackoff": "0.1s",
        "maxBackoff": "1s",
        "backoffMultiplier": 2,
        "retryableStatusCodes": ["UNAVAILABLE"],
    }
    config = {"methodConfig": [{"name": [{}], "retryPolicy": policy}]}
    begun_at = time.monotonic()
    with grpc.insecure_channel(os.environ[variable], options=[("grpc.service_config", json.dumps(config))]) as channel:
        try:
            llm_pb2_grpc.LlmServiceStub(channel).Generate(llm_pb2.GenerateRequest(prompt=PROMPT), timeout=timeout)
        except grpc.RpcError as error:
            decoded = understudy.decode_error(error)
            code, reason = decoded.code.name, decoded.reason
        else:
            raise DifferentError("the call did not fail")
    return {"code": code, "reason": reason, "ms": round((time.monotonic() - begun_at) * 1000)}


CASES: dict[str, Callable[[], Any]] = {
    "generate": generate,
    "chat": chat,
    "stream": stream,
    "health": health,
    "list-models": list_models,
    "health-check": health_check,
    "health-watch": health_watch,
    "deadline": deadline,
    "cancel": cancel,
    "left-loop": left_loop,
    "decoded-error": decoded_error,
    "restarted": restarted,
    "tls": tls,
    "metadata": metadata,
    "large": large,
    "streams": streams,
    "rolling": rolling,
    "retry-before": lambda: retry_with_policy("UNDERSTUDY_CLOSED_ADDRESS", 5),
    "retry-after": lambda: retry_with_policy("UNDERSTUDY_CONTACTED_ADDRESS", 5),
    "retry-late": lambda: retry_with_policy("UNDERSTUDY_CLOSED_ADDRESS", 0.5),
}


def run(name: str) -> dict[str, Any]:
    """Runs one case; whatever goes wrong is told."""
    case = CASES.get(name)
    if case is None:
        return {"case": name, "ok": False, "detail": "unknown case"}
    try:
        return {"case": name, "ok": True, "detail": case()}
    except Exception as error:
        return {"case": name, "ok": False, "detail": f"{type(error).__name__}: {error}"}


def main() -> int:
    """Runs the named cases, one after the other."""
    results = []
    for name in sys.argv[1:]:
        results.append(run(name))
        print(json.dumps(results[-1]), flush=True)
    return 0 if all(result["ok"] for result in results) else 1


if __name__ == "__main__":
    sys.exit(main())
