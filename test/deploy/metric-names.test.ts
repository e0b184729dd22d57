import { readFileSync } from 'node:fs';

import { describe, expect, test } from 'vitest';

import { panelsOf } from './dashboard-panels.ts';

const textOf = (path: string): string => readFileSync(new URL(`../../${path}`, import.meta.url), 'utf8');
const DOCUMENTED = new Set([...textOf('docs/metrics.md').matchAll(/^\| `([a-z_0-9]+)`/gm)].map(([, name]) => name));

/** Returns the metrics that PromQL names and docs/metrics.md does not have. */
function unknownMetrics(query: string): readonly string[] {
  const names = query.match(/\b(?:understudy|gen_ai|nodejs|process)_\w+(?![\w:]|="|=~)/g) ?? [];
  const labels = new Set(['understudy_target', 'gen_ai_token_type']);
  return names
    .map((name) => name.replace(/_(?:bucket|sum|count)$/, ''))
    .filter((name) => !labels.has(name) && !DOCUMENTED.has(name));
}

describe('what docs/metrics.md has', () => {
  test('is all that panels of the dashboard ask for', () => {
    const queries = panelsOf(textOf('deploy/grafana/understudy.json')).flatMap((panel) => panel.queries);
    expect(queries.length).toBeGreaterThan(40);
    expect(queries.flatMap(unknownMetrics)).toEqual([]);
  });

  test('is all that rules reckon with', () => {
    const rules = textOf('deploy/prometheus/rules.yaml').replaceAll(/^\s*#.*$/gm, '');
    expect(unknownMetrics(rules)).toEqual([]);
  });
});
