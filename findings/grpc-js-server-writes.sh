#!/usr/bin/env bash
# A server of @grpc/grpc-js 1.14.7 (npm), on Node 20.20, 24.21 and 26.10: the answer of a unary call leaves in two writes.
#
# Its message and trailers are known at once, and fit into one packet. But node:http2 asks for trailers only when the message has left, and sends
# what it is given in setImmediate: a caller's end waits for whatever else the event loop of the server has to do, and each call costs a second write
# to the socket, and its client a second read. An answer without trailers, of node:http2 alone, leaves in one.
#
# Seen (writes to the connection for the second of two calls):
#   grpc-js: 2
#   node:http2 with trailers: 2
#   node:http2 without trailers: 1
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
npm install --silent --no-audit --no-fund @grpc/grpc-js@1.14.7
cat > count.cjs <<'JS'
const { once } = require('node:events');
const http2 = require('node:http2');
const { Duplex } = require('node:stream');
const grpc = require('@grpc/grpc-js');

/** One end of a connection, which counts what is written to it. */
class Wire extends Duplex {
  writes = 0;
  _read() {}
  _write(chunk, encoding, done) {
    this._writev([{ chunk }], done);
  }
  _writev(chunks, done) {
    this.writes += 1;
    for (const { chunk } of chunks) this.other.push(chunk);
    done();
  }
}

async function writesOf(serve) {
  const [near, far] = [new Wire(), new Wire()];
  [near.other, far.other] = [far, near];
  serve(far);
  const client = http2.connect('http://127.0.0.1', { createConnection: () => near });
  const headers = { ':method': 'POST', ':path': '/finding/Ask', 'content-type': 'application/grpc', te: 'trailers' };
  const ask = async () => {
    const stream = client.request(headers).resume();
    // A message of no bytes, behind its prefix.
    stream.end(Buffer.alloc(5));
    await once(stream, 'close');
  };
  await ask();
  const before = far.writes;
  await ask();
  return far.writes - before;
}

const bytes = (buffer) => buffer;
const ask = { path: '/finding/Ask', requestStream: false, responseStream: false,
  requestSerialize: bytes, requestDeserialize: bytes, responseSerialize: bytes, responseDeserialize: bytes };
const server = new grpc.Server();
server.addService({ ask }, { ask: (call, answer) => answer(null, Buffer.from('answer')) });
const injector = server.createConnectionInjector(grpc.ServerCredentials.createInsecure());

const answering = (waitForTrailers) => {
  const plain = http2.createServer().on('stream', (stream) => {
    stream.on('wantTrailers', () => stream.sendTrailers({ 'grpc-status': '0' }));
    stream.resume().respond({ ':status': 200 }, { waitForTrailers });
    stream.end('answer');
  });
  return (wire) => plain.emit('connection', wire);
};

(async () => {
  console.log(`grpc-js: ${await writesOf((wire) => injector.injectConnection(wire))}`);
  console.log(`node:http2 with trailers: ${await writesOf(answering(true))}`);
  console.log(`node:http2 without trailers: ${await writesOf(answering(false))}`);
  process.exit();
})();
JS
node count.cjs | tee seen
diff seen - <<'SEEN' || { echo 'This has changed.' >&2; exit 1; }
grpc-js: 2
node:http2 with trailers: 2
node:http2 without trailers: 1
SEEN
