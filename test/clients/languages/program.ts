import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';

import type { ConformanceProgram } from './recipes.ts';

/** What a program said of a case. */
export interface CaseReport {
  readonly ok: boolean;
  readonly detail: unknown;
  /** When it said that it has left a stream, by `performance.now()`. */
  readonly leftAtMs: number | undefined;
  /** From the report before, or the start, to this one, in milliseconds. */
  readonly tookMs: number;
}

/** Longest time between two lines. */
const MOST_SILENT_MS = 60_000;

/**
 * Runs the cases in one process, one after the other, and returns what it said of each. A case that says nothing for a minute is
 * ended, and the others behind it go on in a new process.
 */
export async function runCases(
  program: ConformanceProgram,
  names: readonly string[],
  env: Readonly<Record<string, string>>,
): Promise<ReadonlyMap<string, CaseReport>> {
  const reports = new Map<string, CaseReport>();
  let left = names;
  while (left.length > 0) {
    const end = await runSome(program, left, env, reports);
    const stuck = left.find((name) => !reports.has(name));
    if (stuck === undefined) break;
    reports.set(stuck, { ok: false, detail: end, leftAtMs: undefined, tookMs: 0 });
    left = left.slice(left.indexOf(stuck) + 1).filter((name) => !reports.has(name));
  }
  return reports;
}

/** Fills in what one process says; returns how it ended. */
async function runSome(
  { command: [file, ...args], cwd }: ConformanceProgram,
  names: readonly string[],
  env: Readonly<Record<string, string>>,
  reports: Map<string, CaseReport>,
): Promise<string> {
  const child = spawn(file, [...args, ...names], {
    cwd,
    env: { ...process.env, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const marks = new Map<string, number>();
  let errors = '';
  let isStuck = false;
  let lastAtMs = performance.now();
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    errors = `${errors}${text}`.slice(-2_000);
  });
  const kill = (): void => {
    isStuck = true;
    child.kill('SIGKILL');
  };
  const watch = setInterval(() => {
    if (performance.now() - lastAtMs > MOST_SILENT_MS) kill();
  }, 1_000);
  const lines = createInterface({ input: child.stdout });
  lines.on('line', (line) => {
    const now = performance.now();
    const said = parseLine(line);
    if (said === undefined || !names.includes(said.case)) return;
    if (said.mark !== undefined) {
      marks.set(said.case, now);
      return;
    }
    const { ok = false, detail = '' } = said;
    reports.set(said.case, { ok, detail, leftAtMs: marks.get(said.case), tookMs: now - lastAtMs });
    lastAtMs = now;
    // A program that has said everything and does not end holds something open that it should not.
    if (names.every((name) => reports.has(name))) setTimeout(kill, 30_000).unref();
  });
  const failed = new Promise<string>((resolve) => {
    child.once('error', (error) => resolve(error.message));
  });
  const ended = once(child, 'close').then(() => '');
  const failure = await Promise.race([failed, ended]);
  clearInterval(watch);
  lines.close();
  const last = names.at(-1);
  if (isStuck && last !== undefined && names.every((name) => reports.has(name))) {
    reports.set(last, { ok: false, detail: 'the program does not end', leftAtMs: undefined, tookMs: 0 });
  }
  if (failure !== '') return failure;
  return isStuck ? 'no line for a minute' : `ended with ${child.exitCode} and said nothing of it: ${errors.trim()}`;
}

interface Line {
  readonly case: string;
  readonly mark?: string;
  readonly ok?: boolean;
  readonly detail?: unknown;
}

function parseLine(line: string): Line | undefined {
  try {
    const value: unknown = JSON.parse(line);
    const isLine = typeof value === 'object' && value !== null && 'case' in value && typeof value.case === 'string';
    return isLine ? (value as Line) : undefined;
  } catch {
    return undefined;
  }
}
