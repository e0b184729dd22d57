#!/usr/bin/env bash
# ajv 8.20.0 (npm), jsonschema 4.26.0 and jsonschema-rs 0.61.2 (PyPI): whether a price is in whole cents depends on who is asked.
#
# `multipleOf: 0.01` is what a schema of an amount has, and models are held to it as decimals. ajv and jsonschema divide in binary, where
# 0.07 / 0.01 is 7.000000000000001, and refuse 1,363 of the 10,001 prices from 0.00 to 100.00: one in seven. jsonschema-rs refuses none,
# nor does ajv with `multipleOfPrecision`, which is not set unless one knows of it.
#
# Seen:
#   ajv: 1363 refused, first 0.07 0.14 0.28
#   ajv, multipleOfPrecision 6: 0 refused, first
#   jsonschema: 1363 refused, first 0.07 0.14 0.28
#   jsonschema-rs: 0 refused, first
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
npm install --silent --no-audit --no-fund ajv@8.20.0
python3 -m venv python
python/bin/pip install --quiet --disable-pip-version-check jsonschema==4.26.0 jsonschema-rs==0.61.2
cat > check.mjs <<'JS'
import { Ajv2020 } from 'ajv/dist/2020.js';

const prices = Array.from({ length: 10_001 }, (_, cents) => (cents / 100).toFixed(2));
const options = { 'ajv': {}, 'ajv, multipleOfPrecision 6': { multipleOfPrecision: 6 } };
for (const [name, option] of Object.entries(options)) {
  const isValid = new Ajv2020(option).compile({ type: 'number', multipleOf: 0.01 });
  const refused = prices.filter((price) => !isValid(JSON.parse(price)));
  console.log([`${name}: ${refused.length} refused, first`, ...refused.slice(0, 3)].join(' '));
}
JS
cat > check.py <<'PY'
import json

import jsonschema
import jsonschema_rs

schema = {"type": "number", "multipleOf": 0.01}
prices = [f"{cents / 100:.2f}" for cents in range(10_001)]
for name, package in (("jsonschema", jsonschema), ("jsonschema-rs", jsonschema_rs)):
    validator = package.Draft202012Validator(schema)
    refused = [price for price in prices if not validator.is_valid(json.loads(price))]
    print(" ".join([f"{name}: {len(refused)} refused, first", *refused[:3]]))
PY
{ node check.mjs; python/bin/python check.py; } | tee seen
diff seen - <<'SEEN' || { echo 'This has changed.' >&2; exit 1; }
ajv: 1363 refused, first 0.07 0.14 0.28
ajv, multipleOfPrecision 6: 0 refused, first
jsonschema: 1363 refused, first 0.07 0.14 0.28
jsonschema-rs: 0 refused, first
SEEN
