#!/usr/bin/env node
// Starts the gateway, or says in one line why this Node cannot. Plain JavaScript, so that every Node can read it.
import { existsSync } from 'node:fs';

const [major, minor] = process.versions.node.split('.').map(Number);
if (major < 24 || (major === 24 && minor < 21)) {
  process.stderr.write(
    `Understudy needs Node 24.21 or newer, and this is ${process.versions.node}. ` +
      'Install with `npm ci` (with optional packages), which brings Node 26 for `npm start`.\n',
  );
  process.exit(1);
}
const source = new URL('../src/main.ts', import.meta.url);
await import(existsSync(source) ? source.href : new URL('../dist/src/main.js', import.meta.url).href);
