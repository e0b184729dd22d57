#!/usr/bin/env bash
# prom-client 15.1.3: rendering a registry once as OpenMetrics renames its counters for good, in the Prometheus text format as well.
#
# OpenMetrics wants the TYPE line of a counter without `_total`, and its samples with it. prom-client cuts the name off
# the metric itself, so that text which is rendered afterwards for another registry or scraper has samples of another name: whoever
# answers by the Accept header gives one scraper another series as soon as another one has come.
#
# Seen:
#   before: # TYPE calls_total counter | calls_total 1
#   after:  # TYPE calls counter | calls 1
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
npm init -y >/dev/null
npm install --silent --no-audit --no-fund prom-client@15.1.3
cat > render.mjs <<'JS'
import { Counter, Registry } from 'prom-client';

const registry = new Registry();
new Counter({ name: 'calls_total', help: 'Calls.', registers: [registry] }).inc();
const lines = async () => (await registry.metrics()).split('\n').filter((line) => line !== '' && !line.startsWith('# HELP') && line !== '# EOF').join(' | ');
registry.setContentType(Registry.PROMETHEUS_CONTENT_TYPE);
console.log('before:', await lines());
registry.setContentType(Registry.OPENMETRICS_CONTENT_TYPE);
await registry.metrics();
registry.setContentType(Registry.PROMETHEUS_CONTENT_TYPE);
console.log('after: ', await lines());
JS
node render.mjs | tee seen
diff seen - <<'SEEN' || { echo 'This has changed.' >&2; exit 1; }
before: # TYPE calls_total counter | calls_total 1
after:  # TYPE calls counter | calls 1
SEEN
