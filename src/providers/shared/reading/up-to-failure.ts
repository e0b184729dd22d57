import type { AdapterEvent } from '../../port/adapter.ts';

/** Returns events up to the first failure, which is the last that counts. */
export function upToFailure(events: readonly AdapterEvent[]): readonly AdapterEvent[] {
  const at = events.findIndex(({ type }) => type === 'failure');
  return at === -1 ? events : events.slice(0, at + 1);
}
