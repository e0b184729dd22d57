import type { AttemptSink } from '../core/ports.ts';
import type { PlanRequest } from '../server/port/gateway-port.ts';

/** More than any provider gives: what is beyond is no number to reckon with. */
const MOST = 1_000_000;

/**
 * Returns how many answers a provider is asked for at once, by the caller's own field of its API (`n`), from 1 to a million: all are paid, and
 * the first is read. Servers written in Python take a text for a number, as Python reads one.
 */
export function askedChoices({ options }: Pick<PlanRequest, 'options'>, provider: string): number {
  const asked = options?.providerOptions[provider]?.['n'];
  const count = typeof asked === 'string' ? Number(asked.replaceAll('_', '')) : asked;
  return typeof count === 'number' && count > 1 ? Math.min(Math.ceil(count), MOST) : 1;
}

/** Counts with each piece of an answer what comes of the other choices meanwhile, which nobody reads: as much again for each. */
export function countingChoices<Output, Final>(
  choices: number,
  sink: AttemptSink<Output, Final>,
): AttemptSink<Output, Final> {
  if (choices === 1) return sink;
  return (event) => sink(event.type === 'output' ? { ...event, bytes: event.bytes * choices } : event);
}
