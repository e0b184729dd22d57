import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { fileURLToPath } from 'node:url';

import { runProgram } from '../../scripts/tool-cache.ts';
import { startUnderstudy } from '../support/understudy-process.ts';
import { blocksOf, pointedAt } from './snippets/blocks.ts';
import { rows } from './table.ts';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));

const HELP = `Usage: npm run test:newcomer -- [--only python,go] [--repository FOLDER]

Measures, for each language, how long it takes from a fresh clone to the first answers: what docs/clients.md says to type, with caches of
packages and builds that are empty (cold), and once more with those that the first time has filled (warm). The program is the one of
docs/clients.md. The gateway and the toolchain are there already.
`;

/** A line that is typed: a program and its arguments. */
type Line = readonly [program: string, ...args: string[]];

interface Recipe {
  /** The language as docs/clients.md names its blocks. */
  readonly block: string;
  readonly file: string;
  /** Environment variables that move all caches to a folder. */
  caches(folder: string): Readonly<Record<string, string>>;
  /** What is typed in a new folder, with the clone in another. */
  lines(clone: string, caches: string): readonly Line[];
}

const MODULE = 'understudy.internal/understudy';

const RECIPES: Readonly<Record<string, Recipe>> = {
  typescript: {
    block: 'ts',
    file: 'call.ts',
    caches: (folder) => ({ npm_config_cache: folder }),
    lines: (clone) => [
      ['npm', 'init', '-y', '--init-type', 'module'],
      ['npm', 'install', '--no-audit', '--no-fund', join(clone, 'clients', 'typescript')],
      [process.execPath, 'call.ts'],
    ],
  },
  python: {
    block: 'python',
    file: 'call.py',
    caches: (folder) => ({ PIP_CACHE_DIR: folder }),
    lines: (clone) => [
      ['python3', '-m', 'venv', '.venv'],
      ['.venv/bin/pip', 'install', '--quiet', join(clone, 'clients', 'python')],
      ['.venv/bin/python', 'call.py'],
    ],
  },
  go: {
    block: 'go',
    file: 'main.go',
    caches: (folder) => ({
      GOMODCACHE: join(folder, 'modules'),
      GOCACHE: join(folder, 'builds'),
      GOFLAGS: '-modcacherw',
    }),
    lines: (clone) => [
      ['go', 'mod', 'init', 'call'],
      ['go', 'mod', 'edit', `-require=${MODULE}@v0.0.0`, `-replace=${MODULE}=${join(clone, 'clients', 'go')}`],
      ['go', 'mod', 'tidy'],
      ['go', 'run', '.'],
    ],
  },
  java: {
    block: 'java',
    file: 'Call.java',
    caches: () => ({}),
    lines: (clone, caches) => {
      const java = join(clone, 'clients', 'java');
      return [
        ['mvn', '-q', '-B', `-Dmaven.repo.local=${caches}`, '-DskipTests', '-f', java, 'package'],
        ['java', '-cp', `${join(java, 'target', 'classes')}:${join(java, 'target', 'lib')}/*`, 'Call.java'],
      ];
    },
  },
};

async function main(): Promise<number> {
  const { values } = parseArgs({
    options: {
      only: { type: 'string', default: Object.keys(RECIPES).join(',') },
      repository: { type: 'string', default: ROOT },
      help: { type: 'boolean', default: false },
    },
  });
  if (values.help) {
    console.log(HELP);
    return 0;
  }
  const work = await mkdtemp(join(tmpdir(), 'understudy-first-call-'));
  const gateway = startUnderstudy(['--demo'], { UNDERSTUDY_MOCK: '1' });
  const table: (readonly string[])[] = [['language', 'cold', 'warm', 'slowest step, cold']];
  let isSlow = false;
  try {
    const { grpc } = await gateway.doors;
    const page = pointedAt(await readFile(join(ROOT, 'docs', 'clients.md'), 'utf8'), grpc);
    for (const name of values.only.split(',')) {
      const recipe = RECIPES[name];
      const code = blocksOf(page).find(({ language }) => language === recipe?.block)?.code;
      if (recipe === undefined || code === undefined) {
        console.log(`${name}: docs/clients.md has no program`);
        continue;
      }
      const measure = (run: string) =>
        measureOnce(recipe, code, { repository: resolve(values.repository), folder: join(work, name, run) });
      const cold = await measure('cold');
      const warm = await measure('warm');
      isSlow ||= cold.seconds > 60;
      table.push([name, `${cold.seconds.toFixed(1)} s`, `${warm.seconds.toFixed(1)} s`, cold.slowest]);
      console.log(`${name}: cold ${cold.steps}; warm ${warm.steps}`);
    }
  } finally {
    await gateway.close();
    await rm(work, { recursive: true, force: true });
  }
  console.log(`\n${rows(table)}`);
  return isSlow ? 1 : 0;
}

async function measureOnce(recipe: Recipe, code: string, where: { repository: string; folder: string }) {
  const [clone, project, caches] = [
    join(where.folder, 'understudy'),
    join(where.folder, 'project'),
    join(where.folder, '..', 'caches'),
  ];
  await mkdir(project, { recursive: true });
  await writeFile(join(project, recipe.file), code);
  const env = { ...process.env, ...recipe.caches(caches) };
  const lines: Line[] = [
    ['git', 'clone', '--quiet', '--depth', '1', `file://${where.repository}`, clone],
    ...recipe.lines(clone, caches),
  ];
  const steps: { readonly title: string; readonly seconds: number }[] = [];
  for (const [program, ...args] of lines) {
    const begunAtMs = performance.now();
    const { code: status, printed } = await runProgram(program, args, { cwd: project, env });
    if (status !== 0) throw new Error(`${program} ${args.join(' ')} failed: ${printed.slice(-2_000)}`);
    steps.push({ title: `${program} ${args[0] ?? ''}`.slice(-40), seconds: (performance.now() - begunAtMs) / 1_000 });
  }
  const [slowest] = steps.toSorted((left, right) => right.seconds - left.seconds);
  return {
    seconds: steps.reduce((sum, { seconds }) => sum + seconds, 0),
    slowest: slowest === undefined ? '' : `${slowest.title}: ${slowest.seconds.toFixed(1)} s`,
    steps: steps.map(({ title, seconds }) => `${title} ${seconds.toFixed(1)} s`).join(', '),
  };
}

process.exitCode = await main();
