#!/usr/bin/env bash
# google-genai 3.6.1 (PyPI) and @google/genai 3.3.0 (npm): an answer of no text and without an error, where a proxy numbers the events.
#
# An event of a stream may have fields and comments beside its data (the standard of server-sent events), and proxies add them: a comment that
# keeps a connection open, `id`, `event: message`. Node takes an event for one of Gemini only where its data comes first, and drops every
# other: the loop ends as behind a whole answer, with no `finishReason`. Python ends with an error at the first such line.
#
# Seen:
#   data alone: python "Turn left.", node "Turn left."
#   a comment between events: python UnknownApiResponseError, node "Turn left."
#   a comment in an event: python UnknownApiResponseError, node ""
#   id: python UnknownApiResponseError, node ""
#   event: message: python UnknownApiResponseError, node ""
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
npm install --silent --no-audit --no-fund --ignore-scripts @google/genai@3.3.0
python3 -m venv python
python/bin/pip install --quiet --disable-pip-version-check google-genai==3.6.1
cat > ask.py <<'PY'
import json
import sys

from google import genai

client = genai.Client(api_key="none", http_options={"base_url": sys.argv[1]})
try:
    print(json.dumps("".join(chunk.text for chunk in client.models.generate_content_stream(model="m", contents="Which way?"))))
except Exception as error:
    print(type(error).__name__)
PY
cat > ask.mjs <<'JS'
import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:http';
import { promisify } from 'node:util';
import { GoogleGenAI } from '@google/genai';

const event = (text, finishReason) => {
  const candidates = [{ content: { parts: [{ text }], role: 'model' }, index: 0, finishReason }];
  return `data: ${JSON.stringify({ candidates })}\n\n`;
};
const events = [event('Turn '), event('left.', 'STOP')];
const forms = {
  'data alone': '',
  'a comment between events': ': alive\n\n',
  'a comment in an event': ': alive\n',
  id: 'id: 1\n',
  'event: message': 'event: message\n',
};
let before;
const server = createServer((request, response) => {
  response.writeHead(200, { 'content-type': 'text/event-stream' });
  response.end(events.map((event) => before + event).join(''));
}).listen(0, '127.0.0.1');
await once(server, 'listening');
const baseUrl = `http://127.0.0.1:${server.address().port}`;

const read = async () => {
  const client = new GoogleGenAI({ apiKey: 'none', httpOptions: { baseUrl } });
  try {
    let text = '';
    for await (const chunk of await client.models.generateContentStream({ model: 'm', contents: 'Which way?' })) text += chunk.text;
    return JSON.stringify(text);
  } catch (error) {
    return error.name;
  }
};
for (const [name, lines] of Object.entries(forms)) {
  before = lines;
  const { stdout } = await promisify(execFile)('python/bin/python', ['ask.py', baseUrl]);
  console.log(`${name}: python ${stdout.trim()}, node ${await read()}`);
}
process.exit();
JS
node ask.mjs | tee seen
diff seen - <<'SEEN' || { echo 'This has changed.' >&2; exit 1; }
data alone: python "Turn left.", node "Turn left."
a comment between events: python UnknownApiResponseError, node "Turn left."
a comment in an event: python UnknownApiResponseError, node ""
id: python UnknownApiResponseError, node ""
event: message: python UnknownApiResponseError, node ""
SEEN
