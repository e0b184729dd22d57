#!/usr/bin/env bash
# grpcio 1.85.3 (PyPI): a client tells the server a longer deadline than it keeps itself.
#
# gRPC's C core (under Python, Ruby, PHP and C++) adds up to a millisecond and rounds `grpc-timeout` up: to 10 ms from 1 s on, to 100 ms from
# 10 s, to 1 s from 100 s, to 10 s from 1,000 s. Its own timer goes by the exact time. A server that answers in the last hundredth of
# the deadline that it was told answers nobody: the client has ended the call, with a DEADLINE_EXCEEDED of its own and no details.
#
# Seen:
#   5.005 s: told 5010m
#   15.01 s: told 15100m
#   45.01 s: told 45100m
#   100.1 s: told 101S
#   302.1 s: told 303S
#   1201 s: told 1210S
#   A server that ends the call 50 ms before the told deadline of 15.1 s is not heard.
#   A server that ends the call 200 ms before the told deadline of 15.1 s is heard.
set -euo pipefail
work=$(mktemp -d)
server=''
trap '[ -z "$server" ] || kill "$server" || true; rm -rf "$work"' EXIT
cd "$work"
python3 -m venv python
python/bin/pip install --quiet --disable-pip-version-check grpcio==1.85.3
# Tells at once what it was told (/told), or ends the call so many milliseconds before the told deadline (/50).
cat > serve.mjs <<'JS'
import { createServer } from 'node:http2';

const server = createServer();
const ofUnit = { m: 1, S: 1_000 };
server.on('stream', (stream, { ':path': path, 'grpc-timeout': told }) => {
  const early = Number(path.split('/').at(-1));
  const end = () => {
    if (stream.destroyed) return;
    stream.respond(
      { ':status': 200, 'content-type': 'application/grpc', 'grpc-status': '4', told },
      { endStream: true },
    );
  };
  if (Number.isNaN(early)) end();
  else setTimeout(end, parseInt(told, 10) * ofUnit[told.at(-1)] - early).unref();
});
server.listen(0, '127.0.0.1', () => console.log(server.address().port));
JS
node serve.mjs > port &
server=$!
while [ ! -s port ]; do sleep 0.1; done
cat > ask.py <<'PY'
import sys
from concurrent.futures import ThreadPoolExecutor

import grpc

channel = grpc.insecure_channel(f"127.0.0.1:{sys.argv[1]}")
grpc.channel_ready_future(channel).result(timeout=20)


def told(method, timeout):
    try:
        channel.unary_unary(f"/finding/{method}")(b"", timeout=timeout)
    except grpc.RpcError as error:
        return dict([*error.initial_metadata(), *error.trailing_metadata()]).get("told")


told("told", 10)
for timeout in [5.005, 15.01, 45.01, 100.1, 302.1, 1201]:
    print(f"{timeout} s: told {told('told', timeout)}")
with ThreadPoolExecutor() as both:
    for early, said in [(early, both.submit(told, early, 15.01)) for early in (50, 200)]:
        heard = "is not heard" if said.result() is None else "is heard"
        print(f"A server that ends the call {early} ms before the told deadline of 15.1 s {heard}.")
PY
python/bin/python ask.py "$(cat port)" | tee seen
diff seen - <<'SEEN' || { echo 'This has changed.' >&2; exit 1; }
5.005 s: told 5010m
15.01 s: told 15100m
45.01 s: told 45100m
100.1 s: told 101S
302.1 s: told 303S
1201 s: told 1210S
A server that ends the call 50 ms before the told deadline of 15.1 s is not heard.
A server that ends the call 200 ms before the told deadline of 15.1 s is heard.
SEEN
