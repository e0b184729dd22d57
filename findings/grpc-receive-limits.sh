#!/usr/bin/env bash
# What bare grpc-js 1.14.7, grpcio 1.85.3 and grpc-go 1.85.0 take in: a message of 5 MiB, and a stream that nobody reads on.
#
# A message of more than 4 MiB ends the call with RESOURCE_EXHAUSTED, unless the client raises its limit. A reader that stops reading keeps
# taking in bytes all the same: grpcio some MiB, before the server notices that nobody reads.
#
# Seen:
#   5 MiB: js RESOURCE_EXHAUSTED, python RESOURCE_EXHAUSTED, go RESOURCE_EXHAUSTED
#   taken in behind the first message: js less than 1 MiB, python more than 1 MiB, go less than 1 MiB
set -euo pipefail
work=$(mktemp -d)
server=''
trap 'if [ -n "$server" ]; then kill "$server"; fi; rm -rf "$work"' EXIT
cd "$work"
cat > server.mjs <<'JS'
import { createServer } from 'node:http2';
import { writeFileSync } from 'node:fs';
const frame = (length) => {
  const bytes = Buffer.alloc(5 + length);
  bytes.writeUInt32BE(length, 1);
  return bytes;
};
const taken = {};
const server = createServer();
server.on('stream', (stream, headers) => {
  stream.on('error', () => {});
  stream.resume();
  const [, , kind, name] = headers[':path'].split('/');
  if (kind === 'taken') {
    stream.respond({ ':status': 200 });
    stream.end(taken[name] < 1024 * 1024 ? 'less than 1 MiB' : 'more than 1 MiB');
    return;
  }
  stream.once('end', () => {
    stream.respond({ ':status': 200, 'content-type': 'application/grpc' }, { waitForTrailers: true });
    stream.once('wantTrailers', () => stream.sendTrailers({ 'grpc-status': '0' }));
    if (kind === 'large') {
      stream.end(frame(5 * 1024 * 1024));
      return;
    }
    const message = frame(16 * 1024);
    taken[name] = 0;
    const write = () =>
      stream.write(message, (error) => {
        if (error) return;
        taken[name] += message.length;
        write();
      });
    write();
  });
});
server.listen(0, '127.0.0.1', () => writeFileSync('port', String(server.address().port)));
JS
cat > call.mjs <<'JS'
import { Client, credentials, status } from '@grpc/grpc-js';
const [address, kind, name] = process.argv.slice(2);
const client = new Client(address, credentials.createInsecure());
const same = (bytes) => bytes;
if (kind === 'large') {
  client.makeUnaryRequest(`/finding/large/${name}`, same, same, Buffer.alloc(0), (error) => {
    console.log(error ? status[error.code] : 'OK');
    client.close();
  });
} else {
  const stream = client.makeServerStreamRequest(`/finding/stream/${name}`, same, same, Buffer.alloc(0));
  stream.on('error', () => {});
  stream.once('data', () => stream.pause());
  setTimeout(() => process.exit(), 2000);
}
JS
cat > call.py <<'PY'
import os
import sys
import time

import grpc

address, kind, name = sys.argv[1:]
channel = grpc.insecure_channel(address)
if kind == "large":
    try:
        channel.unary_unary(f"/finding/large/{name}")(b"")
        print("OK")
    except grpc.RpcError as error:
        print(error.code().name)
else:
    next(channel.unary_stream(f"/finding/stream/{name}")(b""))
    time.sleep(2)
    os._exit(0)
PY
mkdir -p go
cat > go/main.go <<'GO'
package main

import (
	"context"
	"fmt"
	"os"
	"strings"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/known/emptypb"
)

type raw struct{}

func (raw) Marshal(any) ([]byte, error)     { return nil, nil }
func (raw) Unmarshal([]byte, any) error     { return nil }
func (raw) Name() string                    { return "raw" }

var names = map[codes.Code]string{codes.OK: "OK", codes.ResourceExhausted: "RESOURCE_EXHAUSTED"}

func main() {
	conn, err := grpc.NewClient(os.Args[1], grpc.WithTransportCredentials(insecure.NewCredentials()), grpc.WithDefaultCallOptions(grpc.ForceCodec(raw{})))
	if err != nil {
		panic(err)
	}
	path := "/finding/" + strings.Join(os.Args[2:], "/")
	if os.Args[2] == "large" {
		fmt.Println(names[status.Code(conn.Invoke(context.Background(), path, &emptypb.Empty{}, &emptypb.Empty{}))])
		return
	}
	stream, err := conn.NewStream(context.Background(), &grpc.StreamDesc{ServerStreams: true}, path)
	if err != nil {
		panic(err)
	}
	_ = stream.SendMsg(&emptypb.Empty{})
	_ = stream.CloseSend()
	_ = stream.RecvMsg(&emptypb.Empty{})
	time.Sleep(2 * time.Second)
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
clients=(js 'node call.mjs' python 'python/bin/python call.py' go ./call)
large() {
  for ((at = 0; at < 6; at += 2)); do printf '%s %s\n' "${clients[at]}" "$(${clients[at + 1]} "$address" large "${clients[at]}")"; done
}
stalled() {
  for ((at = 0; at < 6; at += 2)); do
    ${clients[at + 1]} "$address" stream "${clients[at]}"
    printf '%s %s\n' "${clients[at]}" "$(curl -s --http2-prior-knowledge "http://$address/finding/taken/${clients[at]}")"
  done
}
{
  echo "5 MiB: $(large | paste -sd, | sed 's/,/, /g')"
  echo "taken in behind the first message: $(stalled | paste -sd, | sed 's/,/, /g')"
} | tee seen
diff seen - <<'SEEN' || { echo 'This has changed.' >&2; exit 1; }
5 MiB: js RESOURCE_EXHAUSTED, python RESOURCE_EXHAUSTED, go RESOURCE_EXHAUSTED
taken in behind the first message: js less than 1 MiB, python more than 1 MiB, go less than 1 MiB
SEEN
