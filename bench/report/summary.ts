import { relative } from 'node:path';
import { fileURLToPath } from 'node:url';

import type { ProfileKind } from '../servers/guard.ts';
import type { CallNode } from './profile.ts';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const TOP = 30;

const UNITS = { cpu: 'µs per call', heap: 'bytes allocated per call' } as const satisfies Record<ProfileKind, string>;

/** Where a function belongs: the first pattern that its file fits. */
const GROUPS: readonly (readonly [RegExp, string])[] = [
  [/^src\/(\w+)\//, 'src/$1'],
  [/^src\//, 'src/*.ts: gateway, plan, accounting, system'],
  [/^(?:gen|node_modules\/@bufbuild\/protobuf)\//, 'protobuf'],
  [/^node_modules\/((?:@[^/]+\/)?[^/]+)\//, '$1'],
  [/^node:internal\/(?:http2|js_stream_socket)/, 'node http2'],
  [/^node:internal\/(?:streams|webstreams)|^node:stream/, 'node streams'],
  [/^node:(?:net$|internal\/stream_base_commons|internal\/net)/, 'node net'],
  [/^node:internal\/(?:timers|priority_queue)|^node:timers/, 'node timers'],
  [/^node:internal\/(?:event_target|abort_controller|per_context\/domexception)/, 'node AbortSignal'],
  [/^node:internal\/deps\/undici/, 'node Headers'],
  [/^node:events/, 'node events'],
  [/^node:(?:buffer|internal\/(?:buffer|encoding|util\/types))/, 'node buffers'],
  [/^node:(?:fs|internal\/fs)/, 'node fs'],
  [/^node:internal\/(?:process\/task_queues|async|promise)/, 'node task queues and async hooks'],
  [/^node:/, 'node, the rest'],
];

/** Summarises a recording of `calls` calls: by group, and the functions that cost most, ours and others. */
export function summarise(nodes: readonly CallNode[], kind: ProfileKind, calls: number): string {
  const groups = new Map<string, number>();
  const own = new Map<string, number>();
  const inclusive = new Map<string, number>();
  const foreign = new Map<string, number>();
  for (const node of nodes) {
    const share = node.self / calls;
    if (share === 0) continue;
    add(groups, groupOf(node), share);
    add(isOwn(node) ? own : foreign, nameOf(node), share);
    const seen = new Set<string>();
    for (let at: CallNode | undefined = node; at !== undefined; at = at.caller) {
      const name = nameOf(at);
      if (!isOwn(at) || seen.has(name)) continue;
      seen.add(name);
      add(inclusive, name, share);
    }
  }
  const total = groups.values().reduce((sum, share) => sum + share, 0);
  return [
    `${UNITS[kind]}: ${total.toFixed(0)} in all, by group`,
    ...listed(groups, Infinity),
    `${UNITS[kind]}: functions of src (top ${TOP})`,
    ...listed(own, TOP),
    `${UNITS[kind]}: functions of src with all that they call (top ${TOP})`,
    ...listed(inclusive, TOP),
    `${UNITS[kind]}: functions of others (top ${TOP})`,
    ...listed(foreign, TOP),
    '',
  ].join('\n');
}

/** Native functions such as `JSON.parse` have no file and count as their caller; those in brackets are V8's own. */
function groupOf(node: CallNode): string {
  if (node.url === '' && /^\((?!anonymous)/.test(node.functionName)) return node.functionName;
  for (let at: CallNode | undefined = node; at !== undefined; at = at.caller) {
    const file = fileOf(at);
    if (file === '') continue;
    for (const [pattern, name] of GROUPS) {
      const match = pattern.exec(file);
      if (match !== null) return name.replace('$1', match[1] ?? '');
    }
    return 'other';
  }
  return 'native';
}

function isOwn(node: CallNode): boolean {
  return fileOf(node).startsWith('src/');
}

/** Returns the path from the root of the repository, the name of a module of Node, or nothing for native functions. */
function fileOf({ url }: CallNode): string {
  if (url.startsWith('file:')) return relative(ROOT, fileURLToPath(url));
  return url.startsWith(ROOT) ? relative(ROOT, url) : url;
}

function nameOf(node: CallNode): string {
  const file = fileOf(node);
  return file === '' ? node.functionName : `${node.functionName} ${file}:${node.line}`;
}

function add(shares: Map<string, number>, name: string, share: number): void {
  shares.set(name, (shares.get(name) ?? 0) + share);
}

function listed(shares: ReadonlyMap<string, number>, most: number): string[] {
  return [...shares]
    .sort(([, left], [, right]) => right - left)
    .slice(0, most)
    .map(([name, share]) => `${share.toFixed(1).padStart(9)}  ${name}`);
}
