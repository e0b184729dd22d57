import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync, writeFileSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

import type { ConfigInput } from '../../src/config/file/schema.ts';
import type { ProcessEnd } from '../support/understudy-process.ts';

/** Where an attack goes. */
export interface AttackedDoors {
  /** `host:port` of the gRPC door. */
  readonly grpc: string;
  /** `http://host:port` of the web door and of the admin address. */
  readonly web: string;
  readonly admin: string;
  /** `http://host:port` of a provider that answers with what the path asks for, behind the target `sick`. */
  readonly sick: SickCalls;
  /** What the process has printed on standard error since it began. */
  stderr(): string;
}

/** Counts what the sick provider was asked. */
export interface SickCalls {
  /** Says how it answers from now on, and begins to count anew. */
  answer(how: string): void;
  readonly count: number;
}

/** The gateway as a process of its own, with its memory and time. Linux alone: it is read from /proc. */
export interface AttackedProcess {
  readonly doors: Omit<AttackedDoors, 'sick'>;
  /** How it ended; undefined while it lives. */
  end(): ProcessEnd | undefined;
  readonly ended: Promise<ProcessEnd>;
  /** Bytes in memory after a collection of garbage. */
  settledBytes(): Promise<number>;
  /** Begins to look for the most memory anew. */
  resetPeak(): void;
  /** Most bytes in memory since then. */
  peakBytes(): number;
  /** CPU time used, in seconds. */
  cpuSeconds(): number;
  close(): Promise<void>;
}

const PROGRAM = fileURLToPath(new URL('../../bin/understudy.js', import.meta.url));
const PROBE = new URL('../soak/probe.ts', import.meta.url).href;
const ANY = '127.0.0.1:0';
const TICKS_A_SECOND = 100;
/** How long a collection of garbage may take; a blocked process answers later or never. */
const PROBE_MS = 15_000;

/** Starts the gateway on free ports; its log goes nowhere, but is written. `flags` are Node's. */
export async function startAttackedProcess(
  config: ConfigInput,
  flags: readonly string[] = [],
): Promise<AttackedProcess> {
  const folder = await mkdtemp(join(tmpdir(), 'understudy-attack-'));
  const path = join(folder, 'understudy.json');
  await writeFile(path, JSON.stringify(config));
  const args = [...flags, '--expose-gc', '--import', PROBE, PROGRAM, '--config', path];
  // As in the image: what large bodies have taken goes back to the system.
  const env = {
    MALLOC_MMAP_THRESHOLD_: '1048576',
    MALLOC_ARENA_MAX: '2',
    UNDERSTUDY_GRPC_ADDRESS: ANY,
    UNDERSTUDY_HTTP_ADDRESS: ANY,
    UNDERSTUDY_ADMIN_ADDRESS: ANY,
  };
  const child = spawn(process.execPath, args, { env, stdio: ['ignore', 'pipe', 'pipe', 'ipc'] });
  const { pid } = child;
  const output = { stdout: '', stderr: '' };
  const state: { end?: ProcessEnd } = {};
  const ended = once(child, 'exit').then((): ProcessEnd => {
    state.end = { code: child.exitCode, signal: child.signalCode };
    return state.end;
  });
  child.on('error', () => undefined);
  child.stderr?.setEncoding('utf8').on('data', (text: string) => {
    if (output.stderr.length < 4_000_000) output.stderr += text;
  });
  const doors = await new Promise<Omit<AttackedDoors, 'sick'>>((resolve, reject) => {
    child.stdout?.setEncoding('utf8').on('data', (text: string) => {
      if (output.stdout.length > 20_000) return;
      output.stdout += text;
      const [grpc, web, admin] = ['gRPC', 'web', 'admin'].map(
        (name) => new RegExp(`^${name} +(\\S+)\\n`, 'm').exec(output.stdout)?.[1],
      );
      if (grpc === undefined || web === undefined || admin === undefined) return;
      resolve({ grpc, web, admin, stderr: () => output.stderr });
    });
    void ended.then(({ code }) => reject(new Error(`the gateway ended with ${code}: ${output.stderr}`)));
  });
  const read = (file: string): string => {
    try {
      return readFileSync(`/proc/${pid}/${file}`, 'utf8');
    } catch {
      return '';
    }
  };
  return {
    doors,
    ended,
    end: () => state.end,
    settledBytes: async () => {
      if (!child.connected) return 0;
      const told = once(child, 'message', { signal: AbortSignal.timeout(PROBE_MS) });
      child.send('tell');
      const [message] = await told.catch((): unknown[] => []);
      return residentOf(message);
    },
    resetPeak: () => {
      try {
        writeFileSync(`/proc/${pid}/clear_refs`, '5');
      } catch {
        // It has ended.
      }
    },
    peakBytes: () => Number(/^VmHWM:\s+(\d+) kB/m.exec(read('status'))?.[1] ?? 0) * 1024,
    cpuSeconds: () => {
      const fields = read('stat').split(') ')[1]?.split(' ') ?? [];
      return (Number(fields[11] ?? 0) + Number(fields[12] ?? 0)) / TICKS_A_SECOND;
    },
    close: async () => {
      child.kill('SIGKILL');
      await ended;
      await rm(folder, { recursive: true });
    },
  };
}

function residentOf(message: unknown): number {
  if (typeof message !== 'object' || message === null || !('residentBytes' in message)) return 0;
  return Number(message.residentBytes);
}
