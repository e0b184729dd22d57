import type { Writable } from 'node:stream';

/** What may wait for a slow reader, in bytes; lines beyond it are dropped. */
const MAX_WAITING_BYTES = 8 * 1_048_576;

/**
 * Returns a function that writes whole lines, with their breaks, to a stream, such as standard output. It neither blocks, nor
 * fails, nor lets what waits grow without bound. `dropped` hears, when there is room again, how many lines were lost.
 */
export function createLineOutput(stream: Writable, dropped: (lines: number) => void): (lines: string) => void {
  let lost = 0;
  // Nobody is left to tell where the stream is broken; without a listener the process would die of it.
  stream.on('error', () => {});
  const report = (): void => {
    const lines = lost;
    lost = 0;
    dropped(lines);
  };
  return (lines) => {
    if (stream.writableLength + lines.length <= MAX_WAITING_BYTES) {
      stream.write(lines);
      return;
    }
    if (lost === 0) stream.once('drain', report);
    lost += countBreaks(lines);
  };
}

/** Resolves when all that was written to a stream has left the process, or never will because the stream is broken. */
export function allWritten(stream: Writable): Promise<void> {
  return new Promise((resolve) => {
    if (stream.writableLength === 0 || stream.destroyed) resolve();
    else stream.write('', () => resolve());
  });
}

function countBreaks(lines: string): number {
  return lines.split('\n').length - 1;
}
