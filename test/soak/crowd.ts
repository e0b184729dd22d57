import { fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';

/** Callers in a process of their own, each of which makes one call after the other. */
export interface Crowd {
  /** How many calls have ended with which gRPC status, to a second; `lost` where there was none. */
  readonly ends: () => Readonly<Record<string, number>>;
  /** Ends the process with what is under way. */
  leave(): Promise<void>;
}

const PROGRAM = fileURLToPath(new URL('crowd-process.ts', import.meta.url));

/**
 * Lets a crowd call Generate.
 *
 * @param address `host:port` of a gRPC door
 * @param callers how many there are
 * @param promptBytes how long their prompts are
 */
export function startCrowd(address: string, callers: number, promptBytes: number): Crowd {
  const child = fork(PROGRAM, [address, String(callers), String(promptBytes)]);
  let ends: Readonly<Record<string, number>> = {};
  child.on('message', (message) => {
    // What the process sends is its own type; the channel between processes has none.
    ends = message as Record<string, number>;
  });
  return {
    ends: () => ends,
    leave: async () => {
      const ended = once(child, 'exit');
      child.disconnect();
      await ended;
    },
  };
}
