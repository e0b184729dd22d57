#!/usr/bin/env bash
# litellm 1.110.2 (PyPI): an answer that says that it broke off is finished with `stop`, by the adapter of the very vendor that says so.
#
# Z.ai ends an answer that its own network cut with `finish_reason: network_error`. The library takes a word for the end that it does not
# know for `stop`, streamed or not, so that a stump cannot be told from an answer.
#
# Seen:
#   streamed: "Take the left" stop
#   whole: "Take the left" stop
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
python3 -m venv python
python/bin/pip install --quiet --disable-pip-version-check litellm==1.110.2
cat > ask.py <<'PY'
import json
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

import litellm

TEXT, REASON = "Take the left", "network_error"


class Broken(BaseHTTPRequestHandler):
    """Says part of an answer, and that the network ended it."""

    def do_POST(self):
        asked = json.loads(self.rfile.read(int(self.headers["content-length"])))
        head = {"id": "c", "created": 1, "model": "glm-4.6"}
        message = {"role": "assistant", "content": TEXT}
        usage = {"prompt_tokens": 5, "completion_tokens": 3, "total_tokens": 8}
        if asked.get("stream"):
            kind, body = "text/event-stream", ""
            for delta, reason in ((message, None), ({}, REASON)):
                choices = [{"index": 0, "delta": delta, "finish_reason": reason}]
                body += f"data: {json.dumps({**head, 'object': 'chat.completion.chunk', 'choices': choices})}\n\n"
            body += "data: [DONE]\n\n"
        else:
            choices = [{"index": 0, "message": message, "finish_reason": REASON}]
            kind = "application/json"
            body = json.dumps({**head, "object": "chat.completion", "choices": choices, "usage": usage})
        self.send_response(200)
        self.send_header("content-type", kind)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body.encode())

    def log_message(self, *_):
        pass


server = ThreadingHTTPServer(("127.0.0.1", 0), Broken)
Thread(target=server.serve_forever, daemon=True).start()
call = {
    "model": "zai/glm-4.6",
    "api_base": f"http://127.0.0.1:{server.server_port}",
    "api_key": "none",
    "messages": [{"role": "user", "content": "Which way?"}],
    "num_retries": 0,
}
choices = [chunk.choices[0] for chunk in litellm.completion(**call, stream=True)]
text = "".join(choice.delta.content or "" for choice in choices)
print("streamed:", json.dumps(text), choices[-1].finish_reason)
choice = litellm.completion(**call).choices[0]
print("whole:", json.dumps(choice.message.content), choice.finish_reason)
PY
# Prices as packed: nothing else is fetched.
LITELLM_LOCAL_MODEL_COST_MAP=True python/bin/python ask.py | tee seen
diff seen - <<'SEEN' || { echo 'This has changed.' >&2; exit 1; }
streamed: "Take the left" stop
whole: "Take the left" stop
SEEN
