import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { promisify } from 'node:util';

// Says which pinned packages are behind their newest release (npm run outdated:pins). Asks the registry once for each; changes nothing.
// Not part of the check: a release of somebody else's must not break it.

const MANIFESTS = ['../package.json', '../clients/typescript/package.json'];
const KINDS = ['dependencies', 'devDependencies', 'optionalDependencies'];

const run = promisify(execFile);

/** Reads the names and exact versions that a manifest pins. */
export function pinsOf(manifest: unknown): readonly (readonly [name: string, version: string])[] {
  if (typeof manifest !== 'object' || manifest === null) return [];
  const groups: readonly unknown[] = KINDS.map((kind) => Reflect.get(manifest, kind));
  return groups
    .flatMap((group) => Object.entries(group ?? {}))
    .filter((pin): pin is [string, string] => typeof pin[1] === 'string');
}

/** The packages that bring Node; all platforms run the same version, so that the newest is what the slowest of them has. */
function isNode(name: string): boolean {
  return /^node-(?:bin-)?(?:darwin|linux|win)-/.test(name);
}

async function newestOf(name: string): Promise<string> {
  const { stdout } = await run('npm', ['view', name, 'version']);
  return stdout.trim();
}

if (import.meta.main) {
  const manifests = MANIFESTS.map((path) => readFileSync(new URL(path, import.meta.url), 'utf8'));
  const pins = new Map(manifests.flatMap((text) => pinsOf(JSON.parse(text))));
  const newest = new Map<string, string>();
  for (const name of pins.keys()) newest.set(name, await newestOf(name));
  const behind = [...pins].filter(([name, pinned]) => newest.get(name) !== pinned);
  for (const [name, pinned] of behind) process.stdout.write(`${name}: ${pinned}, newest ${newest.get(name)}\n`);
  const nodeWaits = [...pins].some(([name, pinned]) => isNode(name) && newest.get(name) === pinned);
  const toRaise = behind.filter(([name]) => !(isNode(name) && nodeWaits));
  process.stdout.write(`${pins.size} pins, ${toRaise.length} to raise.\n`);
  process.exitCode = toRaise.length === 0 ? 0 : 1;
}
