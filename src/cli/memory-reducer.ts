import { versions } from 'node:process';
import { setFlagsFromString } from 'node:v8';

import type { System } from '../core/ports.ts';

/** V8 has 8,000. */
const DELAY_MS = 30_000;
/** Behind it V8 has reduced what the start left. */
const START_MS = 15_000;
/** The first of Node's major versions whose V8 has the flag; an older one would complain of it on stderr. */
const FIRST_NODE = 26;

/**
 * Has V8 reduce the memory of its heap once nothing was called for half a minute, in place of 8 s: with it go the optimized code of what
 * calls run through, and the room in which their garbage is cheap (docs/adr/0052-the-heap-shrinks-late.md). Call it at the start. Does nothing in a Node before 26.
 *
 * @param version of Node; default: of this process
 */
export function delayMemoryReducer({ setIdleTimer }: Pick<System, 'setIdleTimer'>, version = versions.node): void {
  if (Number.parseInt(version, 10) < FIRST_NODE) return;
  setIdleTimer(START_MS, () => setFlagsFromString(`--memory-reducer-delay-ms=${DELAY_MS}`));
}
