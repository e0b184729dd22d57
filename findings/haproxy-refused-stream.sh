#!/usr/bin/env bash
# HAProxy 2.6.12 (Debian 12) and @grpc/grpc-js 1.14.7 (npm): what becomes of a call whose server dies after it has got it.
#
# HAProxy resets the call with REFUSED_STREAM, which says (RFC 9113, 8.7) that nothing was done with it, although the server had the
# whole request. grpc-js repeats such a call by itself, without a retry policy, on the other server: what the first had done is done, and
# paid for, twice. `retry-on none` and `http-reuse never` change nothing.
#
# Seen:
#   bare HTTP/2: NGHTTP2_REFUSED_STREAM, servers asked 1 time
#   grpc-js: OK, servers asked 2 times
set -euo pipefail
command -v haproxy > /dev/null || { echo 'haproxy is not installed (Debian: apt-get install haproxy).' >&2; exit 1; }
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
npm install --silent --no-fund --no-audit --ignore-scripts @grpc/grpc-js@1.14.7 > /dev/null
cat > server.mjs <<'JS'
// Says that it was asked; the first of all calls gets no answer.
import { createServer } from 'node:http2';

const server = createServer();
server.on('stream', (stream) => {
  stream.on('error', () => undefined);
  stream.resume().on('end', () => process.send('asked'));
  process.on('message', () => {
    stream.respond({ ':status': 200, 'content-type': 'application/grpc' }, { waitForTrailers: true });
    stream.on('wantTrailers', () => stream.sendTrailers({ 'grpc-status': '0' }));
    stream.end(Buffer.alloc(5));
  });
});
server.listen(0, '127.0.0.1', () => process.send(server.address().port));
JS
cat > calls.mjs <<'JS'
import { fork, spawn } from 'node:child_process';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { connect } from 'node:http2';
import net from 'node:net';
import { setTimeout as passed } from 'node:timers/promises';
import grpc from '@grpc/grpc-js';

const PATH = '/finding.Service/Call';

async function attempt(title, call) {
  const servers = [fork('server.mjs'), fork('server.mjs')];
  const ports = (await Promise.all(servers.map((server) => once(server, 'message')))).map(([port]) => port);
  let asked = 0;
  for (const server of servers) {
    server.on('message', () => {
      asked += 1;
      if (asked === 1) server.kill('SIGKILL');
      else server.send('answer');
    });
  }
  const free = net.createServer().listen(0, '127.0.0.1');
  await once(free, 'listening');
  const { port } = free.address();
  free.close();
  writeFileSync('haproxy.cfg', `
defaults
  mode http
  timeout connect 1s
  timeout client 60s
  timeout server 60s
frontend in
  bind 127.0.0.1:${port} proto h2
  default_backend out
backend out
${ports.map((each) => `  server s${each} 127.0.0.1:${each} proto h2`).join('\n')}
`);
  const proxy = spawn('haproxy', ['-db', '-f', 'haproxy.cfg'], { stdio: 'ignore' });
  for (let isThere = false; !isThere; await passed(50)) {
    const socket = net.connect(port, '127.0.0.1');
    isThere = await once(socket, 'connect').then(() => true, () => false);
    socket.destroy();
  }
  const end = await call(port);
  await passed(500);
  console.log(`${title}: ${end}, servers asked ${asked} time${asked === 1 ? '' : 's'}`);
  for (const child of [proxy, ...servers]) child.kill('SIGKILL');
}

await attempt('bare HTTP/2', async (port) => {
  const session = connect(`http://127.0.0.1:${port}`);
  const stream = session.request({ ':method': 'POST', ':path': PATH, 'content-type': 'application/grpc', te: 'trailers' });
  stream.end(Buffer.alloc(5));
  const [error] = await once(stream, 'error').catch((thrown) => [thrown]);
  session.destroy();
  return error.message.split(' ').at(-1);
});

await attempt('grpc-js', async (port) => {
  const client = new grpc.Client(`127.0.0.1:${port}`, grpc.credentials.createInsecure());
  const same = (bytes) => bytes;
  const end = await new Promise((resolve) => {
    client.makeUnaryRequest(PATH, same, same, Buffer.alloc(0), (error) => {
      resolve(error === null ? 'OK' : grpc.status[error.code]);
    });
  });
  client.close();
  return end;
});
process.exit();
JS
node calls.mjs | tee seen
diff seen - <<'SEEN' || { echo 'This has changed.' >&2; exit 1; }
bare HTTP/2: NGHTTP2_REFUSED_STREAM, servers asked 1 time
grpc-js: OK, servers asked 2 times
SEEN
