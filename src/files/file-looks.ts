import type { BigIntStats } from 'node:fs';
import { stat } from 'node:fs/promises';

import type { System } from '../core/ports.ts';

/** How often files are looked at, in milliseconds; two looks alike say that nobody is writing them. */
const LOOK_MS = 200;

/**
 * Returns a text that changes with any of the files: what they are (device, inode, size, times), whatever stands on the way to them. So a
 * link that is changed, a rename and a network's file system are noticed like a write (`fs.watch` loses its file with the first rename,
 * and hears nothing of the others). Rejects where one cannot be looked at.
 */
export async function stateOfFiles(paths: readonly string[]): Promise<string> {
  return (await Promise.all(paths.map(stateOf))).join(', ');
}

async function stateOf(path: string): Promise<string> {
  return stateText(await stat(path, { bigint: true }));
}

/** Returns what a file is, as {@link stateOfFiles} tells it. */
export function stateText({ dev, ino, size, mtimeNs, ctimeNs }: BigIntStats): string {
  return [dev, ino, size, mtimeNs, ctimeNs].join(' ');
}

/** Returns the code of the system's error, such as ENOENT. */
export function systemCode(error: unknown): string {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : 'unknown';
}

/** When files are looked at; milliseconds. */
export interface LookTimes {
  readonly firstInMs: number;
  readonly everyMs: number;
}

/**
 * Looks at files again and again, one look at a time, by timers that do not keep the process alive.
 *
 * @param look rejects never
 * @returns how to stop
 */
export function lookAtFiles(
  timers: Pick<System, 'setIdleTimer' | 'clearTimer'>,
  look: () => Promise<void>,
  { firstInMs, everyMs }: LookTimes = { firstInMs: 0, everyMs: LOOK_MS },
): () => void {
  let timer: ReturnType<typeof timers.setIdleTimer> | undefined;
  let isStopped = false;
  const next = async (): Promise<void> => {
    await look();
    if (!isStopped) timer = timers.setIdleTimer(everyMs, () => void next());
  };
  if (firstInMs === 0) void next();
  else timer = timers.setIdleTimer(firstInMs, () => void next());
  return () => {
    isStopped = true;
    if (timer !== undefined) timers.clearTimer(timer);
  };
}
