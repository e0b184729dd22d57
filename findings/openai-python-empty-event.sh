#!/usr/bin/env bash
# openai 3.57.0 (PyPI) and 7.59.0 (npm): a stream that says how soon to reconnect ends with a JSONDecodeError in Python.
#
# An event without data is none (the standard of server-sent events): a server may begin with `retry`, and number its events. Python hands
# such a block on as an event and parses its empty data. It keeps the last id as well, so that behind a numbered event every comment that keeps
# the connection open becomes an event; without ids the same comment does no harm.
#
# Seen:
#   comments: python "Yes.", node "Yes."
#   comments behind ids: python JSONDecodeError, node "Yes."
#   retry of its own: python JSONDecodeError, node "Yes."
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
stream = client.chat.completions.create(model="m", messages=[{"role": "user", "content": "May I?"}], stream=True)
try:
    print(json.dumps("".join(chunk.choices[0].delta.content for chunk in stream)))
except Exception as error:
    print(type(error).__name__)
PY
cat > ask.mjs <<'JS'
import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:http';
import { promisify } from 'node:util';
import OpenAI from 'openai';

const chunk = (content, finish_reason) => {
  const choices = [{ index: 0, delta: { role: 'assistant', content }, finish_reason }];
  return JSON.stringify({ id: 'c', object: 'chat.completion.chunk', created: 1, model: 'm', choices });
};
const data = [chunk('Yes', null), chunk('.', 'stop'), '[DONE]'];
const bodies = {
  comments: data.map((text) => `data: ${text}\n\n: alive\n\n`).join(''),
  'comments behind ids': data.map((text, at) => `id: ${at}\ndata: ${text}\n\n: alive\n\n`).join(''),
  'retry of its own': `retry: 3000\n\n${data.map((text) => `data: ${text}\n\n`).join('')}`,
};
let body;
const server = createServer((request, response) => {
  response.writeHead(200, { 'content-type': 'text/event-stream' });
  response.end(body);
}).listen(0, '127.0.0.1');
await once(server, 'listening');
const baseURL = `http://127.0.0.1:${server.address().port}`;

const client = new OpenAI({ apiKey: 'none', baseURL, maxRetries: 0 });
const read = async () => {
  try {
    let text = '';
    const messages = [{ role: 'user', content: 'May I?' }];
    for await (const { choices } of await client.chat.completions.create({ model: 'm', messages, stream: true })) text += choices[0].delta.content;
    return JSON.stringify(text);
  } catch (error) {
    return error.name;
  }
};
for (const [name, sent] of Object.entries(bodies)) {
  body = sent;
  const { stdout } = await promisify(execFile)('python/bin/python', ['ask.py', baseURL]);
  console.log(`${name}: python ${stdout.trim()}, node ${await read()}`);
}
process.exit();
JS
node ask.mjs | tee seen
diff seen - <<'SEEN' || { echo 'This has changed.' >&2; exit 1; }
comments: python "Yes.", node "Yes."
comments behind ids: python JSONDecodeError, node "Yes."
retry of its own: python JSONDecodeError, node "Yes."
SEEN
