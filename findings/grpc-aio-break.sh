#!/usr/bin/env bash
# grpcio 1.85.3 (PyPI): `break` ends a server's stream in the synchronous API, and not in grpc.aio.
#
# Leaving `for … in method(request)` drops the call, which cancels it, and the server is told at once. Leaving `async for … in
# method(request)` does not, although nothing holds the call any more and garbage has been collected: the server goes on to its last
# message. A long answer that nobody reads is written, and paid for, to its end, unless `cancel()` is called.
#
# Seen:
#   for, break: stopped
#   async for, break: sent all 40
#   async for, break, cancel: stopped
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
python3 -m venv python
python/bin/pip install --quiet --disable-pip-version-check grpcio==1.85.3
cat > leave.py <<'PY'
import asyncio
import gc
import queue
import time
from concurrent.futures import ThreadPoolExecutor

import grpc

MESSAGES = 40
ends = queue.Queue()


class Counting(grpc.GenericRpcHandler):
    """Sends forty messages within two seconds, and notes how many the caller was there for."""

    def service(self, details):
        def count(request, context):
            sent = []
            context.add_callback(lambda: ends.put(f"sent all {MESSAGES}" if len(sent) == MESSAGES else "stopped"))
            for _ in range(MESSAGES):
                time.sleep(0.05)
                sent.append(True)
                yield b"."

        return grpc.unary_stream_rpc_method_handler(count)


def leave():
    with grpc.insecure_channel(address) as channel:
        for _ in channel.unary_stream("/finding/Count")(b""):
            break
        return ends.get(timeout=20)


async def leave_async(cancels):
    async with grpc.aio.insecure_channel(address) as channel:

        async def first():
            call = channel.unary_stream("/finding/Count")(b"")
            async for _ in call:
                break
            if cancels:
                call.cancel()

        await first()
        gc.collect()
        return await asyncio.to_thread(ends.get, timeout=20)


server = grpc.server(ThreadPoolExecutor(2), handlers=[Counting()])
address = f"127.0.0.1:{server.add_insecure_port('127.0.0.1:0')}"
server.start()
print("for, break:", leave())
print("async for, break:", asyncio.run(leave_async(False)))
print("async for, break, cancel:", asyncio.run(leave_async(True)))
server.stop(None).wait()
PY
python/bin/python leave.py | tee seen
diff seen - <<'SEEN' || { echo 'This has changed.' >&2; exit 1; }
for, break: stopped
async for, break: sent all 40
async for, break, cancel: stopped
SEEN
