import type { System } from '../core/ports.ts';
import { lookAtFiles, stateOfFiles, systemCode } from './file-looks.ts';

/** Files that are watched together. */
export interface ChangeWatch {
  /** Watches these files from now on, given what each was when it was last read. */
  follow(states: ReadonlyMap<string, string>): void;
  stop(): void;
}

/**
 * Tells that some of its files are not what they were when they were read (other ones, gone, or there again), when two looks alike say
 * that nobody is writing them any more. The same change is told once.
 */
export function watchChanges(timers: Pick<System, 'setIdleTimer' | 'clearTimer'>, changed: () => void): ChangeWatch {
  let told: ReadonlyMap<string, string> = new Map();
  let before = '';
  const look = async (): Promise<void> => {
    const followed = told;
    const states = new Map<string, string>();
    await Promise.all([...followed.keys()].map(async (path) => states.set(path, await stateOf(path))));
    const now = [...followed.keys()].map((path) => states.get(path)).join(', ');
    const isQuiet = now === before;
    before = now;
    if (!isQuiet || followed !== told || [...followed].every(([path, state]) => states.get(path) === state)) return;
    told = states;
    changed();
  };
  const stop = lookAtFiles(timers, look);
  return {
    follow: (states) => {
      told = new Map(states);
    },
    stop,
  };
}

async function stateOf(path: string): Promise<string> {
  try {
    return await stateOfFiles([path]);
  } catch (error) {
    return systemCode(error);
  }
}
