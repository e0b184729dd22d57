import { readFile, stat } from 'node:fs/promises';

import type { System } from '../../core/ports.ts';

/** How often a file is looked at, in milliseconds; two looks alike say that nobody is writing it. */
const LOOK_MS = 200;

/** Longest file that is read, in bytes. */
const MOST_BYTES = 64 * 1024 * 1024;

/** What a watch tells. */
export interface FileWatchEvents {
  /** The file has changed, or is there again; what is thrown is the watched one's to catch. */
  changed(text: string): void;
  /** It cannot be read any more, with the code of the system; once until it can. */
  unreadable(code: string): void;
}

/**
 * Watches a file by looking at it: what it is (device, inode, size, times), whatever stands on the way to it. So a link that is changed, a
 * rename and a network's file system are noticed like a write (`fs.watch` loses its file with the first rename, and hears nothing of the
 * others).
 *
 * @param isFirstRead whether the first state is told as well
 * @returns how to stop
 */
export function watchFile(
  path: string,
  timers: Pick<System, 'setIdleTimer' | 'clearTimer'>,
  events: FileWatchEvents,
  isFirstRead = false,
): () => void {
  let timer: ReturnType<typeof timers.setIdleTimer> | undefined;
  let isStopped = false;
  let told: string | undefined = isFirstRead ? '' : undefined;
  let before: string | undefined;
  let isUnreadable = false;
  const look = async (): Promise<void> => {
    try {
      const now = await stateOf(path);
      told ??= now;
      if (now !== told && (now === before || told === '')) {
        const text = await readFile(path, 'utf8');
        if ((await stateOf(path)) === now && !isStopped) {
          told = now;
          events.changed(text);
        }
      }
      isUnreadable = false;
      before = now;
    } catch (error) {
      // A rename may leave a moment without a file.
      if (!isUnreadable && before === 'unreadable' && !isStopped) {
        isUnreadable = true;
        events.unreadable(codeOf(error));
      }
      before = 'unreadable';
      told ??= 'unreadable';
    }
    if (!isStopped) timer = timers.setIdleTimer(LOOK_MS, () => void look());
  };
  void look();
  return () => {
    isStopped = true;
    if (timer !== undefined) timers.clearTimer(timer);
  };
}

async function stateOf(path: string): Promise<string> {
  const { dev, ino, size, mtimeNs, ctimeNs } = await stat(path, { bigint: true });
  if (size > MOST_BYTES) throw Object.assign(new Error('too large'), { code: 'EFBIG' });
  return [dev, ino, size, mtimeNs, ctimeNs].join(' ');
}

function codeOf(error: unknown): string {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : 'unknown';
}
