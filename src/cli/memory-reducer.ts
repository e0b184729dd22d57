import { setFlagsFromString } from 'node:v8';

/** V8 has 8,000. */
const DELAY_MS = 45_000;

/**
 * Has V8 reduce the memory of its heap when nothing was called for three quarters of a minute, in place of 8 s: with it go the optimized code of what
 * calls run through, and the room in which their garbage is cheap (docs/adr/0052-the-heap-shrinks-late.md).
 */
export function delayMemoryReducer(): void {
  setFlagsFromString(`--memory-reducer-delay-ms=${DELAY_MS}`);
}
