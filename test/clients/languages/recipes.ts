import { execFile, spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { cp, glob, mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

import packageJson from '../../../package.json' with { type: 'json' };

const run = promisify(execFile);
/** Longest that a command may take, and the tests of a client, in milliseconds. */
const MOST_MS = 600_000;
const MOST_TESTS_MS = 240_000;
const MAX_OUTPUT_BYTES = 64 * 1_024 * 1_024;
const BARE = fileURLToPath(new URL('bare-grpc-js.ts', import.meta.url));

/** A conformance program that can be started; the names of cases are its further arguments. */
export interface ConformanceProgram {
  readonly command: readonly [string, ...string[]];
  readonly cwd: string;
}

/** How the program of a language is made. */
export interface LanguageRecipe {
  readonly title: string;
  /** Says what is missing of the toolchain or the client; nothing where all is there. */
  missing(clients: string): string | undefined;
  /** Builds it as a user would, from the folder of all clients, in a folder of its own. */
  build(clients: string, work: string): Promise<ConformanceProgram>;
  /** Runs the tests that the client has of its own, once it is built; left out where `npm test` runs them. */
  readonly ownTests?: (clients: string, work: string) => Promise<void>;
}

/** The rows of languages, by the names of `--only`. */
export const LANGUAGE_RECIPES: Readonly<Record<string, LanguageRecipe>> = {
  typescript: {
    title: 'TypeScript',
    missing: (clients) => missingFile(join(clients, 'typescript', 'conformance.mjs')),
    build: async (clients, work) => {
      const source = join(clients, 'typescript');
      await mkdir(work, { recursive: true });
      const packed = await command('npm', ['pack', '--json', '--pack-destination', work], source);
      const [, tarball] = /"filename": "([^"]+)"/.exec(packed) ?? [];
      if (tarball === undefined) throw new Error(`npm pack names no file: ${packed}`);
      await writeFile(join(work, 'package.json'), '{ "type": "module" }');
      // The retry cases of the program are those of a bare client.
      const packages = [join(work, tarball), `@grpc/grpc-js@${packageJson.dependencies['@grpc/grpc-js']}`];
      await command('npm', ['install', '--no-audit', '--no-fund', '--prefer-offline', ...packages], work);
      await cp(join(source, 'conformance.mjs'), join(work, 'conformance.mjs'));
      return { command: [process.execPath, 'conformance.mjs'], cwd: work };
    },
  },
  python: {
    title: 'Python',
    missing: (clients) =>
      missingTool('python3', ['-c', 'import sys, venv; sys.exit(sys.version_info < (3, 10))'], '3.10 or newer') ??
      missingFile(join(clients, 'python', 'conformance.py')),
    build: async (clients, work) => {
      const source = join(clients, 'python');
      await command('python3', ['-m', 'venv', work]);
      const python = join(work, 'bin', 'python');
      await command(python, ['-m', 'pip', 'install', '--quiet', '--disable-pip-version-check', source]);
      return { command: [python, join(source, 'conformance.py')], cwd: work };
    },
    ownTests: async (clients, work) => {
      const [source, python] = [join(clients, 'python'), join(work, 'bin', 'python')];
      await command(python, ['-m', 'pip', 'install', '--quiet', '--disable-pip-version-check', `${source}[test]`]);
      await command(python, ['-m', 'pytest', '-q', '-p', 'no:cacheprovider'], source, MOST_TESTS_MS);
    },
  },
  go: {
    title: 'Go',
    missing: (clients) => missingTool('go', ['version']) ?? missingFile(join(clients, 'go', 'conformance', 'main.go')),
    build: async (clients, work) => {
      await mkdir(work, { recursive: true });
      const program = join(work, 'conformance');
      await command('go', ['build', '-o', program, './conformance'], join(clients, 'go'));
      return { command: [program], cwd: work };
    },
    ownTests: async (clients) => {
      await command('go', ['vet', './...'], join(clients, 'go'));
      await command('go', ['test', './...'], join(clients, 'go'), MOST_TESTS_MS);
    },
  },
  java: {
    title: 'Java',
    missing: (clients) =>
      missingTool('java', ['-version']) ??
      missingTool('mvn', ['--version']) ??
      missingFile(join(clients, 'java', 'pom.xml')),
    build: async (clients, work) => {
      const source = join(clients, 'java');
      await mkdir(work, { recursive: true });
      await command('mvn', ['-q', '-B', '-DskipTests', 'package'], source);
      const classpath = join(work, 'classpath.txt');
      const listed = ['-q', '-B', 'dependency:build-classpath', '-Dmdep.includeScope=test'];
      await command('mvn', [...listed, `-Dmdep.outputFile=${classpath}`], source);
      const classes = await findConformance(join(source, 'target'));
      const jars = (await run('cat', [classpath])).stdout.trim();
      const path = [join(source, 'target', 'classes'), classes.folder, jars].join(':');
      return { command: ['java', '-cp', path, classes.name], cwd: work };
    },
    ownTests: async (clients) => {
      await command('mvn', ['-q', '-B', 'verify'], join(clients, 'java'), MOST_TESTS_MS);
    },
  },
  'grpc-js': {
    title: 'grpc-js alone',
    missing: () => undefined,
    build: async (_clients, work) => {
      await mkdir(work, { recursive: true });
      return { command: [process.execPath, BARE], cwd: work };
    },
  },
};

/** Runs a command to its end and returns its standard output; rejects with the end of what it printed where it fails, or takes too long. */
export async function command(
  program: string,
  args: readonly string[],
  cwd?: string,
  timeout = MOST_MS,
): Promise<string> {
  try {
    return (await run(program, args, { cwd, timeout, killSignal: 'SIGKILL', maxBuffer: MAX_OUTPUT_BYTES })).stdout;
  } catch (error) {
    const printed = error instanceof Error && 'stderr' in error && 'stdout' in error;
    const tail = printed ? `${String(error.stdout)}${String(error.stderr)}`.trim().slice(-1_500) : String(error);
    throw new Error(`${[program, ...args].join(' ')} failed: ${tail}`, { cause: error });
  }
}

/** Says that a tool is missing, or not as it must be. `started`: it need not end well, only be there. */
export function missingTool(
  program: string,
  args: readonly string[],
  wish = 'there',
  started = false,
): string | undefined {
  const { error, status } = spawnSync(program, args, { stdio: 'ignore' });
  return error === undefined && (started || status === 0) ? undefined : `${program} is not ${wish}`;
}

function missingFile(path: string): string | undefined {
  return existsSync(path) ? undefined : `not there: ${path.split('/').slice(-3).join('/')}`;
}

/** Finds the compiled program, whichever source set and package it is in. */
async function findConformance(target: string): Promise<{ readonly folder: string; readonly name: string }> {
  for await (const path of glob('{test-classes,classes}/**/Conformance.class', { cwd: target })) {
    const [folder = '', ...rest] = path.split('/');
    return { folder: join(target, folder), name: rest.join('.').replace(/\.class$/, '') };
  }
  throw new Error('there is no class Conformance');
}
