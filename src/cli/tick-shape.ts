import { executionAsyncResource } from 'node:async_hooks';

/** For as long as the process lives. */
const kept: object[] = [];

/**
 * Keeps one of the objects that `process.nextTick` makes, and with it their shape: where a collection of all garbage finds none, V8 forgets it, and what was
 * compiled for it becomes ten times as slow (docs/adr/0053-one-tick-is-kept.md).
 *
 * @returns what is kept, from the next tick on
 */
export function keepTickShape(): readonly object[] {
  process.nextTick(() => kept.push(executionAsyncResource()));
  return kept;
}
