#!/usr/bin/env bash
# anthropic 2.14.0 (PyPI) and @anthropic-ai/sdk 1.14.0 (npm): the same overload is no overload once the answer has begun.
#
# As an answer it is an OverloadedError of status 529, below InternalServerError. As an event of the stream that both document it is the
# error of no class: in Python an APIStatusError whose status is 200, in Node one without a status. Whoever repeats, or counts, by class or
# by `status >= 500` passes over it; only `type` is the same.
#
# Seen:
#   before the stream: python OverloadedError 529 overloaded_error, node OverloadedError 529 overloaded_error
#   within the stream: python APIStatusError 200 overloaded_error, node APIError undefined overloaded_error
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
npm install --silent --no-audit --no-fund @anthropic-ai/sdk@1.14.0
python3 -m venv python
python/bin/pip install --quiet --disable-pip-version-check anthropic==2.14.0
cat > ask.py <<'PY'
import sys

import anthropic

client = anthropic.Anthropic(api_key="none", base_url=sys.argv[1], max_retries=0)
try:
    for _ in client.messages.create(model="m", max_tokens=9, stream=True, messages=[{"role": "user", "content": "May I?"}]):
        pass
except anthropic.APIStatusError as error:
    print(type(error).__name__, error.status_code, error.type)
PY
cat > ask.mjs <<'JS'
import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:http';
import { promisify } from 'node:util';
import Anthropic from '@anthropic-ai/sdk';

const failure = JSON.stringify({ type: 'error', error: { type: 'overloaded_error', message: 'Overloaded' } });
const usage = { input_tokens: 9, output_tokens: 1 };
const message = { id: 'm', type: 'message', role: 'assistant', model: 'm', content: [], stop_reason: null, stop_sequence: null, usage };
const server = createServer((request, response) => {
  if (request.url.startsWith('/before')) {
    response.writeHead(529, { 'content-type': 'application/json' });
    response.end(failure);
    return;
  }
  response.writeHead(200, { 'content-type': 'text/event-stream' });
  response.write(`event: message_start\ndata: ${JSON.stringify({ type: 'message_start', message })}\n\n`);
  response.end(`event: error\ndata: ${failure}\n\n`);
}).listen(0, '127.0.0.1');
await once(server, 'listening');

for (const place of ['before', 'within']) {
  const baseURL = `http://127.0.0.1:${server.address().port}/${place}`;
  const { stdout } = await promisify(execFile)('python/bin/python', ['ask.py', baseURL]);
  const client = new Anthropic({ apiKey: 'none', baseURL, maxRetries: 0 });
  const messages = [{ role: 'user', content: 'May I?' }];
  try {
    for await (const _ of await client.messages.create({ model: 'm', max_tokens: 9, stream: true, messages }));
  } catch (error) {
    const node = `${error.constructor.name} ${error.status} ${error.type}`;
    console.log(`${place} the stream: python ${stdout.trim()}, node ${node}`);
  }
}
process.exit();
JS
node ask.mjs | tee seen
diff seen - <<'SEEN' || { echo 'This has changed.' >&2; exit 1; }
before the stream: python OverloadedError 529 overloaded_error, node OverloadedError 529 overloaded_error
within the stream: python APIStatusError 200 overloaded_error, node APIError undefined overloaded_error
SEEN
