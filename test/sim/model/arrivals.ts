import type { AttemptTiming } from '../../../src/engine/port/call.ts';
import type { ScriptEvent } from '../../support/upstream-scripts.ts';

/** What has come of a call before its first output (engine, "Timers"). */
export type Arrival = 'no_head' | 'head_alone' | 'sign_of_life';

/** Where heads come with the first output, one that comes later than this, in milliseconds, is no head alone. */
const HEAD_ALONE_BY_MS = 10_000;

/** What has come once an event has, so many milliseconds after the start of the attempt. */
export function arrivalAt(timing: AttemptTiming, before: Arrival, event: ScriptEvent, elapsedMs: number): Arrival {
  if (event.type === 'startup') return 'sign_of_life';
  if (event.type !== 'headers' || before === 'sign_of_life') return before;
  const comesWithWords = coldLimitMs(timing, 'head_alone') < coldLimitMs(timing, 'no_head');
  return comesWithWords && elapsedMs > HEAD_ALONE_BY_MS ? 'no_head' : 'head_alone';
}

/** The limit of the first output that counts without samples, in milliseconds from the start of the attempt. */
export function coldLimitMs(timing: AttemptTiming, arrival: Arrival): number {
  const { noHeadMs, headAloneMs, firstOutputMs } = timing;
  const limits = { no_head: noHeadMs, head_alone: headAloneMs, sign_of_life: firstOutputMs };
  return limits[arrival] ?? firstOutputMs;
}
