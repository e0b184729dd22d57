import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { describe, expect, it } from 'vitest';

import { ALL_MUTANTS } from './mutants/all-mutants.ts';
import { mutated } from './mutants/mutant.ts';

const GROUPS = ['A', 'B', 'C', 'D', 'G', 'K', 'L', 'P', 'R', 'U', 'X'];

describe('the mutants', () => {
  it('are of every group of rules', () => {
    expect(new Set(ALL_MUTANTS.map(({ rule }) => rule[0]))).toEqual(new Set(GROUPS));
  });

  it.each(ALL_MUTANTS)('apply: $rule $does', (mutant) => {
    const source = readFileSync(new URL(`../../src/${mutant.file}`, import.meta.url), 'utf8');
    expect(mutated(mutant, source)).not.toBe(source);
  });

  it('are killed, one of each group', async () => {
    const script = fileURLToPath(new URL('mutate.ts', import.meta.url));
    const { stdout } = await promisify(execFile)(process.execPath, [script, '--groups']);
    expect(stdout).toContain(`${GROUPS.length} mutants, ${GROUPS.length} killed as they must be.`);
  }, 900_000);
});
