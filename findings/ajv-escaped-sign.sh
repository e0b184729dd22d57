#!/usr/bin/env bash
# ajv 8.20.0 (npm) and jsonschema 4.26.0 (PyPI): the pattern of a telephone number is no valid schema for the one, and plain for the other.
#
# People and tools escape signs that need none: `\-`, `\@`, `\#`. Everywhere but in JavaScript's patterns with the flag `u` that is the sign
# itself. ajv sets that flag, as the drafts recommend, so that it throws for the whole schema, not only where the pattern would apply.
#
# Seen:
#   ^\d{3}\-\d{4}$ -> ajv refuses the schema, jsonschema takes "555-0100"
#   ^\d{3}-\d{4}$ -> ajv takes "555-0100", jsonschema takes "555-0100"
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
npm install --silent --no-audit --no-fund ajv@8.20.0
python3 -m venv python
python/bin/pip install --quiet --disable-pip-version-check jsonschema==4.26.0
printf '%s\n' '^\d{3}\-\d{4}$' '^\d{3}-\d{4}$' > patterns
cat > check.mjs <<'JS'
import { readFileSync } from 'node:fs';
import { Ajv2020 } from 'ajv/dist/2020.js';

for (const pattern of readFileSync('patterns', 'utf8').trim().split('\n')) {
  try {
    const isValid = new Ajv2020().compile({ type: 'string', pattern });
    console.log(isValid('555-0100') ? 'takes "555-0100"' : 'does not take "555-0100"');
  } catch {
    console.log('refuses the schema');
  }
}
JS
cat > check.py <<'PY'
import jsonschema

for line in open("patterns", encoding="utf-8"):
    schema = {"type": "string", "pattern": line.rstrip("\n")}
    jsonschema.Draft202012Validator.check_schema(schema)
    is_valid = jsonschema.Draft202012Validator(schema).is_valid("555-0100")
    print('takes "555-0100"' if is_valid else 'does not take "555-0100"')
PY
node check.mjs > ajv
python/bin/python check.py > jsonschema
paste patterns ajv jsonschema | sed -E 's/^(.*)\t(.*)\t(.*)$/\1 -> ajv \2, jsonschema \3/' | tee seen
diff seen - <<'SEEN' || { echo 'This has changed.' >&2; exit 1; }
^\d{3}\-\d{4}$ -> ajv refuses the schema, jsonschema takes "555-0100"
^\d{3}-\d{4}$ -> ajv takes "555-0100", jsonschema takes "555-0100"
SEEN
