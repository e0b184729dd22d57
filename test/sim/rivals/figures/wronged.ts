import type { CallFacts } from '../../sim-call.ts';
import type { History, Story } from '../live.ts';
import type { Scenario } from '../scenario.ts';

/** Failures count for as long, so that what a target did may be held against it for a minute. */
const REMEMBERED_MS = 60_000;

/** Returns how many calls to targets that were well a policy ended before they were complete, its callers still waiting. */
export function leftThoughWell({ stories }: History): number {
  return stories.flatMap((story) => story.calls.filter((call) => isLeft(story, call))).length;
}

function isLeft({ asked, cancelledAtMs, triesAtMs }: Story, call: CallFacts): boolean {
  const { plan, closedBy, closedAtMs, sawTerminal, openedAtMs } = call;
  if (plan.fault !== undefined || closedBy !== 'abort' || sawTerminal || closedAtMs === undefined) return false;
  if (cancelledAtMs !== undefined && closedAtMs >= cancelledAtMs) return false;
  const timeoutMs = asked.timeoutMs ?? Number.POSITIVE_INFINITY;
  const tryAtMs = triesAtMs.findLast((atMs) => atMs <= openedAtMs) ?? asked.atMs;
  return closedAtMs < tryAtMs + timeoutMs - wayHomeMs(timeoutMs);
}

/** Who ends a call so shortly before its deadline does it for the deadline. */
function wayHomeMs(timeoutMs: number): number {
  return Math.max(100, 0.02 * timeoutMs);
}

/**
 * Returns for how many milliseconds a policy held targets off, summed over them, that had neither a fault nor a call that went wrong
 * with them (also because they were full), then or in the minute before; undefined where it holds nobody off, ever.
 */
export function heldOffThoughWellMs({ tape }: Scenario, { heldOff, stories }: History): number | undefined {
  if (heldOff === undefined) return undefined;
  const spoilt = stories
    .flatMap(({ calls }) => calls)
    .filter(({ plan }) => plan.fault !== undefined)
    .map(({ target, openedAtMs, closedAtMs }) => ({ target, fromMs: openedAtMs, toMs: closedAtMs ?? openedAtMs }));
  const reasons = [...tape.faults, ...spoilt];
  return heldOff
    .filter(
      (held) =>
        !reasons.some(
          ({ target, fromMs, toMs }) =>
            target === held.target && fromMs <= held.fromMs && held.fromMs < toMs + REMEMBERED_MS,
        ),
    )
    .reduce((sum, { fromMs, toMs }) => sum + toMs - fromMs, 0);
}
