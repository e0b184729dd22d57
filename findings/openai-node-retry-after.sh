#!/usr/bin/env bash
# openai 7.59.0 (npm): a server that asks for a longer wait is asked again sooner.
#
# `Retry-After` is a number of seconds (RFC 9110, 10.2.3). Up to 60 the package waits as told. Above, it drops the number and takes its
# own first pause of about half a second, so that a server that said "in 61 seconds" sees its client again at once. A limit of a minute
# is common, and what is left of it plus one is above 60.
#
# Seen:
#   told 2 s: as told
#   told 61 s: within a second
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
npm install --silent --no-audit --no-fund openai@7.59.0
cat > ask.mjs <<'JS'
import { once } from 'node:events';
import { createServer } from 'node:http';
import OpenAI from 'openai';

async function pauseMs(told) {
  const askedAt = [];
  const server = createServer((request, response) => {
    askedAt.push(performance.now());
    response.writeHead(429, { 'content-type': 'application/json', 'retry-after': String(told) });
    response.end('{"error":{"message":"Later.","type":"requests","code":"rate_limit_exceeded"}}');
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const client = new OpenAI({ apiKey: 'none', baseURL: `http://127.0.0.1:${server.address().port}`, maxRetries: 1 });
  // Whoever waits as told is not waited for.
  const signal = AbortSignal.timeout(5_000);
  await client.models.list({ signal }).catch(() => undefined);
  server.close();
  return askedAt.length < 2 ? Infinity : askedAt[1] - askedAt[0];
}

for (const told of [2, 61]) {
  const ms = await pauseMs(told);
  console.log(`told ${told} s: ${ms < 1_000 ? 'within a second' : ms < 1_900 ? 'too soon' : 'as told'}`);
}
process.exit();
JS
node ask.mjs | tee seen
diff seen - <<'SEEN' || { echo 'This has changed.' >&2; exit 1; }
told 2 s: as told
told 61 s: within a second
SEEN
