import { execFileSync, spawn } from 'node:child_process';
import { hash } from 'node:crypto';
import { once } from 'node:events';
import { copyFileSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';

import packageJson from '../package.json' with { type: 'json' };

// Makes what a release consists of, in a folder of its own (npm run release): the packages, the bill of materials and their checksums.
// What it packed is installed in an empty folder, started, asked and stopped, so that nothing is published that does not run.

const HELP = `Usage: npm run release -- [--dry-run] [--out FOLDER]

Writes understudy-VERSION.tgz, understudy-client-VERSION.tgz, the chart, understudy.cdx.json and SHA256SUMS to FOLDER (default: release/).
It publishes nothing. Without --dry-run HEAD must be the tag vVERSION, with nothing left to commit.
`;
const ROOT = fileURLToPath(new URL('..', import.meta.url));
const { version } = packageJson;

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      'dry-run': { type: 'boolean', default: false },
      out: { type: 'string', default: 'release' },
      help: { type: 'boolean', default: false },
    },
  });
  if (values.help) {
    process.stdout.write(HELP);
    return;
  }
  if (!values['dry-run']) demandTag();
  const out = resolve(ROOT, values.out);
  rmSync(out, { recursive: true, force: true });
  mkdirSync(out, { recursive: true });
  const [gateway = '', client = ''] = [[], ['-w', '@understudy/client']].map((workspace) => pack(out, workspace));
  run('node', ['scripts/sbom.ts', '--out', join(out, 'understudy.cdx.json')]);
  packChart(out);
  const answer = await tryOut(join(out, gateway), join(out, client));
  const names = readdirSync(out).sort();
  const sums = names.map((name) => `${hash('sha256', readFileSync(join(out, name)))}  ${name}\n`);
  writeFileSync(join(out, 'SHA256SUMS'), sums.join(''));
  process.stdout.write(`${sums.join('')}What was packed answers: ${answer}\n`);
  process.stdout.write(values['dry-run'] ? 'A dry run: nothing is tagged, nothing published.\n' : `Ready in ${out}.\n`);
}

function demandTag(): void {
  const changed = run('git', ['status', '--porcelain']);
  const tags = run('git', ['tag', '--points-at', 'HEAD']).split('\n');
  if (changed !== '') throw new Error(`These files are not committed:\n${changed}`);
  if (!tags.includes(`v${version}`))
    throw new Error(`HEAD is not tagged v${version}; see RELEASING.md, or try --dry-run`);
}

/** Packs a package; returns the name of the file. */
function pack(out: string, workspace: readonly string[]): string {
  const printed = run('npm', ['pack', '--silent', '--pack-destination', out, ...workspace]);
  return printed.trim().split('\n').at(-1) ?? '';
}

/** Packs the chart as `helm package` does, without helm: a folder of the chart's name. */
function packChart(out: string): void {
  run('tar', ['-czf', join(out, `understudy-chart-${version}.tgz`), '-C', join(ROOT, 'deploy/helm'), 'understudy']);
}

/** Installs what was packed where nothing else is, and makes a call of each kind. Returns what the gateway answered. */
async function tryOut(...packages: readonly string[]): Promise<string> {
  const folder = mkdtempSync(join(tmpdir(), 'understudy-release-'));
  try {
    writeFileSync(join(folder, 'package.json'), '{ "private": true }');
    for (const path of packages) copyFileSync(path, join(folder, path.slice(path.lastIndexOf('/') + 1)));
    const files = packages.map((path) => `./${path.slice(path.lastIndexOf('/') + 1)}`);
    run('npm', ['install', '--silent', '--ignore-scripts', '--no-audit', '--no-fund', ...files], folder);
    const said = run('npx', ['--no-install', 'understudy', '--version'], folder).trim();
    if (said !== version) throw new Error(`What was packed says it is ${said}, and not ${version}`);
    return await callPacked(folder);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

async function callPacked(folder: string): Promise<string> {
  const program = join(folder, 'node_modules/understudy/bin/understudy.js');
  const addresses = ['GRPC', 'HTTP', 'ADMIN'].map((name) => [`UNDERSTUDY_${name}_ADDRESS`, '127.0.0.1:0'] as const);
  const env = { PATH: process.env['PATH'], HOME: folder, ...Object.fromEntries(addresses) };
  const child = spawn('node', [program, 'serve', '--demo', '--log-format', 'json'], { cwd: folder, env });
  const ended = once(child, 'close');
  try {
    let printed = '';
    const address = await new Promise<string>((found, failed) => {
      for (const stream of [child.stdout, child.stderr]) {
        stream.on('data', (data: Buffer) => {
          printed += data.toString();
          const [, grpc] = /gRPC (127\.0\.0\.1:\d+)/.exec(printed) ?? [];
          if (grpc !== undefined) found(grpc);
        });
      }
      child.on('close', () => failed(new Error(`What was packed does not start: ${printed}`)));
    });
    run('node', [program, 'health', '--strict', '--address', address], folder);
    return run('node', [program, 'generate', '--address', address, 'Say hello.'], folder).trim();
  } finally {
    child.kill('SIGTERM');
    const [code] = await ended;
    if (code !== 0) process.exitCode = 1;
  }
}

function run(program: string, args: readonly string[], cwd = ROOT): string {
  // A silent npm run would silence the npm that it runs, and its answers too.
  const env = { ...process.env, npm_config_loglevel: 'error' };
  return execFileSync(program, args, { cwd, env, encoding: 'utf8', stdio: ['ignore', 'pipe', 'inherit'] });
}

await main();
