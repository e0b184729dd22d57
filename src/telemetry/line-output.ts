import type { Writable } from 'node:stream';

/** What may wait for a slow reader, in bytes; lines beyond it are dropped. */
const MAX_WAITING_BYTES = 8 * 1_048_576;

/** A stream that takes lines and neither blocks, nor fails, nor grows without bound. */
export interface LineOutput {
  write(line: string): void;
}

/**
 * Writes lines to a stream, such as standard output. `dropped` hears, when there is room again, how many lines were lost.
 *
 * Not pino's own destination: its flush at exit tries for ever where the disk is full or the reader gone (sonic-boom 4.2).
 */
export function createLineOutput(stream: Writable, dropped: (lines: number) => void): LineOutput {
  let lost = 0;
  // Nobody is left to tell where the stream is broken; without a listener the process would die of it.
  stream.on('error', () => {});
  const report = (): void => {
    const lines = lost;
    lost = 0;
    dropped(lines);
  };
  return {
    write: (line) => {
      if (stream.writableLength + line.length <= MAX_WAITING_BYTES) {
        stream.write(line);
        return;
      }
      if (lost === 0) stream.once('drain', report);
      lost += 1;
    },
  };
}
