import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** Where the doors of a process are. */
export interface ProcessDoors {
  /** `host:port` of the gRPC door. */
  readonly grpc: string;
  /** `http://host:port` of the web door. */
  readonly web: string;
  /** `http://host:port` of the admin listener. */
  readonly admin: string;
}

/** How a process ended. */
export interface ProcessEnd {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

/** The gateway as a process of its own. */
export interface UnderstudyProcess {
  /** Resolves when the process has said where its doors are; rejects where it ends before. */
  readonly doors: Promise<ProcessDoors>;
  readonly ended: Promise<ProcessEnd>;
  readonly stdout: () => string;
  /** Resolves when standard output has a text in it; rejects where the process ends before. */
  printed(text: string): Promise<void>;
  readonly stderr: () => string;
  /** Reads no more of standard output, or reads on. */
  stopReading(): void;
  readOn(): void;
  /** Whether the process is gone; `ended` waits for its output, too. */
  hasExited(): boolean;
  kill(signal: NodeJS.Signals): void;
  readonly pid: number;
  /** Ends the process whatever it does, and waits for its end. */
  close(): Promise<void>;
}

const PROGRAM = fileURLToPath(new URL('../../bin/understudy.js', import.meta.url));

const ANY_PORT = {
  UNDERSTUDY_GRPC_ADDRESS: '127.0.0.1:0',
  UNDERSTUDY_HTTP_ADDRESS: '127.0.0.1:0',
  UNDERSTUDY_ADMIN_ADDRESS: '127.0.0.1:0',
};

/** What starts the gateway, before its arguments. */
export const PROGRAM_COMMAND: readonly [string, ...string[]] = [process.execPath, PROGRAM];

/** How a process is started. */
interface StartOptions {
  /** What starts it, before its arguments. */
  readonly command?: readonly [string, ...string[]];
  /** Most file descriptors that it may have; default: as many as this process. */
  readonly openFiles?: number;
  /** The folder that it is started in; default: an empty one, which goes with it. */
  readonly cwd?: string | undefined;
}

/** Starts `bin/understudy.js` on free ports in an empty folder, with nothing in its environment but what is given here. */
export function startUnderstudy(
  args: readonly string[],
  env: Readonly<Record<string, string>> = {},
  { command = PROGRAM_COMMAND, openFiles, cwd }: StartOptions = {},
): UnderstudyProcess {
  const whole = [...command, ...args];
  const limited = ['/bin/sh', '-c', `ulimit -n ${openFiles}; exec "$0" "$@"`, ...whole];
  const [program = '', ...words] = openFiles === undefined ? whole : limited;
  const folder = mkdtempSync(join(tmpdir(), 'understudy-process-'));
  const child = spawn(program, words, {
    cwd: cwd ?? folder,
    env: { ...ANY_PORT, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const output = { stdout: '', stderr: '' };
  const waiting = new Set<() => void>();
  const ended = once(child, 'close').then((): ProcessEnd => {
    rmSync(folder, { recursive: true, force: true });
    return { code: child.exitCode, signal: child.signalCode };
  });
  const doors = new Promise<ProcessDoors>((resolve, reject) => {
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      output.stdout += text;
      const found = findDoors(output.stdout);
      if (found !== undefined) resolve(found);
      for (const look of waiting) look();
    });
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      output.stderr += text;
    });
    void ended.then(({ code }) => reject(new Error(`the process ended with ${code}: ${output.stderr}`)));
  });
  // A test of a process that refuses to start looks at its end alone.
  doors.catch(() => undefined);
  return {
    doors,
    ended,
    stdout: () => output.stdout,
    printed: (text) =>
      new Promise((resolve, reject) => {
        const look = (): void => {
          if (!output.stdout.includes(text)) return;
          waiting.delete(look);
          resolve();
        };
        waiting.add(look);
        look();
        void ended.then(() => reject(new Error(`the process ended without: ${text}`)));
      }),
    stderr: () => output.stderr,
    stopReading: () => void child.stdout.pause(),
    readOn: () => void child.stdout.resume(),
    hasExited: () => child.exitCode !== null || child.signalCode !== null,
    kill: (signal) => void child.kill(signal),
    pid: child.pid ?? 0,
    close: async () => {
      child.kill('SIGKILL');
      await ended;
    },
  };
}

/** Reads the addresses in the table that the process prints when all its doors are open. */
function findDoors(text: string): ProcessDoors | undefined {
  const grpc = /^gRPC +(\S+)\n/m.exec(text)?.[1];
  const web = /^web +(\S+)\n/m.exec(text)?.[1];
  const admin = /^admin +(\S+)\n/m.exec(text)?.[1];
  return grpc === undefined || web === undefined || admin === undefined ? undefined : { grpc, web, admin };
}
