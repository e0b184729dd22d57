#!/usr/bin/env bash
# protobuf 7.36.2 (PyPI), @bufbuild/protobuf 2.17.0 (npm) and Go's protobuf 1.36.12: Python does not read the JSON that it writes.
#
# The largest float, which means "no limit" in many a message, is 3.4028235e+38 in the JSON of Python and Go: no shorter text has it for its
# nearest float. As a double that is a little more than the largest float, and Python refuses it before it rounds, also where Go wrote it;
# text of the next smaller float it takes. JavaScript writes all digits, and reads either.
#
# Seen:
#   python wrote 3.4028235e+38: python refused, node read, go read
#   node wrote 3.4028234663852886e+38: python read, node read, go read
#   go wrote 3.4028235e+38: python refused, node read, go read
set -euo pipefail
work=$(mktemp -d)
trap 'chmod -R u+w "$work" && rm -rf "$work"' EXIT
cd "$work"
npm install --silent --no-audit --no-fund @bufbuild/protobuf@2.17.0
python3 -m venv python
python/bin/pip install --quiet --disable-pip-version-check protobuf==7.36.2
cat > largest.py <<'PY'
import sys

from google.protobuf import json_format, wrappers_pb2

largest = wrappers_pb2.FloatValue(value=(2 - 2**-23) * 2**127)
if len(sys.argv) == 1:
    print(json_format.MessageToJson(largest))
else:
    try:
        print("read" if json_format.Parse(sys.argv[1], wrappers_pb2.FloatValue()) == largest else "read as another")
    except json_format.ParseError:
        print("refused")
PY
cat > largest.mjs <<'JS'
import { create, fromJsonString, toJsonString } from '@bufbuild/protobuf';
import { FloatValueSchema } from '@bufbuild/protobuf/wkt';

const largest = create(FloatValueSchema, { value: (2 - 2 ** -23) * 2 ** 127 });
const [, , text] = process.argv;
if (text === undefined) {
  console.log(toJsonString(FloatValueSchema, largest));
} else {
  try {
    const value = fromJsonString(FloatValueSchema, text);
    console.log(Math.fround(value.value) === largest.value ? 'read' : 'read as another');
  } catch {
    console.log('refused');
  }
}
JS
cat > largest.go <<'GO'
package main

import (
	"fmt"
	"math"
	"os"

	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/types/known/wrapperspb"
)

func main() {
	if len(os.Args) == 1 {
		text, _ := protojson.Marshal(wrapperspb.Float(math.MaxFloat32))
		fmt.Println(string(text))
		return
	}
	value := &wrapperspb.FloatValue{}
	if protojson.Unmarshal([]byte(os.Args[1]), value) != nil {
		fmt.Println("refused")
	} else if value.Value == math.MaxFloat32 {
		fmt.Println("read")
	} else {
		fmt.Println("read as another")
	}
}
GO
export GOFLAGS=-mod=mod GOPATH="$work/gopath"
go mod init finding 2> /dev/null
go get google.golang.org/protobuf@v1.36.12 2> /dev/null
go build -o largest largest.go
declare -A commands=([python]='python/bin/python largest.py' [node]='node largest.mjs' [go]=./largest)
for writer in python node go; do
  text=$(${commands[$writer]})
  echo "$writer wrote $text: python $(${commands[python]} "$text"), node $(${commands[node]} "$text"), go $(${commands[go]} "$text")"
done | tee seen
diff seen - <<'SEEN' || { echo 'This has changed.' >&2; exit 1; }
python wrote 3.4028235e+38: python refused, node read, go read
node wrote 3.4028234663852886e+38: python read, node read, go read
go wrote 3.4028235e+38: python refused, node read, go read
SEEN
