// Makes dist/ of src/. With --installing, as npm runs it where the package is installed from its folder: brings what the
// package and the build need, unless it is there. Runs on any Node that npm runs on.
import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');
const isInstalling = process.argv.includes('--installing');
const { dependencies, devDependencies, peerDependencies } = JSON.parse(
  readFileSync(join(root, 'package.json'), 'utf8'),
);
/** Settings of npm that hold for every install. */
const KEPT =
  /^npm_config_(?:registry|cache|.*proxy|ca|cafile|strict_ssl|userconfig|globalconfig|offline|prefer_offline)$/i;
const BUILD_TOOLS = ['typescript', '@types/node'];
/** Where the tools are that only the build needs, for those who link to the folder. */
const TOOLS = join(root, 'node_modules', '.build-tools');

/** The folder of a package, as Node finds it from here, or among the tools. */
function find(name) {
  for (let folder = root; ; folder = dirname(folder)) {
    const found = join(folder, 'node_modules', name);
    if (existsSync(join(found, 'package.json'))) return found;
    if (dirname(folder) === folder) break;
  }
  const tool = join(TOOLS, 'node_modules', name);
  return existsSync(join(tool, 'package.json')) ? tool : undefined;
}

const areMissing = (names) => names.some((name) => find(name) === undefined);

if (isInstalling) {
  const needs = Object.keys({ ...dependencies, ...peerDependencies });
  // In the repository npm installs all that was asked for: nothing of it may be added.
  const repository = join(root, '..', '..');
  if (process.env.npm_config_local_prefix === repository && areMissing([...needs, ...BUILD_TOOLS])) process.exit(0);
  if (areMissing(needs)) install(['--workspaces=false', '--omit=dev', '--no-save', '--no-package-lock']);
  if (areMissing(BUILD_TOOLS)) {
    install([
      '--prefix',
      TOOLS,
      '--workspaces=false',
      ...BUILD_TOOLS.map((name) => `${name}@${devDependencies[name]}`),
    ]);
  }
}
compile();

/** Runs npm install in the folder of the package. */
function install(args) {
  const env = Object.fromEntries(
    // What the npm outside was asked for is not meant for the one inside.
    Object.entries(process.env).filter(([name]) => !/^npm_/i.test(name) || KEPT.test(name)),
  );
  const npm = process.env.npm_execpath;
  const [program, ...before] = npm === undefined ? ['npm'] : [process.execPath, npm];
  const flags = ['--ignore-scripts', '--no-audit', '--no-fund', '--loglevel=error'];
  execFileSync(program, [...before, 'install', ...flags, ...args], {
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
    const types = find('@types/node');
    if (types !== undefined) options.push('--typeRoots', dirname(types));
    execFileSync(process.execPath, [join(compiler, 'bin', 'tsc'), ...options], { cwd: root, stdio: 'inherit' });
    rmSync(join(root, 'dist'), { recursive: true, force: true });
    renameSync(fresh, join(root, 'dist'));
  } finally {
    rmSync(fresh, { recursive: true, force: true });
  }
}
