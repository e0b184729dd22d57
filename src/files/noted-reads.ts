import { readFileSync, statSync } from 'node:fs';

import { stateText, systemCode } from './file-looks.ts';

/** Reads files, and notes what they were just before, so that whoever watches them from then on misses nothing. */
export class NotedReads {
  /** By path; of a file that cannot be looked at, the code of the system's error. Pipes and the like are not among them. */
  readonly states = new Map<string, string>();
  readonly #isAgain: boolean;

  /** @param isAgain whether this has been read before: of a pipe nothing would be left, and who waits for it waits for ever */
  constructor(isAgain = false) {
    this.#isAgain = isAgain;
  }

  /** Reads a file as text. Throws where it cannot, with the code NOT_A_FILE where it is read again and is none. */
  readonly read = (path: string): string => {
    const state = stateNow(path);
    if (state !== undefined) this.states.set(path, state);
    else if (this.#isAgain) throw Object.assign(new Error('no file that can be read again'), { code: 'NOT_A_FILE' });
    return readFileSync(path, 'utf8');
  };
}

/** Returns undefined where there is something that is no file. */
function stateNow(path: string): string | undefined {
  try {
    const stats = statSync(path, { bigint: true });
    return stats.isFile() ? stateText(stats) : undefined;
  } catch (error) {
    return systemCode(error);
  }
}
