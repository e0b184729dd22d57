import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';

import { PROGRAM_COMMAND, type UnderstudyProcess } from './understudy-process.ts';

/** How a command ended and what it said. */
export interface CommandResult {
  /** The exit status; that of a shell, 128 and its number, where a signal ended it. */
  readonly status: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** A command that runs. */
export interface RunningCommand {
  readonly ended: Promise<CommandResult>;
  /** Resolves when standard output has a text in it; rejects where the command ends before. */
  printed(text: string): Promise<void>;
  type(text: string): void;
  kill(signal: NodeJS.Signals): void;
  /** Reads no more: closes the pipe that it writes to. */
  leave(): void;
}

/** What a command is run with besides its arguments. */
export interface CommandOptions {
  readonly env?: Readonly<Record<string, string>>;
  /** The folder that it runs in; default: that of this process. */
  readonly cwd?: string | undefined;
  /** All that it reads on standard input. Default: nothing, and the end. */
  readonly input?: string | Buffer;
  /** Whether its standard input stays open, for {@link RunningCommand.type}. */
  readonly open?: boolean;
}

/** Whether there is util-linux' `script`, which gives a command a terminal. */
export function hasTerminals(): boolean {
  return spawnSync('script', ['--version'], { encoding: 'utf8' }).stdout?.includes('util-linux') ?? false;
}

/** Runs `understudy` with nothing in its environment but what is given here. */
export function startCommand(args: readonly string[], options: CommandOptions = {}): RunningCommand {
  return start([...PROGRAM_COMMAND, ...args], options);
}

/** The same on a terminal of its own; both outputs are its standard output. */
export function startOnTerminal(args: readonly string[], options: CommandOptions = {}): RunningCommand {
  const quoted = [...PROGRAM_COMMAND, ...args].map((word) => `'${word.replaceAll("'", String.raw`'\''`)}'`).join(' ');
  const env = { TERM: 'xterm', SHELL: '/bin/sh', PATH: process.env['PATH'] ?? '', ...options.env };
  return start(['script', '-qefc', `exec ${quoted}`, '/dev/null'], { ...options, open: true, env });
}

/** Runs a command to its end. */
export async function runCommand(args: readonly string[], options: CommandOptions = {}): Promise<CommandResult> {
  return startCommand(args, options).ended;
}

/** Returns the environment that makes commands call a process. */
export async function addressOf(gateway: UnderstudyProcess): Promise<{ readonly UNDERSTUDY_ADDRESS: string }> {
  return { UNDERSTUDY_ADDRESS: (await gateway.doors).grpc };
}

function start(
  [program = '', ...args]: readonly string[],
  { env = {}, cwd, input, open }: CommandOptions,
): RunningCommand {
  const child = spawn(program, args, { env, cwd, stdio: 'pipe' });
  const output = { stdout: '', stderr: '' };
  const looks = new Set<() => void>();
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    output.stdout += text;
    for (const look of looks) look();
  });
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    output.stderr += text;
  });
  // A command may end without reading what it is given.
  child.stdin.on('error', () => {});
  if (open !== true) child.stdin.end(input);
  const ended = once(child, 'close').then((): CommandResult => {
    const { exitCode, signalCode } = child;
    return { status: exitCode ?? 128 + (signalCode === 'SIGINT' ? 2 : 15), ...output };
  });
  return {
    ended,
    printed: (text) =>
      new Promise((resolve, reject) => {
        const look = (): void => {
          if (output.stdout.includes(text)) resolve();
        };
        looks.add(look);
        look();
        void ended.then(() => reject(new Error(`it ended without ${text}: ${output.stdout}${output.stderr}`)));
      }),
    type: (text) => void child.stdin.write(text),
    kill: (signal) => void child.kill(signal),
    leave: () => void child.stdout.destroy(),
  };
}
