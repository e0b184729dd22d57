import { readFileSync } from 'node:fs';

import type { ProfileKind } from '../servers/guard.ts';

/** A function as it was called from a certain place. */
export interface CallNode {
  readonly functionName: string;
  /** A `file:` URL, the name of a module of Node, or empty for native functions. */
  readonly url: string;
  /** Counted from 1. */
  readonly line: number;
  /** Microseconds or bytes that were spent in the function itself. */
  readonly self: number;
  /** Who called it; undefined for the root. */
  readonly caller: CallNode | undefined;
}

interface CallFrame {
  readonly functionName: string;
  readonly url: string;
  readonly lineNumber: number;
}

/** A CPU profile as V8 writes it. */
interface CpuProfile {
  readonly nodes: readonly {
    readonly id: number;
    readonly callFrame: CallFrame;
    readonly children?: readonly number[];
  }[];
  readonly samples: readonly number[];
  readonly timeDeltas: readonly number[];
}

/** A node of a heap profile as V8 writes it. */
interface HeapNode {
  readonly callFrame: CallFrame;
  readonly selfSize: number;
  readonly children: readonly HeapNode[];
}

/** Reads a recording; callers come before those whom they call. */
export function readProfile(path: string, kind: ProfileKind): readonly CallNode[] {
  const text = readFileSync(path, 'utf8');
  return kind === 'cpu' ? readCpu(parseCpu(text)) : readHeap(parseHeap(text).head);
}

function parseCpu(text: string): CpuProfile {
  return JSON.parse(text) as CpuProfile;
}

function parseHeap(text: string): { readonly head: HeapNode } {
  return JSON.parse(text) as { head: HeapNode };
}

function readCpu({ nodes, samples, timeDeltas }: CpuProfile): CallNode[] {
  const micros = new Map<number, number>();
  for (const [index, id] of samples.entries()) {
    // A delta is the time before its sample; what passes until the next one belongs to it.
    micros.set(id, (micros.get(id) ?? 0) + Math.max(0, timeDeltas[index + 1] ?? 0));
  }
  const callers = new Map<number, CallNode>();
  return nodes.map((node) => {
    const read = callNode(node.callFrame, micros.get(node.id) ?? 0, callers.get(node.id));
    for (const child of node.children ?? []) callers.set(child, read);
    return read;
  });
}

function readHeap(node: HeapNode, caller?: CallNode): CallNode[] {
  const read = callNode(node.callFrame, node.selfSize, caller);
  return [read, ...node.children.flatMap((child) => readHeap(child, read))];
}

function callNode({ functionName, url, lineNumber }: CallFrame, self: number, caller: CallNode | undefined): CallNode {
  return { functionName: functionName === '' ? '(anonymous)' : functionName, url, line: lineNumber + 1, self, caller };
}
