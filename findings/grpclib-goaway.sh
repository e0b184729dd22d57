#!/usr/bin/env bash
# grpclib 0.4.9 (PyPI), under the clients of betterproto: a server that stops gracefully breaks the calls that it goes on to answer.
#
# GOAWAY asks for no new calls on a connection, and names the last one that the server still answers (RFC 9113, 6.8). grpclib closes the
# connection as soon as it comes, with the calls that run, and says that the connection was lost. Below a server of grpcio is stopped with
# ten seconds of grace behind its first message; `max_connection_age_ms` sends the same frame, to servers that nobody stops.
#
# Seen:
#   grpcio: all 20 messages, OK
#   grpclib: fewer, StreamTerminatedError: Connection lost
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
python3 -m venv python
python/bin/pip install --quiet --disable-pip-version-check grpclib==0.4.9 grpcio==1.85.3 protobuf==7.36.2
cat > stop.py <<'PY'
import asyncio
import time
from concurrent.futures import ThreadPoolExecutor

import grpc
import grpclib.client
import grpclib.exceptions
from google.protobuf.empty_pb2 import Empty

MESSAGES = 20


class Handler(grpc.GenericRpcHandler):
    def service(self, details):
        def count(request, context):
            for _ in range(MESSAGES):
                yield b""
                time.sleep(0.1)

        return grpc.unary_stream_rpc_method_handler(count)


def bare(port, stop):
    seen = 0
    with grpc.insecure_channel(f"127.0.0.1:{port}") as channel:
        try:
            for _ in channel.unary_stream("/finding/Count")(b""):
                seen += 1
                stop()
            return seen, "OK"
        except grpc.RpcError as error:
            return seen, error.code().name


async def lib(port, stop):
    seen = 0
    async with grpclib.client.Channel("127.0.0.1", port) as channel:
        try:
            async with grpclib.client.UnaryStreamMethod(channel, "/finding/Count", Empty, Empty).open() as stream:
                await stream.send_message(Empty(), end=True)
                async for _ in stream:
                    seen += 1
                    stop()
            return seen, "OK"
        except grpclib.exceptions.StreamTerminatedError as error:
            return seen, f"StreamTerminatedError: {error}"


for name, read in (("grpcio", bare), ("grpclib", lambda *args: asyncio.run(lib(*args)))):
    server = grpc.server(ThreadPoolExecutor(2), handlers=[Handler()])
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    seen, end = read(port, lambda: server.stop(10))
    print(f"{name}: {f'all {seen} messages' if seen == MESSAGES else 'fewer'}, {end}")
    server.stop(None).wait()
PY
python/bin/python stop.py | tee seen
diff seen - <<'SEEN' || { echo 'This has changed.' >&2; exit 1; }
grpcio: all 20 messages, OK
grpclib: fewer, StreamTerminatedError: Connection lost
SEEN
