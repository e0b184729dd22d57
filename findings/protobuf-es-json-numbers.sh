#!/usr/bin/env bash
# @bufbuild/protobuf 2.17.0 (npm) and protobuf 7.36.2 (PyPI): one JSON document, and two values of an int64, or an error.
#
# The JSON mapping of Protocol Buffers takes an int64 as a number or as text. The package for JavaScript reads the number with JSON.parse,
# so that one above 2^53 is rounded, and nobody is told: an id becomes that of another. As text it refuses an exponent, which Python takes.
#
# Seen:
#   9007199254740993 -> python 9007199254740993, node 9007199254740992
#   "9007199254740993" -> python 9007199254740993, node 9007199254740993
#   "1e3" -> python 1000, node refused
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
npm install --silent --no-audit --no-fund @bufbuild/protobuf@2.17.0
python3 -m venv python
python/bin/pip install --quiet --disable-pip-version-check protobuf==7.36.2
printf '%s\n' 9007199254740993 '"9007199254740993"' '"1e3"' > documents
cat > read.py <<'PY'
from google.protobuf import json_format, wrappers_pb2

for line in open("documents", encoding="utf-8"):
    try:
        print(json_format.Parse(line, wrappers_pb2.Int64Value()).value)
    except json_format.ParseError:
        print("refused")
PY
cat > read.mjs <<'JS'
import { readFileSync } from 'node:fs';
import { fromJsonString } from '@bufbuild/protobuf';
import { Int64ValueSchema } from '@bufbuild/protobuf/wkt';

for (const line of readFileSync('documents', 'utf8').trim().split('\n')) {
  try {
    console.log(String(fromJsonString(Int64ValueSchema, line).value));
  } catch {
    console.log('refused');
  }
}
JS
python/bin/python read.py > python-values
node read.mjs > node-values
paste documents python-values node-values | sed -E 's/^(.*)\t(.*)\t(.*)$/\1 -> python \2, node \3/' | tee seen
diff seen - <<'SEEN' || { echo 'This has changed.' >&2; exit 1; }
9007199254740993 -> python 9007199254740993, node 9007199254740992
"9007199254740993" -> python 9007199254740993, node 9007199254740993
"1e3" -> python 1000, node refused
SEEN
