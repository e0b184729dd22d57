#!/usr/bin/env bash
# grpc-js 1.14.7: `weighted_round_robin` passes over the names of its own service config, and says nothing.
#
# The settings of the policy in a service config are JSON of protobuf: `enableOobLoadReport` (gRFC A58), which grpc-go reads.
# grpc-js reads `enable_oob_load_report` and its like alone. With the other name it balances by reports with calls, and asks for none
# out of band.
#
# Seen:
#   enableOobLoadReport: asked for reports: false
#   enable_oob_load_report: asked for reports: true
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
npm init -y >/dev/null
npm install --silent --no-audit --no-fund @grpc/grpc-js@1.14.7
cat > balance.mjs <<'JS'
import { Client, credentials, Server, ServerCredentials } from '@grpc/grpc-js';

const same = (bytes) => bytes;
const codec = { requestSerialize: same, requestDeserialize: same, responseSerialize: same, responseDeserialize: same };
const ping = { path: '/finding/Ping', requestStream: false, responseStream: false, ...codec };
const reports = { path: '/xds.service.orca.v3.OpenRcaService/StreamCoreMetrics', requestStream: false, responseStream: true, ...codec };

for (const name of ['enableOobLoadReport', 'enable_oob_load_report']) {
  let isAsked = false;
  let asked = () => undefined;
  const whenAsked = new Promise((resolve) => (asked = resolve));
  const server = new Server();
  server.addService({ ping }, { ping: (_call, answer) => answer(null, Buffer.from('ok')) });
  server.addService(
    { reports },
    {
      // An empty report is a report.
      reports: (call) => {
        isAsked = true;
        asked();
        call.write(Buffer.alloc(0));
      },
    },
  );
  const port = await new Promise((resolve) =>
    server.bindAsync('127.0.0.1:0', ServerCredentials.createInsecure(), (_, bound) => resolve(bound)),
  );
  const config = { loadBalancingConfig: [{ weighted_round_robin: { [name]: true } }] };
  const options = { 'grpc.service_config': JSON.stringify(config), 'grpc.service_config_disable_resolution': 1 };
  const client = new Client(`127.0.0.1:${port}`, credentials.createInsecure(), options);
  for (let call = 0; call < 5; call++) {
    await new Promise((resolve, reject) =>
      client.makeUnaryRequest(ping.path, same, same, Buffer.alloc(0), (error) => (error === null ? resolve() : reject(error))),
    );
  }
  await Promise.race([whenAsked, new Promise((resolve) => setTimeout(resolve, 3000))]);
  console.log(`${name}: asked for reports: ${isAsked}`);
  client.close();
  server.forceShutdown();
}
process.exit();
JS
node balance.mjs | tee seen
diff seen - <<'SEEN' || { echo 'This has changed.' >&2; exit 1; }
enableOobLoadReport: asked for reports: false
enable_oob_load_report: asked for reports: true
SEEN
