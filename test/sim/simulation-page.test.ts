import { existsSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';

import { readFromRoot, tableBelow } from '../support/doc-tables.ts';
import { ALL_CHECKS } from './checks/all-checks.ts';
import { ALL_MUTANTS } from './mutants/all-mutants.ts';
import { witness } from './mutants/report.ts';

const PAGE = readFromRoot('docs/simulation.md');

describe('docs/simulation.md', () => {
  const invariants = tableBelow(PAGE, '## Invariants and their checks');

  it('has the 37 invariants, each of which a mutant must show to see', () => {
    const numbers = invariants.map(([number]) => Number(number));
    expect(numbers).toEqual(Array.from({ length: 37 }, (_, index) => index + 1));
    const seeing = new Set(ALL_MUTANTS.map(({ seenBy }) => seenBy));
    expect(numbers.filter((number) => !seeing.has(number))).toEqual([]);
  });

  it('names every check of the simulator', () => {
    const named = invariants.flatMap(([, , checks = '']) =>
      checks.split(', ').filter((check) => /^[\d.]+$/.test(check)),
    );
    expect(named.map(Number).sort(byNumber)).toEqual(ALL_CHECKS.map(({ number }) => number).sort(byNumber));
  });

  it.each(invariants)('names the files that check invariant %s', (number, _, checks = '', files = '') => {
    const sources = [...files.matchAll(/`([^`]+)`/g)].map(([, file = '']) => sourceOf(file));
    expect(sources.length).toBeGreaterThan(0);
    for (const source of sources) expect(source).toMatch(new RegExp(`number: ${number}\\b|violation\\(${number},`));
    for (const check of checks.split(', ').filter((part) => /^[\d.]+$/.test(part)))
      expect(sources.some((source) => source.includes(`number: ${check},`))).toBe(true);
  });

  it('names every mutant, its rule, and who must see it', () => {
    const told = tableBelow(PAGE, '## Mutants').map(([rule, does, , seenBy]) => [rule, does, seenBy]);
    expect(told).toEqual(ALL_MUTANTS.map((mutant) => [mutant.rule, mutant.does, witness(mutant)]));
  });
});

function sourceOf(file: string): string {
  const checks = new URL(`checks/${file}`, import.meta.url);
  return readFileSync(existsSync(checks) ? checks : new URL(file, import.meta.url), 'utf8');
}

function byNumber(one: number, other: number): number {
  return one - other;
}
