#!/usr/bin/env bash
# grpcio 1.85.3 (PyPI): `channel.close()` at the end of the interpreter waits for ever, once a stream was used.
#
# An object that closes its channel in `__del__` and lives until the process ends, as the client of a module does, keeps the process from
# ending: `close()` waits for a thread of grpcio that stands still by then. Without `close()` the process ends, and the channel with it.
#
# Seen:
#   nobody closes: ends
#   closed by __del__: hangs
#   closed by __del__, unary calls alone: ends
#   closed by atexit: ends
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
python3 -m venv python
python/bin/pip install --quiet --disable-pip-version-check grpcio==1.85.3
cat > caller.py <<'PY'
import atexit
import sys

import grpc

address, how, kind = sys.argv[1:]


class Client:
    def __init__(self):
        self.channel = grpc.insecure_channel(address)

    def __del__(self):
        if how == "del":
            self.channel.close()


client = Client()
if how == "atexit":
    atexit.register(client.channel.close)
if kind == "stream":
    for _ in client.channel.unary_stream("/finding/Count")(b""):
        break
else:
    client.channel.unary_unary("/finding/Once")(b"")
PY
cat > run.py <<'PY'
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor

import grpc


class Handler(grpc.GenericRpcHandler):
    def service(self, details):
        def count(request, context):
            for _ in range(100):
                yield b"."
                time.sleep(0.05)

        if details.method.endswith("Once"):
            return grpc.unary_unary_rpc_method_handler(lambda request, context: b".")
        return grpc.unary_stream_rpc_method_handler(count)


def outcome(*how):
    try:
        subprocess.run([sys.executable, "caller.py", address, *how], timeout=10)
        return "ends"
    except subprocess.TimeoutExpired:
        return "hangs"


server = grpc.server(ThreadPoolExecutor(8), handlers=[Handler()])
address = f"127.0.0.1:{server.add_insecure_port('127.0.0.1:0')}"
server.start()
print("nobody closes:", outcome("none", "stream"))
print("closed by __del__:", outcome("del", "stream"))
print("closed by __del__, unary calls alone:", outcome("del", "unary"))
print("closed by atexit:", outcome("atexit", "stream"))
server.stop(None).wait()
PY
python/bin/python run.py | tee seen
diff seen - <<'SEEN' || { echo 'This has changed.' >&2; exit 1; }
nobody closes: ends
closed by __del__: hangs
closed by __del__, unary calls alone: ends
closed by atexit: ends
SEEN
