#!/usr/bin/env bash
# nice-grpc 2.1.18 with its middleware for deadlines 2.0.20, and @grpc/grpc-js 1.14.7 (npm): a deadline that the server is never told.
#
# The middleware sets a timer that aborts the call and sends no `grpc-timeout`, where grpc-js below it would. A server that shares its time
# out, or passes the deadline on to others, does its work as for a caller who waits for ever, unless the caller writes `grpc-timeout` into the
# metadata. The timer is one of Node's, too: a deadline in more than 24.8 days ends the call at once.
#
# Seen (the server answers after 200 ms):
#   grpc-js, 5 s: told a deadline, OK
#   nice-grpc, 5 s: told none, OK
#   nice-grpc, 5 s, grpc-timeout in the metadata: told a deadline, OK
#   nice-grpc, 30 days: DEADLINE_EXCEEDED
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
npm install --silent --no-audit --no-fund nice-grpc@2.1.18 nice-grpc-client-middleware-deadline@2.0.20 @grpc/grpc-js@1.14.7
cat > ask.cjs <<'JS'
const grpc = require('@grpc/grpc-js');
const { createChannel, createClientFactory, Metadata, Status } = require('nice-grpc');
const { deadlineMiddleware } = require('nice-grpc-client-middleware-deadline');

const path = '/finding/Ask';
const bytes = (buffer) => buffer;
const ask = { path, requestStream: false, responseStream: false, options: {},
  requestSerialize: bytes, requestDeserialize: bytes, responseSerialize: bytes, responseDeserialize: bytes };
const server = new grpc.Server();
server.addService({ ask }, {
  ask: (call, answer) => {
    const told = Number.isFinite(call.getDeadline()) ? 'told a deadline' : 'told none';
    setTimeout(() => answer(null, Buffer.from(told)), 200);
  },
});
server.bindAsync('127.0.0.1:0', grpc.ServerCredentials.createInsecure(), async (failure, port) => {
  const address = `127.0.0.1:${port}`;
  const bare = new grpc.Client(address, grpc.credentials.createInsecure());
  const nice = createClientFactory().use(deadlineMiddleware).create({ ask }, createChannel(address));
  const bareCall = (deadline) => new Promise((resolve, reject) => {
    bare.makeUnaryRequest(path, bytes, bytes, Buffer.alloc(0), { deadline }, (error, told) => (error ? reject(error) : resolve(told)));
  });
  const niceCall = (deadline, metadata) => nice.ask(Buffer.alloc(0), { deadline, metadata });
  const calls = {
    'grpc-js, 5 s': () => bareCall(new Date(Date.now() + 5000)),
    'nice-grpc, 5 s': () => niceCall(5000),
    'nice-grpc, 5 s, grpc-timeout in the metadata': () => niceCall(5000, Metadata({ 'grpc-timeout': '5000m' })),
    'nice-grpc, 30 days': () => niceCall(30 * 24 * 3600 * 1000),
  };
  for (const [name, call] of Object.entries(calls)) {
    const end = await call().then((told) => `${told}, OK`, (error) => Status[error.code]);
    console.log(`${name}: ${end}`);
  }
  process.exit();
});
JS
node --no-warnings ask.cjs | tee seen
diff seen - <<'SEEN' || { echo 'This has changed.' >&2; exit 1; }
grpc-js, 5 s: told a deadline, OK
nice-grpc, 5 s: told none, OK
nice-grpc, 5 s, grpc-timeout in the metadata: told a deadline, OK
nice-grpc, 30 days: DEADLINE_EXCEEDED
SEEN
