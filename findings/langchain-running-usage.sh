#!/usr/bin/env bash
# langchain-openai 1.7.4 with langchain-core 1.8.3 (PyPI) and @langchain/openai 1.6.0 with @langchain/core 1.4.0 (npm): a prompt of 100 tokens
# is counted once for each piece of its answer.
#
# Servers of OpenAI's protocol can send the usage up to now with every piece (vLLM: `continuous_usage_stats`). Python adds those numbers up,
# in the message that the pieces make and in that of `invoke`, so that the input grows by the length of the answer; Node keeps the last.
# Three pieces of one token each:
#
# Seen:
#   python, pieces added: input 300, output 6
#   python, invoke with streaming: input 300, output 6
#   node, pieces added: input 100, output 3
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
npm install --silent --no-audit --no-fund --ignore-scripts @langchain/openai@1.6.0 @langchain/core@1.4.0
python3 -m venv python
python/bin/pip install --quiet --disable-pip-version-check langchain-openai==1.7.4 langchain-core==1.8.3
cat > ask.py <<'PY'
import sys
from functools import reduce
from operator import add

from langchain_openai import ChatOpenAI

model = ChatOpenAI(model="m", api_key="none", base_url=sys.argv[1], max_retries=0, streaming=True)
for how, message in (
    ("pieces added", reduce(add, model.stream("Which way?"))),
    ("invoke with streaming", model.invoke("Which way?")),
):
    usage = message.usage_metadata
    print(f"python, {how}: input {usage['input_tokens']}, output {usage['output_tokens']}")
PY
cat > ask.mjs <<'JS'
import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:http';
import { promisify } from 'node:util';
import { ChatOpenAI } from '@langchain/openai';

const data = ['Turn', ' left', '.'].map((content, at) => {
  const choices = [{ index: 0, delta: { role: 'assistant', content }, finish_reason: at === 2 ? 'stop' : null }];
  const usage = { prompt_tokens: 100, completion_tokens: at + 1, total_tokens: 101 + at };
  return JSON.stringify({ id: 'c', object: 'chat.completion.chunk', created: 1, model: 'm', choices, usage });
});
const server = createServer((request, response) => {
  response.writeHead(200, { 'content-type': 'text/event-stream' });
  response.end([...data, '[DONE]'].map((text) => `data: ${text}\n\n`).join(''));
}).listen(0, '127.0.0.1');
await once(server, 'listening');
const baseURL = `http://127.0.0.1:${server.address().port}`;

const { stdout } = await promisify(execFile)('python/bin/python', ['ask.py', baseURL]);
process.stdout.write(stdout);
const model = new ChatOpenAI({ model: 'm', apiKey: 'none', configuration: { baseURL }, maxRetries: 0 });
let whole;
for await (const piece of await model.stream('Which way?')) whole = whole === undefined ? piece : whole.concat(piece);
console.log(`node, pieces added: input ${whole.usage_metadata.input_tokens}, output ${whole.usage_metadata.output_tokens}`);
process.exit();
JS
node ask.mjs | tee seen
diff seen - <<'SEEN' || { echo 'This has changed.' >&2; exit 1; }
python, pieces added: input 300, output 6
python, invoke with streaming: input 300, output 6
node, pieces added: input 100, output 3
SEEN
