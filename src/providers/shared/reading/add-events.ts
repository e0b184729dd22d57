import type { AdapterEvent } from '../../port/adapter.ts';

/** Adds events to those of the same piece of an answer, however many there are. */
export function addEvents(events: AdapterEvent[], more: readonly AdapterEvent[]): void {
  for (const event of more) events.push(event);
}
