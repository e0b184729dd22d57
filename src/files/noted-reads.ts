import { readFileSync, statSync } from 'node:fs';

import { stateText, systemCode } from './file-looks.ts';

/** Reads files, and notes what they were just before, so that whoever watches them from then on misses nothing. */
export class NotedReads {
  /** By path; of a file that cannot be looked at, the code of the system's error. */
  readonly states = new Map<string, string>();

  /** Reads a file as text. Throws where it cannot. */
  readonly read = (path: string): string => {
    this.states.set(path, stateNow(path));
    return readFileSync(path, 'utf8');
  };
}

function stateNow(path: string): string {
  try {
    return stateText(statSync(path, { bigint: true }));
  } catch (error) {
    return systemCode(error);
  }
}
