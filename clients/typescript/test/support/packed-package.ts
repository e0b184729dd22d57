import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, readFile, realpath, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';

/** Runs a program to its end; rejects with `code`, `stdout` and `stderr` where it ends with another code than 0. */
export const run = promisify(execFile);

/** A package in a program outside the repository, as npm would install it. */
export interface InstalledPackage {
  /** The folder of the program: ES modules, with the package in its node_modules. */
  readonly folder: string;
  /** The folder of the package. */
  readonly root: string;
  /** What the tarball holds, with `/` between folders. */
  readonly files: readonly string[];
  /** The node_modules that the links lead to. */
  readonly modules: string;
  /** Checks files of the program's folder as strictly as TypeScript can; rejects with its messages. */
  typecheck(module: string, ...files: readonly string[]): Promise<void>;
  /** Has publint and attw look at the tarball, as whoever installs it would see it; rejects with what they find. */
  lint(): Promise<void>;
  remove(): Promise<void>;
}

/**
 * Packs a package as `npm publish` would, and installs the tarball in a temporary folder. What the package declares as its
 * dependencies, and no more, is linked from the repository's node_modules; besides, Node's types.
 */
export async function installPacked(packageRoot: string): Promise<InstalledPackage> {
  const modules = findModules(packageRoot);
  const folder = await realpath(await mkdtemp(join(tmpdir(), 'understudy-packed-')));
  const { stdout } = await run('npm', ['pack', '--json', '--pack-destination', folder], { cwd: packageRoot });
  const [, filename] = /"filename": "([^"]+)"/.exec(stdout) ?? [];
  if (filename === undefined) throw new Error(`npm pack names no file: ${stdout}`);
  const tarball = join(folder, filename);
  const { name, needs } = parseManifest(await readFile(join(packageRoot, 'package.json'), 'utf8'));
  const root = join(folder, 'node_modules', ...name.split('/'));
  await mkdir(root, { recursive: true });
  await run('tar', ['-xzf', tarball, '-C', root, '--strip-components=1']);
  for (const need of [...needs, '@types/node']) {
    const link = join(folder, 'node_modules', ...need.split('/'));
    await mkdir(dirname(link), { recursive: true });
    await symlink(join(modules, ...need.split('/')), link);
  }
  await writeFile(join(folder, 'package.json'), '{ "type": "module" }');
  const listed = await run('tar', ['-tzf', tarball]);
  return {
    folder,
    root,
    modules,
    files: listed.stdout.split('\n').flatMap((path) => (path === '' ? [] : [path.replace(/^[^/]*\//, '')])),
    typecheck: async (module, ...files) => {
      const flags = ['--strict', '--noEmit', '--target', 'es2023', '--module', module, '--types', 'node'];
      const compiler = join(modules, 'typescript', 'bin', 'tsc');
      const failure = await run(process.execPath, [compiler, ...flags, ...files], { cwd: folder }).then(
        () => undefined,
        (error: unknown) => error,
      );
      if (failure !== undefined) throw new Error(`the types do not compile: ${outputOf(failure)}`, { cause: failure });
    },
    lint: async () => {
      const publint = [join(modules, 'publint', 'src', 'cli.js'), 'run', tarball, '--strict'];
      const attw = [join(modules, '@arethetypeswrong', 'cli', 'dist', 'index.js'), tarball];
      // The packages are ES modules alone, and types of others need not be fetched.
      const rules = ['--profile', 'esm-only', '--no-definitely-typed', '--no-color', '--format', 'ascii'];
      for (const command of [publint, [...attw, ...rules]]) {
        const failure = await run(process.execPath, command).then(
          () => undefined,
          (error: unknown) => error,
        );
        if (failure !== undefined)
          throw new Error(`the package is not in order: ${outputOf(failure)}`, { cause: failure });
      }
    },
    remove: () => rm(folder, { recursive: true }),
  };
}

/** These tools write their messages to standard output. */
function outputOf(failure: unknown): string {
  return failure instanceof Error && 'stdout' in failure ? String(failure.stdout) : String(failure);
}

function parseManifest(json: string): { readonly name: string; readonly needs: readonly string[] } {
  const { name, dependencies, peerDependencies } = JSON.parse(json) as {
    readonly name: string;
    readonly dependencies?: object;
    readonly peerDependencies?: object;
  };
  return { name, needs: Object.keys({ ...dependencies, ...peerDependencies }) };
}

/** The nearest node_modules that holds the dependencies, here or above. */
function findModules(start: string): string {
  const candidate = join(start, 'node_modules');
  if (existsSync(join(candidate, '@connectrpc', 'connect'))) return candidate;
  if (dirname(start) === start) throw new Error('the dependencies are not installed');
  return findModules(dirname(start));
}
