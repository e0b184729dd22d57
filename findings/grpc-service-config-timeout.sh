#!/usr/bin/env bash
# grpc-js 1.14.7, grpcio 1.85.3 and grpc-go 1.85.0: "timeout" of a service config, read in three ways by three clients.
#
# grpc-js takes the digits behind the point for nanoseconds, so that 0.9 s are 9 ns, unless all nine digits stand there. grpcio ends each
# call from 1 to 2 s too soon, and calls of 1 s before they begin, since it counts from another start of its clock than its timers; nor is
# the server told a deadline. grpc-go does as told. A timeout that is given with the call is kept by all.
#
# Seen (the server answers nothing):
#   0.9s: js ends at once, python ends at once, go ends in time
#   0.900000000s: js ends in time, python ends at once, go ends in time
#   1s: js ends in time, python ends at once, go ends in time
#   5s: js ends in time, python ends too soon and told no deadline, go ends in time
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
mkdir go
cat > call.py <<'PY'
import sys
import time

import grpc

address, path, config = sys.argv[1:]
with grpc.insecure_channel(address, options=[("grpc.service_config", config)]) as channel:
    grpc.channel_ready_future(channel).result()
    began = time.monotonic()
    try:
        channel.unary_unary(path)(b"")
    except grpc.RpcError as error:
        assert error.code() is grpc.StatusCode.DEADLINE_EXCEEDED
    print(time.monotonic() - began)
PY
cat > go/main.go <<'GO'
package main

import (
	"context"
	"fmt"
	"os"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/known/emptypb"
)

func main() {
	conn, err := grpc.NewClient(os.Args[1], grpc.WithTransportCredentials(insecure.NewCredentials()), grpc.WithDefaultServiceConfig(os.Args[3]))
	if err != nil {
		panic(err)
	}
	began := time.Now()
	err = conn.Invoke(context.Background(), os.Args[2], &emptypb.Empty{}, &emptypb.Empty{})
	if status.Code(err) != codes.DeadlineExceeded {
		panic(err)
	}
	fmt.Println(time.Since(began).Seconds())
}
GO
cat > call.mjs <<'JS'
import { Client, credentials, status } from '@grpc/grpc-js';
const [address, path, config] = process.argv.slice(2);
const client = new Client(address, credentials.createInsecure(), { 'grpc.service_config': config });
const same = (bytes) => bytes;
// A client that connects keeps no process alive.
setInterval(() => {}, 1000);
await new Promise((resolve) => client.waitForReady(Infinity, resolve));
const began = performance.now();
const error = await new Promise((resolve) => client.makeUnaryRequest(path, same, same, Buffer.alloc(0), resolve));
if (error?.code !== status.DEADLINE_EXCEEDED) throw error;
console.log((performance.now() - began) / 1000);
process.exit();
JS
cat > ask.mjs <<'JS'
import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:http2';
import { promisify } from 'node:util';

const CLIENTS = { js: ['node', 'call.mjs'], python: ['python/bin/python', 'call.py'], go: ['./call'] };
let untold;
const server = createServer().listen(0, '127.0.0.1');
server.on('stream', (stream, headers) => {
  stream.on('error', () => {});
  untold = headers['grpc-timeout'] === undefined;
});
await once(server, 'listening');
const address = `127.0.0.1:${server.address().port}`;
for (const timeout of ['0.9s', '0.900000000s', '1s', '5s']) {
  const config = JSON.stringify({ methodConfig: [{ name: [{}], timeout }] });
  const ends = [];
  for (const [name, [program, ...args]] of Object.entries(CLIENTS)) {
    untold = false;
    const { stdout } = await promisify(execFile)(program, [...args, address, '/finding/Wait', config]);
    const part = Number(stdout) / Number.parseFloat(timeout);
    const end = part < 1 / 3 ? 'at once' : part < 0.9 ? 'too soon' : 'in time';
    ends.push(`${name} ends ${end}${untold ? ' and told no deadline' : ''}`);
  }
  console.log(`${timeout}: ${ends.join(', ')}`);
}
process.exit();
JS
{
  npm init -y && npm install --no-audit --no-fund @grpc/grpc-js@1.14.7
  python3 -m venv python && python/bin/pip install --disable-pip-version-check grpcio==1.85.3
  (cd go && go mod init finding && go get google.golang.org/grpc@v1.85.0 && go mod tidy && go build -o ../call .)
} > install.log 2>&1 || { cat install.log >&2; exit 1; }
node ask.mjs | tee seen
diff seen - <<'SEEN' || { echo 'This has changed.' >&2; exit 1; }
0.9s: js ends at once, python ends at once, go ends in time
0.900000000s: js ends in time, python ends at once, go ends in time
1s: js ends in time, python ends at once, go ends in time
5s: js ends in time, python ends too soon and told no deadline, go ends in time
SEEN
