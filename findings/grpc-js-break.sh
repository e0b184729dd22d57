#!/usr/bin/env bash
# grpc-js 1.14.7: leaving `for await … of call` does not end the call.
#
# A stream of grpc-js is a Readable, whose iterator destroys it when the loop is left; that does not cancel the call behind it. The
# server goes on to its last message, unless `cancel()` is called.
#
# Seen:
#   for await, break: sent all 40
#   for await, break, cancel: stopped
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
npm init -y >/dev/null
npm install --silent --no-audit --no-fund @grpc/grpc-js@1.14.7
cat > leave.mjs <<'JS'
import { Client, credentials, Server, ServerCredentials } from '@grpc/grpc-js';

const MESSAGES = 40;
const same = (bytes) => bytes;
const method = {
  path: '/finding/Count',
  requestStream: false,
  responseStream: true,
  requestSerialize: same,
  requestDeserialize: same,
  responseSerialize: same,
  responseDeserialize: same,
};
let ended;
const server = new Server();
// Sends forty messages within two seconds, and notes how many the caller was there for.
server.addService(
  { count: method },
  {
    count: (call) => {
      let sent = 0;
      const timer = setInterval(() => {
        sent += 1;
        call.write(Buffer.from('.'));
        if (sent < MESSAGES) return;
        clearInterval(timer);
        call.end();
        ended(`sent all ${MESSAGES}`);
      }, 50);
      call.on('cancelled', () => {
        clearInterval(timer);
        ended('stopped');
      });
    },
  },
);
const port = await new Promise((resolve) => server.bindAsync('127.0.0.1:0', ServerCredentials.createInsecure(), (_, bound) => resolve(bound)));
const client = new Client(`127.0.0.1:${port}`, credentials.createInsecure());
for (const cancels of [false, true]) {
  const end = new Promise((resolve) => (ended = resolve));
  const call = client.makeServerStreamRequest(method.path, same, same, Buffer.alloc(0));
  call.on('error', () => {});
  for await (const _ of call) break;
  if (cancels) call.cancel();
  console.log(`for await, break${cancels ? ', cancel' : ''}:`, await end);
}
client.close();
server.forceShutdown();
process.exit();
JS
node leave.mjs | tee seen
diff seen - <<'SEEN' || { echo 'This has changed.' >&2; exit 1; }
for await, break: sent all 40
for await, break, cancel: stopped
SEEN
