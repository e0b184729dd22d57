import { fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';

/** Callers in a process of their own, each of which makes one call after the other. */
export interface Crowd {
  /** Resolves when each of them has had an answer. */
  readonly served: Promise<void>;
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
  const served = Promise.withResolvers<void>();
  child.on('message', (message) => {
    // What the process sends is its own type; the channel between processes has none.
    const told = message as { readonly ends: Record<string, number>; readonly waiting: number };
    ends = told.ends;
    if (told.waiting === 0) served.resolve();
  });
  return {
    served: served.promise,
    ends: () => ends,
    leave: async () => {
      const ended = once(child, 'exit');
      child.disconnect();
      await ended;
    },
  };
}
