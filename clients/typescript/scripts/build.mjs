// Makes dist/ of src/. With --installing, as npm runs it where the package is installed from its folder: brings what the
// package and the build need, unless it is there. Runs on any Node that npm runs on.
import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');
const isInstalling = process.argv.includes('--installing');
const { dependencies, devDependencies, peerDependencies } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
const BUILD_TOOLS = ['typescript', '@types/node'];

/** The folder of a package, as Node finds it from here. */
function find(name) {
  for (let folder = root; ; folder = dirname(folder)) {
    const found = join(folder, 'node_modules', name);
    if (existsSync(join(found, 'package.json'))) return found;
    if (dirname(folder) === folder) return undefined;
  }
}

const isMissing = (name) => find(name) === undefined;
const missing = [...Object.keys({ ...dependencies, ...peerDependencies }), ...BUILD_TOOLS].filter(isMissing);

if (isInstalling && missing.length > 0) {
  // In the repository npm installs all that was asked for: nothing of it may be added.
  const repository = join(root, '..', '..');
  if (process.env.npm_config_local_prefix === repository) process.exit(0);
  install();
}
compile();

/** Installs the packages of this one beside it, for those who link to its folder from elsewhere. */
function install() {
  const env = Object.fromEntries(
    // What the npm outside was asked for is not meant for the one inside.
    Object.entries(process.env).filter(
      ([name]) => !/^npm_(?!config_(?:registry|cache|.*proxy|ca|cafile|strict_ssl|userconfig|globalconfig|offline|prefer_offline)$)/i.test(name),
    ),
  );
  const tools = BUILD_TOOLS.map((name) => `${name}@${devDependencies[name]}`);
  const flags = ['--no-save', '--no-package-lock', '--workspaces=false', '--omit=dev', '--ignore-scripts', '--no-audit'];
  const npm = process.env.npm_execpath;
  const [program, ...before] = npm === undefined ? ['npm'] : [process.execPath, npm];
  execFileSync(program, [...before, 'install', ...flags, '--no-fund', '--loglevel=error', ...tools], {
    cwd: root,
    env,
    stdio: ['ignore', 'ignore', 'inherit'],
    shell: npm === undefined && process.platform === 'win32',
  });
}

/** Compiles beside dist/ and puts the result in its place, so that nobody finds half of it. */
function compile() {
  const compiler = find('typescript');
  if (compiler === undefined) throw new Error('typescript is not installed: run npm ci in the root of the repository');
  const fresh = join(root, `dist-${process.pid}`);
  try {
    const options = ['-p', join(root, 'tsconfig.build.json'), '--outDir', fresh];
    execFileSync(process.execPath, [join(compiler, 'bin', 'tsc'), ...options], { cwd: root, stdio: 'inherit' });
    rmSync(join(root, 'dist'), { recursive: true, force: true });
    renameSync(fresh, join(root, 'dist'));
  } finally {
    rmSync(fresh, { recursive: true, force: true });
  }
}
