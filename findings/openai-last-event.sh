#!/usr/bin/env bash
# openai 3.57.0 (PyPI) and 7.59.0 (npm): one body, and two answers, neither with an error.
#
# The last event of the body has its line end, and not the empty line that closes an event. Python drops it, as the standard of
# server-sent events has it, with the end of the text and `finish_reason`, and its helper hands the stump out as the completion. Node takes
# it. Nor does Python miss a reason: the helper of Node throws where none came ("missing finish_reason for choice 0").
#
# Seen:
#   python: "Yes" finish_reason null
#   node: "Yes, but not now." finish_reason "stop"
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
npm install --silent --no-audit --no-fund openai@7.59.0
python3 -m venv python
python/bin/pip install --quiet --disable-pip-version-check openai==3.57.0
cat > ask.py <<'PY'
import json
import sys

from openai import OpenAI

client = OpenAI(api_key="none", base_url=sys.argv[1], max_retries=0)
with client.chat.completions.stream(model="m", messages=[{"role": "user", "content": "May I?"}]) as stream:
    choice = stream.get_final_completion().choices[0]
print(json.dumps(choice.message.content), "finish_reason", json.dumps(choice.finish_reason))
PY
cat > ask.mjs <<'JS'
import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:http';
import { promisify } from 'node:util';
import OpenAI from 'openai';

const chunk = (content, finish_reason) => {
  const choices = [{ index: 0, delta: { role: 'assistant', content }, finish_reason }];
  return `data: ${JSON.stringify({ id: 'c', object: 'chat.completion.chunk', created: 1, model: 'm', choices })}\n`;
};
const server = createServer((request, response) => {
  response.writeHead(200, { 'content-type': 'text/event-stream' });
  response.end(`${chunk('Yes', null)}\n${chunk(', but not now.', 'stop')}`);
}).listen(0, '127.0.0.1');
await once(server, 'listening');
const baseURL = `http://127.0.0.1:${server.address().port}`;

const { stdout } = await promisify(execFile)('python/bin/python', ['ask.py', baseURL]);
console.log(`python: ${stdout.trim()}`);
const client = new OpenAI({ apiKey: 'none', baseURL, maxRetries: 0 });
const messages = [{ role: 'user', content: 'May I?' }];
const completion = await client.chat.completions.stream({ model: 'm', messages }).finalChatCompletion();
const [{ message, finish_reason }] = completion.choices;
console.log(`node: ${JSON.stringify(message.content)} finish_reason ${JSON.stringify(finish_reason)}`);
process.exit();
JS
node ask.mjs | tee seen
diff seen - <<'SEEN' || { echo 'This has changed.' >&2; exit 1; }
python: "Yes" finish_reason null
node: "Yes, but not now." finish_reason "stop"
SEEN
