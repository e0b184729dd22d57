#!/usr/bin/env bash
# genai-prices 0.2.3 (PyPI) and @pydantic/genai-prices 0.1.8 (npm): the newest of both languages bill one request of exactly 272,000 tokens
# at two prices, one twice the other.
#
# OpenAI charges gpt-5.5 more above 272,000 tokens of input. The Python package takes "above" for more than that; the one for Node
# charges the higher price, for all tokens, from 272,000 on. A token less and a token more cost the same in both.
#
# Seen:
#   271999 tokens: python 1.359995, node 1.359995
#   272000 tokens: python 1.36, node 2.72
#   272001 tokens: python 2.72001, node 2.72001
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
npm install --silent --no-audit --no-fund @pydantic/genai-prices@0.1.8
python3 -m venv python
python/bin/pip install --quiet --disable-pip-version-check genai-prices==0.2.3
cat > price.py <<'PY'
from genai_prices import Usage, calc_price

for tokens in (271_999, 272_000, 272_001):
    usage = Usage(input_tokens=tokens, output_tokens=0)
    print(float(calc_price(usage, model_ref="gpt-5.5", provider_id="openai").total_price))
PY
cat > price.mjs <<'JS'
import { calcPrice } from '@pydantic/genai-prices';

for (const tokens of [271_999, 272_000, 272_001]) {
  const usage = { input_tokens: tokens, output_tokens: 0 };
  console.log(Number(calcPrice(usage, 'gpt-5.5', { providerId: 'openai' }).total_price.toFixed(9)));
}
JS
printf '%s\n' 271999 272000 272001 > tokens
python/bin/python price.py > python-prices
node price.mjs > node-prices
paste tokens python-prices node-prices | sed -E 's/^(.*)\t(.*)\t(.*)$/\1 tokens: python \2, node \3/' | tee seen
diff seen - <<'SEEN' || { echo 'This has changed.' >&2; exit 1; }
271999 tokens: python 1.359995, node 1.359995
272000 tokens: python 1.36, node 2.72
272001 tokens: python 2.72001, node 2.72001
SEEN
