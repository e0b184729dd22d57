"""Gives one StreamChat and one Chat each deadline, all at once, and tells as JSON lines how each has ended.

Arguments: the address, the request in hex, the deadlines in seconds.
"""

import base64
import json
import sys
import time
from concurrent.futures import ThreadPoolExecutor

import grpc

address, request, *deadlines = sys.argv[1:]
channel = grpc.insecure_channel(address)
grpc.channel_ready_future(channel).result(timeout=20)
methods = {
    "Chat": channel.unary_unary,
    "StreamChat": lambda path: lambda body, timeout: list(channel.unary_stream(path)(body, timeout=timeout)),
}


def ask(method, seconds):
    began = time.monotonic()
    try:
        methods[method](f"/understudy.v1.LlmService/{method}")(bytes.fromhex(request), timeout=float(seconds))
        code, details = "OK", b""
    except grpc.RpcError as error:
        code = error.code().name
        details = dict(error.trailing_metadata() or []).get("grpc-status-details-bin", b"")
    return {
        "method": method,
        "seconds": float(seconds),
        "code": code,
        "details": base64.b64encode(details).decode(),
        "took_ms": 1000 * (time.monotonic() - began),
    }


# The first calls load what all later ones use.
for method in methods:
    ask(method, 0.3)
with ThreadPoolExecutor(2 * len(deadlines)) as pool:
    asked = [pool.submit(ask, method, seconds) for seconds in deadlines for method in methods]
    for end in asked:
        print(json.dumps(end.result()), flush=True)
