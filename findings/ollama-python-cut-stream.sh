#!/usr/bin/env bash
# ollama 0.6.3 (PyPI) and 0.6.4 (npm): a stream that ends without its last line is an answer to the one and an error to the other.
#
# Ollama ends an answer with a line that has `done: true`. Where a proxy or a server that is stopped ends the body before, cleanly, the loop of
# Python ends like behind a whole answer; only the `done` of the last piece, and a missing `done_reason`, tell. JavaScript throws.
#
# Seen:
#   Python: ended with "Take the left", done=False
#   JavaScript: Error: Did not receive done or success response in stream.
set -euo pipefail
work=$(mktemp -d)
server=
trap '[ -z "$server" ] || kill "$server"; rm -rf "$work"' EXIT
cd "$work"
npm init -y >/dev/null
npm install --silent --no-audit --no-fund --ignore-scripts ollama@0.6.4
python3 -m venv python
python/bin/pip install --quiet --disable-pip-version-check ollama==0.6.3
cat > server.mjs <<'JS'
import { createServer } from 'node:http';

const line = { model: 'm', created_at: '2026-11-01T00:00:00Z', message: { role: 'assistant', content: 'Take the left' }, done: false };
const server = createServer((request, response) => {
  request.resume();
  response.writeHead(200, { 'content-type': 'application/x-ndjson' });
  response.end(`${JSON.stringify(line)}\n`);
});
server.listen(0, '127.0.0.1', () => console.log(server.address().port));
JS
node server.mjs > port &
server=$!
until [ -s port ]; do sleep 0.1; done
cat > ask.py <<'PY'
import sys
from ollama import Client

text = ''
messages = [{'role': 'user', 'content': 'Which road?'}]
for part in Client(host=sys.argv[1]).chat(model='m', messages=messages, stream=True):
    text += part.message.content
print(f'Python: ended with "{text}", done={part.done}')
PY
cat > ask.mjs <<'JS'
import { Ollama } from 'ollama';

try {
  const messages = [{ role: 'user', content: 'Which road?' }];
  for await (const part of await new Ollama({ host: process.argv[2] }).chat({ model: 'm', messages, stream: true }));
  console.log('JavaScript: ended');
} catch (error) {
  console.log(`JavaScript: ${error}`);
}
JS
origin="http://127.0.0.1:$(cat port)"
{ python/bin/python ask.py "$origin"; node ask.mjs "$origin"; } | tee seen
diff seen - <<'SEEN' || { echo 'This has changed.' >&2; exit 1; }
Python: ended with "Take the left", done=False
JavaScript: Error: Did not receive done or success response in stream.
SEEN
