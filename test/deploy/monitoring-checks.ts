import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

import { parse } from 'yaml';

import { runProgram } from '../../scripts/tool-cache.ts';
import { valueAt } from '../../src/config/port/problem.ts';
import type { DeployCheck } from './chart-checks.ts';
import { panelsOf } from './dashboard-panels.ts';
import { watchGateway } from './watched-gateway.ts';

const at = (path: string): string => fileURLToPath(new URL(`../../deploy/${path}`, import.meta.url));

/** Panels that a gateway without TLS, without a shared store and with known prices has nothing to show on. */
const EMPTY_PANELS: ReadonlySet<string> = new Set([
  'Certificates expire in',
  'Store of limits and budgets',
  'Attempts whose cost nobody knows',
]);
/** What Grafana puts into queries. */
const VARIABLES = { $job: '.*', $instance: '.*', $__rate_interval: '10s' };

/** What rules and dashboard must hold, by what it says. */
export const MONITORING_CHECKS: Readonly<Record<string, DeployCheck>> = {
  'the alerts fire for what they are for, and for nothing else': async ({ promtool = '' }) => {
    for (const args of [
      ['check', 'rules', at('prometheus/rules.yaml')],
      ['test', 'rules', at('prometheus/rules.test.yaml')],
    ]) {
      const { code, printed } = await runProgram(promtool, args);
      assert.equal(code, 0, printed);
    }
  },

  'Prometheus scrapes a gateway, evaluates every rule, and has data for every panel': async ({ prometheus = '' }) => {
    const watched = await watchGateway(prometheus);
    try {
      const groups = valueAt(await watched.ask('rules'), ['groups']);
      const rules = (Array.isArray(groups) ? groups : []).flatMap((group): unknown[] => {
        const found = valueAt(group, ['rules']);
        return Array.isArray(found) ? found : [];
      });
      assert.equal(rules.length, rulesOf(parse(readFileSync(at('prometheus/rules.yaml'), 'utf8'))));
      for (const rule of rules) assert.equal(valueAt(rule, ['health']), 'ok', String(valueAt(rule, ['lastError'])));
      const empty: string[] = [];
      for (const { title, queries } of panelsOf(readFileSync(at('grafana/understudy.json'), 'utf8'))) {
        const answers = await Promise.all(queries.map((query) => watched.ask('query', { query: filled(query) })));
        const series = answers.flatMap((answer) => valueAt(answer, ['result']));
        if (series.length === 0 && !EMPTY_PANELS.has(title)) empty.push(title);
      }
      assert.deepEqual(empty, []);
    } finally {
      await watched.close();
    }
  },
};

function filled(query: string): string {
  return Object.entries(VARIABLES).reduce((text, [name, value]) => text.replaceAll(name, value), query);
}

function rulesOf(file: unknown): number {
  const groups = valueAt(file, ['groups']);
  const lists = (Array.isArray(groups) ? groups : []).map((group): unknown => valueAt(group, ['rules']));
  return lists.reduce<number>((sum, list) => sum + (Array.isArray(list) ? list.length : 0), 0);
}
