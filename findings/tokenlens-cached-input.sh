#!/usr/bin/env bash
# tokenlens 1.3.1 (npm): input that a cache has served is paid twice, where usage has the form of OpenAI or of the AI SDK.
#
# Both count cached tokens among those of the input; Anthropic counts them beside it. The library adds the price of cache reads to that of
# all input in either form, which is right for Anthropic's alone. Below 10,000 of 10,100 tokens come from the cache, at 2.50 USD a
# million and half of that for reads: 0.01325 USD with 50 tokens of output at 10 USD.
#
# Seen:
#   Anthropic's form: 0.01325
#   OpenAI's form: 0.03825
#   the AI SDK's form: 0.03825
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
npm init -y >/dev/null
npm install --silent --no-audit --no-fund --ignore-scripts tokenlens@1.3.1
cat > cost.mjs <<'JS'
import { getTokenCosts } from 'tokenlens';

const forms = {
  "Anthropic's": { input_tokens: 100, cache_read_input_tokens: 10_000, output_tokens: 50 },
  "OpenAI's": { prompt_tokens: 10_100, completion_tokens: 50, total_tokens: 10_150, prompt_tokens_details: { cached_tokens: 10_000 } },
  "the AI SDK's": { inputTokens: 10_100, outputTokens: 50, totalTokens: 10_150, cachedInputTokens: 10_000 },
};
for (const [form, usage] of Object.entries(forms)) {
  console.log(`${form} form:`, Number(getTokenCosts({ modelId: 'openai:gpt-4o', usage }).totalUSD.toFixed(6)));
}
JS
node cost.mjs | tee seen
diff seen - <<'SEEN' || { echo 'This has changed.' >&2; exit 1; }
Anthropic's form: 0.01325
OpenAI's form: 0.03825
the AI SDK's form: 0.03825
SEEN
