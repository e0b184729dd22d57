#!/usr/bin/env bash
# anthropic 2.14.0 (PyPI) and @anthropic-ai/sdk 1.14.0 (npm): a tool call that the limit of tokens cut becomes a whole one, and not the
# same one in both.
#
# The helpers for streams put `input` together from pieces of JSON. Where `max_tokens` ends the answer within a number, Python takes the
# digits that have come for the number: of 1000 only 10 is left, and nothing but `stop_reason` tells. Node leaves the field out. Where the
# field that is missing is optional, the call passes every schema.
#
# Seen:
#   {"to":"Ann","amount":10 -> python {"to":"Ann","amount":10}, stop_reason max_tokens
#   {"to":"Ann","amount":10 -> node {"to":"Ann"}, stop_reason max_tokens
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
npm install --silent --no-audit --no-fund @anthropic-ai/sdk@1.14.0
python3 -m venv python
python/bin/pip install --quiet --disable-pip-version-check anthropic==2.14.0
cat > ask.py <<'PY'
import json
import sys

import anthropic

client = anthropic.Anthropic(api_key="none", base_url=sys.argv[1], max_retries=0)
with client.messages.stream(model="m", max_tokens=9, messages=[{"role": "user", "content": "Pay."}]) as stream:
    message = stream.get_final_message()
print(json.dumps(message.content[0].input, separators=(",", ":")) + ", stop_reason " + str(message.stop_reason))
PY
cat > ask.mjs <<'JS'
import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:http';
import { promisify } from 'node:util';
import Anthropic from '@anthropic-ai/sdk';

// The call was to pay 1000; the limit came after two digits.
const CUT = '{"to":"Ann","amount":10';
const start = { id: 'msg', type: 'message', role: 'assistant', model: 'm', content: [], stop_reason: null, stop_sequence: null };
const events = [
  { type: 'message_start', message: { ...start, usage: { input_tokens: 5, output_tokens: 1 } } },
  { type: 'content_block_start', index: 0, content_block: { type: 'tool_use', id: 'toolu', name: 'pay', input: {} } },
  { type: 'content_block_delta', index: 0, delta: { type: 'input_json_delta', partial_json: CUT } },
  { type: 'content_block_stop', index: 0 },
  { type: 'message_delta', delta: { stop_reason: 'max_tokens', stop_sequence: null }, usage: { output_tokens: 9 } },
  { type: 'message_stop' },
];
const server = createServer((request, response) => {
  response.writeHead(200, { 'content-type': 'text/event-stream' });
  response.end(events.map((event) => `event: ${event.type}\ndata: ${JSON.stringify(event)}\n\n`).join(''));
}).listen(0, '127.0.0.1');
await once(server, 'listening');
const baseURL = `http://127.0.0.1:${server.address().port}`;

const { stdout } = await promisify(execFile)('python/bin/python', ['ask.py', baseURL]);
console.log(`${CUT} -> python ${stdout.trim()}`);
const client = new Anthropic({ apiKey: 'none', baseURL, maxRetries: 0 });
const messages = [{ role: 'user', content: 'Pay.' }];
const message = await client.messages.stream({ model: 'm', max_tokens: 9, messages }).finalMessage();
console.log(`${CUT} -> node ${JSON.stringify(message.content[0].input)}, stop_reason ${message.stop_reason}`);
process.exit();
JS
node ask.mjs | tee seen
diff seen - <<'SEEN' || { echo 'This has changed.' >&2; exit 1; }
{"to":"Ann","amount":10 -> python {"to":"Ann","amount":10}, stop_reason max_tokens
{"to":"Ann","amount":10 -> node {"to":"Ann"}, stop_reason max_tokens
SEEN
