#!/usr/bin/env bash
# grpcio 1.85.3 and 1.76.0 (PyPI): what `channel.close()` of grpc.aio tells a task that is reading a stream.
#
# 1.85.3 raises asyncio.CancelledError in the reader, although nobody has cancelled its task: it ends as a cancelled task does, past every
# `except Exception` and without a line in the log. 1.76.0 says that the stream has ended, as if it were complete.
#
# Seen:
#   1.85.3: CancelledError, task.cancelling() 0
#   1.76.0: end of stream
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
cat > close.py <<'PY'
import asyncio
import time
from concurrent.futures import ThreadPoolExecutor

import grpc


class Handler(grpc.GenericRpcHandler):
    def service(self, details):
        def one(request, context):
            yield b"."
            time.sleep(2)

        return grpc.unary_stream_rpc_method_handler(one)


async def main():
    channel = grpc.aio.insecure_channel(address)
    call = channel.unary_stream("/finding/One")(b"")
    await call.read()
    asyncio.get_running_loop().call_later(0.2, lambda: closing.append(asyncio.ensure_future(channel.close())))
    closing = []
    try:
        message = await call.read()
        return "end of stream" if message is grpc.aio.EOF else message
    except asyncio.CancelledError as error:
        task = asyncio.current_task()
        return f"{type(error).__name__}, task.cancelling() {task.cancelling()}"
    except grpc.aio.AioRpcError as error:
        return f"{type(error).__name__} {error.code().name}"


server = grpc.server(ThreadPoolExecutor(2), handlers=[Handler()])
address = f"127.0.0.1:{server.add_insecure_port('127.0.0.1:0')}"
server.start()
print(f"{grpc.__version__}: {asyncio.run(main())}")
server.stop(None).wait()
PY
for version in 1.85.3 1.76.0; do
  python3 -m venv "python-$version"
  "python-$version/bin/pip" install --quiet --disable-pip-version-check "grpcio==$version"
  "python-$version/bin/python" close.py
done | tee seen
diff seen - <<'SEEN' || { echo 'This has changed.' >&2; exit 1; }
1.85.3: CancelledError, task.cancelling() 0
1.76.0: end of stream
SEEN
