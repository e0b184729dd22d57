import { once } from 'node:events';
import { spawn } from 'node:child_process';
import { cpSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';

import { ALL_MUTANTS } from './mutants/all-mutants.ts';
import { changedSources } from './mutants/changed-sources.ts';
import { mutated } from './mutants/mutant.ts';
import type { Mutant } from './mutants/mutant.ts';
import { mutantTable } from './mutants/report.ts';
import type { Fate } from './mutants/report.ts';

const HELP = `Breaks the rules of the engine one at a time, in a copy, and lets the simulator and the unit tests look for it.
Ends with 1 where a mutant survives, no longer applies, or is not seen by the invariant that must see it.
  --groups       one mutant of each group of rules, and no table
  --changed      mutants of files that this branch or, on origin/main, the last commit has changed, and no table
  --only WORDS   mutants whose rule or description contains the words
  --seeds 600    how many seeds the simulator lives through at most`;

const { values } = parseArgs({
  options: {
    groups: { type: 'boolean', default: false },
    changed: { type: 'boolean', default: false },
    only: { type: 'string', default: '' },
    seeds: { type: 'string', default: '600' },
    help: { type: 'boolean', default: false },
  },
});

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
/** Two at a time: as many as the smallest machine that builds this has processors. */
const WORKERS = 2;
/** What takes longer than this, in milliseconds, hangs. */
const LONGEST_MS = 120_000;

/** A copy of what a mutant may break and of what looks for it. */
class Scratch {
  readonly #path = mkdtempSync(join(tmpdir(), 'understudy-mutants-'));

  constructor() {
    for (const name of ['src', 'gen', 'test', 'package.json', 'tsconfig.json']) {
      cpSync(join(ROOT, name), join(this.#path, name), { recursive: true });
    }
    symlinkSync(join(ROOT, 'node_modules'), join(this.#path, 'node_modules'));
    writeFileSync(join(this.#path, 'vitest.config.ts'), 'export default { test: { testTimeout: 110_000 } };\n');
  }

  remove(): void {
    rmSync(this.#path, { recursive: true, force: true });
  }

  async fate(mutant: Mutant): Promise<Fate> {
    const beganAt = performance.now();
    const path = join(this.#path, 'src', mutant.file);
    const source = readFileSync(path, 'utf8');
    writeFileSync(path, mutated(mutant, source));
    try {
      const by = await this.#look(mutant);
      return { mutant, ...by, ms: Math.round(performance.now() - beganAt) };
    } finally {
      writeFileSync(path, source);
    }
  }

  async #look({ seenBy }: Mutant): Promise<Pick<Fate, 'killedBy' | 'isSeen'>> {
    if (typeof seenBy === 'string') {
      const test = await this.#test(`test/engine/${seenBy}`);
      return { killedBy: test, isSeen: test !== undefined };
    }
    const found = await this.#simulate();
    const isFound = found.some((number) => Math.floor(Number(number)) === seenBy);
    const alone = isFound || values.groups ? [] : await this.#simulate(seenBy);
    const numbers = [...new Set([...found, ...alone])];
    const killedBy = numbers.length > 0 ? `invariant ${numbers.join(', ')}` : undefined;
    return { killedBy, isSeen: isFound || values.groups || alone.length > 0 };
  }

  /** Returns the invariants that are broken in the first seed in which any is, of all or one. */
  async #simulate(only?: number): Promise<readonly string[]> {
    const script = join(this.#path, 'test/sim/run-seeds.ts');
    const args = [script, '--count', values.seeds, '--stop', '1', '--brief'];
    const { code, out } = await this.#run([...args, ...(only === undefined ? [] : ['--only', String(only)])]);
    if (code === 0) return [];
    const numbers = out.trim().split(/\s+/).filter(Boolean);
    return numbers.length > 0 ? [...new Set(numbers)] : [code === undefined ? 'does not end' : 'does not run'];
  }

  /** Returns the first unit test of a file that fails; undefined where none does, or none runs. */
  async #test(path: string): Promise<string | undefined> {
    const vitest = join(ROOT, 'node_modules/vitest/vitest.mjs');
    const { out } = await this.#run([vitest, 'run', path, '--bail', '1', '--reporter', 'tap-flat']);
    return /^not ok \d+ - (?:test\/)?(.+?) # /mu.exec(out)?.[1];
  }

  async #run(args: readonly string[]): Promise<{ readonly code: number | null | undefined; readonly out: string }> {
    const child = spawn(process.execPath, args, { cwd: this.#path, stdio: ['ignore', 'pipe', 'ignore'] });
    const timer = setTimeout(() => child.kill('SIGKILL'), LONGEST_MS);
    let out = '';
    child.stdout.on('data', (piece: Buffer) => (out += piece.toString()));
    await once(child, 'close');
    clearTimeout(timer);
    return { code: child.signalCode === null ? child.exitCode : undefined, out };
  }
}

/** One mutant of each group: the letter with which its rule begins. */
function oneOfEach(mutants: readonly Mutant[]): readonly Mutant[] {
  const groups = Map.groupBy(mutants, ({ rule }) => rule[0]);
  return [...groups.values()].flatMap((group) => group.slice(0, 1));
}

async function fates(mutants: readonly Mutant[]): Promise<readonly Fate[]> {
  const found: Fate[] = [];
  const left = mutants.entries();
  await Promise.all(
    Array.from({ length: WORKERS }, async () => {
      const scratch = new Scratch();
      try {
        for (const [index, mutant] of left) {
          const fate = await scratch.fate(mutant);
          found[index] = fate;
          const mark = fate.killedBy === undefined ? 'SURVIVES' : fate.isSeen ? 'killed' : 'NOT SEEN';
          console.error(`${mark}: ${mutant.rule} ${mutant.does}: ${fate.killedBy ?? '-'} (${fate.ms} ms)`);
        }
      } finally {
        scratch.remove();
      }
    }),
  );
  return found;
}

if (values.help) console.log(HELP);
else {
  const changed = values.changed ? changedSources(ROOT) : undefined;
  const wanted = ALL_MUTANTS.filter(
    ({ rule, does, file }) => `${rule} ${does}`.includes(values.only) && (changed?.has(file) ?? true),
  );
  const found = await fates(values.groups ? oneOfEach(wanted) : wanted);
  if (!values.groups && !values.changed) console.log(mutantTable(found));
  const bad = found.filter(({ killedBy, isSeen }) => killedBy === undefined || !isSeen);
  console.log(`\n${found.length} mutants, ${found.length - bad.length} killed as they must be.`);
  process.exitCode = bad.length > 0 ? 1 : 0;
}
