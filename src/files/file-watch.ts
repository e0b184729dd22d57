import { readFile, stat } from 'node:fs/promises';

import type { System } from '../core/ports.ts';
import { lookAtFiles, stateOfFiles, systemCode } from './file-looks.ts';

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
 * Watches a file, and reads it when nobody is writing it any more.
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
  let isStopped = false;
  let told: string | undefined = isFirstRead ? '' : undefined;
  let before: string | undefined;
  let isUnreadable = false;
  const look = async (): Promise<void> => {
    try {
      const now = await stateOfFiles([path]);
      told ??= now;
      if (now !== told && (now === before || told === '')) {
        const text = await readBounded(path);
        if ((await stateOfFiles([path])) === now && !isStopped) {
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
        events.unreadable(systemCode(error));
      }
      before = 'unreadable';
      told ??= 'unreadable';
    }
  };
  const stop = lookAtFiles(timers, look);
  return () => {
    isStopped = true;
    stop();
  };
}

async function readBounded(path: string): Promise<string> {
  const { size } = await stat(path);
  if (size > MOST_BYTES) throw Object.assign(new Error('too large'), { code: 'EFBIG' });
  return readFile(path, 'utf8');
}
