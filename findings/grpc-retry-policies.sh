#!/usr/bin/env bash
# What grpc-js 1.14.7, grpcio 1.85.3 and grpc-go 1.85.0 make of a server's pushback, of a proxy's 503 and of hedging.
#
# One call with a deadline of 3 s and a policy of four attempts on UNAVAILABLE, of which the server answers each with UNAVAILABLE and
# `grpc-retry-pushback-ms`. -1 ends it everywhere, and a positive whole number of milliseconds is waited for. Whatever else stands there is
# read by each in its own way: send nothing but those two. An HTTP 503, as a proxy sends it, is repeated by grpcio and grpc-go, which
# take it for UNAVAILABLE, and not by grpc-js. Hedging exists in grpc-js alone, which waits for the hedging delay where the pushback is
# longer.
#
# Seen (calls that came):
#   no-pushback              js 4, python 4, go 4
#   minus-one                js 1, python 1, go 1
#   200-ms                   js 4, python 4, go 4
#   beyond-deadline          js 1, python 1, go 1
#   zero                     js 4, python 1, go 4
#   minus-two                js 1, python 1, go 1
#   fraction                 js 4, python 1, go 1
#   word                     js 4, python 1, go 1
#   http-503                 js 1, python 4, go 4
#   hedging                  js 4, python 1, go 1
#   hedging-minus-one        js 1, python 1, go 1
#   hedging-2000-ms          js 4, python 1, go 1
set -euo pipefail
work=$(mktemp -d)
server=''
trap 'if [ -n "$server" ]; then kill "$server"; fi; rm -rf "$work"' EXIT
cd "$work"
cat > server.mjs <<'JS'
import { createServer } from 'node:http2';
import { writeFileSync } from 'node:fs';
const counts = {};
const server = createServer();
server.on('stream', (stream, headers) => {
  stream.on('error', () => {});
  stream.resume();
  const [, , kind, value] = headers[':path'].split('/');
  if (kind === 'count') {
    stream.respond({ ':status': 200, 'content-type': 'text/plain' });
    stream.end(String(counts[value] ?? 0));
    return;
  }
  counts[value] = (counts[value] ?? 0) + 1;
  stream.once('end', () => {
    if (kind === 'http') {
      stream.respond({ ':status': 503, 'content-type': 'text/plain' });
      stream.end('no');
      return;
    }
    const [, pushback] = kind.split('=');
    const grpc = { ':status': 200, 'content-type': 'application/grpc', 'grpc-status': '14' };
    stream.respond(pushback === 'none' ? grpc : { ...grpc, 'grpc-retry-pushback-ms': pushback }, { endStream: true });
  });
});
server.listen(0, '127.0.0.1', () => writeFileSync('port', String(server.address().port)));
JS
cat > call.mjs <<'JS'
import { Client, credentials, Metadata } from '@grpc/grpc-js';
const [address, path, config] = process.argv.slice(2);
const client = new Client(address, credentials.createInsecure(), { 'grpc.service_config': config });
const same = (bytes) => bytes;
const deadline = Date.now() + 3000;
client.makeUnaryRequest(path, same, same, Buffer.alloc(0), new Metadata(), { deadline }, () => client.close());
JS
cat > call.py <<'PY'
import sys
import grpc

address, path, config = sys.argv[1:]
with grpc.insecure_channel(address, options=[("grpc.service_config", config)]) as channel:
    try:
        channel.unary_unary(path)(b"", timeout=3)
    except grpc.RpcError:
        pass
PY
mkdir -p go
cat > go/main.go <<'GO'
package main

import (
	"context"
	"os"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/protobuf/types/known/emptypb"
)

func main() {
	conn, err := grpc.NewClient(os.Args[1], grpc.WithTransportCredentials(insecure.NewCredentials()), grpc.WithDefaultServiceConfig(os.Args[3]))
	if err != nil {
		panic(err)
	}
	ctx, cancel := context.WithTimeout(context.Background(), 3*time.Second)
	defer cancel()
	_ = conn.Invoke(ctx, os.Args[2], &emptypb.Empty{}, &emptypb.Empty{})
}
GO
{
  npm init -y && npm install --no-audit --no-fund @grpc/grpc-js@1.14.7
  python3 -m venv python && python/bin/pip install --disable-pip-version-check grpcio==1.85.3
  (cd go && go mod init finding && go get google.golang.org/grpc@v1.85.0 && go mod tidy && go build -o ../call .)
} > install.log 2>&1 || { cat install.log >&2; exit 1; }
node server.mjs &
server=$!
until [ -s port ]; do sleep 0.05; done
address=127.0.0.1:$(cat port)
retry='{"methodConfig":[{"name":[{}],"retryPolicy":{"maxAttempts":4,"initialBackoff":"0.05s","maxBackoff":"0.05s","backoffMultiplier":1,"retryableStatusCodes":["UNAVAILABLE"]}}]}'
hedge='{"methodConfig":[{"name":[{}],"hedgingPolicy":{"maxAttempts":4,"hedgingDelay":"0.1s","nonFatalStatusCodes":["UNAVAILABLE"]}}]}'
calls() {
  local name=$1 path=$2 config=$3 number=0 seen=()
  for client in 'node call.mjs' 'python/bin/python call.py' ./call; do
    number=$((number + 1))
    $client "$address" "/finding/$path/$name-$number" "$config" >/dev/null 2>&1 || true
    seen+=("$(curl -s --http2-prior-knowledge "http://$address/finding/count/$name-$number")")
  done
  printf '%-24s js %s, python %s, go %s\n' "$name" "${seen[@]}"
}
{
  calls no-pushback p=none "$retry"
  calls minus-one p=-1 "$retry"
  calls 200-ms p=200 "$retry"
  calls beyond-deadline p=60000 "$retry"
  calls zero p=0 "$retry"
  calls minus-two p=-2 "$retry"
  calls fraction p=100.5 "$retry"
  calls word p=soon "$retry"
  calls http-503 http "$retry"
  calls hedging p=none "$hedge"
  calls hedging-minus-one p=-1 "$hedge"
  calls hedging-2000-ms p=2000 "$hedge"
} | tee seen
diff seen - <<'SEEN' || { echo 'This has changed.' >&2; exit 1; }
no-pushback              js 4, python 4, go 4
minus-one                js 1, python 1, go 1
200-ms                   js 4, python 4, go 4
beyond-deadline          js 1, python 1, go 1
zero                     js 4, python 1, go 4
minus-two                js 1, python 1, go 1
fraction                 js 4, python 1, go 1
word                     js 4, python 1, go 1
http-503                 js 1, python 4, go 4
hedging                  js 4, python 1, go 1
hedging-minus-one        js 1, python 1, go 1
hedging-2000-ms          js 4, python 1, go 1
SEEN
