#!/usr/bin/env bash
# A server of @grpc/grpc-js 1.14.7 (npm) and one of grpcio 1.85.3 (PyPI): a deadline of 30 days ends the call before it begins.
#
# Who wants no deadline, and must give one, gives a long one. grpc-js counts what it was told in milliseconds of 32 bits with a sign: from 24.9
# days on the deadline has passed, beyond 49.7 it is another, and the client reads DEADLINE_EXCEEDED at once. Such a call gets through
# to a server of grpcio with the deadline that it was given.
#
# Seen (days to the deadline, as the server has it; that of grpc-js answers after half a second):
#   24 days: grpc-js 24, grpcio 24
#   30 days: grpc-js DEADLINE_EXCEEDED, grpcio 30
#   365 days: grpc-js 17, grpcio 365
set -euo pipefail
work=$(mktemp -d)
server=
trap '[ -z "$server" ] || kill "$server" || true; rm -rf "$work"' EXIT
cd "$work"
npm install --silent --no-audit --no-fund @grpc/grpc-js@1.14.7
python3 -m venv python
python/bin/pip install --quiet --disable-pip-version-check grpcio==1.85.3
mkfifo port
cat > serve.cjs <<'JS'
const { writeFileSync } = require('node:fs');
const grpc = require('@grpc/grpc-js');

const bytes = (buffer) => buffer;
const days = { path: '/finding/Days', requestStream: false, responseStream: false,
  requestSerialize: bytes, requestDeserialize: bytes, responseSerialize: bytes, responseDeserialize: bytes };
const server = new grpc.Server();
server.addService({ days }, {
  days: (call, answer) => {
    const left = (call.getDeadline() - Date.now()) / 86_400_000;
    setTimeout(() => answer(null, Buffer.from(String(left))), 500);
  },
});
server.bindAsync('127.0.0.1:0', grpc.ServerCredentials.createInsecure(), (failure, port) => writeFileSync('port', `${port}\n`));
JS
cat > ask.py <<'PY'
import sys
from concurrent.futures import ThreadPoolExecutor

import grpc

DAY = 86_400


class Handler(grpc.GenericRpcHandler):
    def service(self, details):
        return grpc.unary_unary_rpc_method_handler(lambda request, context: str(context.time_remaining() / DAY).encode())


server = grpc.server(ThreadPoolExecutor(2), handlers=[Handler()])
ports = {"grpc-js": int(sys.argv[1]), "grpcio": server.add_insecure_port("127.0.0.1:0")}
server.start()
for days in (24, 30, 365):
    ends = []
    for name, port in ports.items():
        with grpc.insecure_channel(f"127.0.0.1:{port}") as channel:
            try:
                answer = channel.unary_unary("/finding/Days")(b"", timeout=days * DAY)
                ends.append(f"{name} {round(float(answer))}")
            except grpc.RpcError as error:
                ends.append(f"{name} {error.code().name}")
    print(f"{days} days: {', '.join(ends)}")
server.stop(None).wait()
PY
node --no-warnings serve.cjs &
server=$!
read -r port < port
python/bin/python ask.py "$port" | tee seen
diff seen - <<'SEEN' || { echo 'This has changed.' >&2; exit 1; }
24 days: grpc-js 24, grpcio 24
30 days: grpc-js DEADLINE_EXCEEDED, grpcio 30
365 days: grpc-js 17, grpcio 365
SEEN
