import { readFileSync } from 'node:fs';

import { describe, expect, it } from 'vitest';

import { RIVALS } from '../policies.ts';
import { makeScenario, SCENARIO_NAMES } from '../scenarios.ts';
import { COLUMNS } from './columns.ts';
import type { FiguresOf } from './figures.ts';
import { PAGE, partOf, policiesInWords, rewritten } from './page.ts';

const TEXT = readFileSync(new URL(`../../../../${PAGE}`, import.meta.url), 'utf8');
const TABLES = partOf(TEXT, 'tables').split(/^### /m).slice(1);

/** The cells of the lines of a table. */
function rowsOf(table: string): readonly (readonly string[])[] {
  const lines = table.split('\n').filter((line) => line.startsWith('| '));
  return lines.map((line) => line.split('|').slice(1, -1)).map((cells) => cells.map((text) => text.trim()));
}

describe('the page of comparisons', () => {
  it('says what each policy does as the tool does', () => {
    expect(partOf(TEXT, 'policies')).toBe(policiesInWords().trim());
  });

  it('has a table for each scenario, with what it models', () => {
    expect(TABLES.map((table) => table.split('\n')[0])).toEqual(SCENARIO_NAMES);
    for (const [index, name] of SCENARIO_NAMES.entries()) expect(TABLES[index]).toContain(makeScenario(name, 0).models);
  });

  it('has the columns and the rows of the tool, in their order, and explains every column', () => {
    const heads = COLUMNS.map(({ head }) => head);
    const policies = RIVALS.map(({ name }) => name);
    for (const table of TABLES) {
      const [[policy, ...columns] = [], , ...rows] = rowsOf(table);
      expect(policy).toBe('policy');
      expect(columns).toEqual(heads.filter((head) => columns.includes(head)));
      const names = rows.map(([name]) => name ?? '');
      expect(names).toEqual(policies.filter((name) => names.includes(name)));
      expect(names.length).toBeGreaterThanOrEqual(policies.length - 1);
    }
    const [, meaning = ''] = TEXT.split('## What the columns say');
    // The two times to the first output have one explanation.
    for (const head of heads) if (head !== 'p99') expect(meaning).toContain(`- **${head.replace(' p50', '')}**`);
  });

  it('names a reason for every scenario in which a rival is better', () => {
    const [beaten = ''] = partOf(TEXT, 'verdict').split('\n\n');
    const [, why = ''] = TEXT.split('## Where another does better, and why');
    const [reasons = ''] = why.split('\n## ');
    const scenarios = new Set([...beaten.matchAll(/^- ([\w-]+), /gm)].map(([, scenario]) => scenario ?? ''));
    for (const scenario of scenarios) expect(reasons).toContain(`\`${scenario}\``);
  });

  it('is written anew between its marks, and nowhere else', () => {
    const found = [{ kind: 'better', scenario: 'herd', who: 'cockatiel 4', what: 'success 2 % against 1 %' }] as const;
    const figures: FiguresOf = { herd: [{ seed: 1, requests: 5, mostAtATime: 1, policies: {} }] };
    const text = rewritten(TEXT, figures, found);
    expect(partOf(text, 'verdict')).toBe('- herd, cockatiel 4: success 2 % against 1 %');
    expect(partOf(text, 'tables')).toContain('### herd');
    expect(partOf(text, 'tables')).not.toContain('### outage');
    expect(text.split('<!--')[0]).toBe(TEXT.split('<!--')[0]);
    expect(() => rewritten('# Another page\n', figures, found)).toThrow('marks');
  });
});
