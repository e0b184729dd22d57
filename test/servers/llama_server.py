"""Runs llama.cpp's own HTTP server, as the package xllamacpp carries it: MODEL TEMPLATE PORT KEY."""

import sys
import time

import xllamacpp

model, template, port, key = sys.argv[1:]
params = xllamacpp.CommonParams()
params.model.path = model
params.model_alias = {"tiny"}
params.hostnames = ["127.0.0.1"]
params.port = int(port)
params.api_keys = [key]
params.n_ctx = 512
params.n_parallel = 1
params.use_jinja = True
with open(template, encoding="utf-8") as file:
    params.chat_template = file.read()
params.cpuparams.n_threads = 1
# An answer without a limit never ends by itself, so that one that its caller has left can be told from one that is over.
params.ctx_shift = True
server = xllamacpp.Server(params)
print(server.listening_address, flush=True)
while True:
    time.sleep(3600)
