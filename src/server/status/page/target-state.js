/** @import { TargetSection } from '../shown-sections.ts' */
import { suspensionOf } from './reasons.js';

/**
 * How much is wrong with a target: 0 nothing, 1 in part, 2 no call goes to it.
 *
 * @param {TargetSection} target
 * @returns {0 | 1 | 2}
 */
export function troubleOf({ isAvailable, suspendedReason, circuits, rateLimitedUntilMs, lastMinute, successRate }) {
  if (!isAvailable) return 2;
  const isPartly = suspendedReason !== undefined || circuits.some(({ state }) => state !== 'CLOSED');
  const isFailing = lastMinute >= 5 && successRate !== undefined && successRate < 0.9;
  return isPartly || isFailing || rateLimitedUntilMs !== undefined ? 1 : 0;
}

/**
 * Says how a target is doing, and until when.
 *
 * @param {TargetSection} target
 * @returns {readonly ['ok' | 'warn' | 'bad' | 'off', string, (number | undefined)?]}
 */
export function stateOf({
  isAvailable,
  suspendedReason,
  circuit,
  circuits,
  rateLimitedUntilMs,
  lastMinute,
  successRate,
  inFlight,
}) {
  if (suspendedReason === 'disabled') return ['off', 'disabled'];
  if (suspendedReason === 'forced') return isAvailable ? ['warn', 'forced'] : ['bad', 'forced open'];
  if (suspendedReason !== undefined) return ['bad', suspensionOf(suspendedReason)];
  const open = circuits.filter(({ state }) => state === 'OPEN');
  const until = open.map(({ reopensAtMs = 0 }) => reopensAtMs).filter((at) => at > 0);
  const soonest = until.length === 0 ? undefined : Math.min(...until);
  if (!isAvailable) return ['bad', 'circuit open', soonest];
  if (open.length > 0) return ['warn', `${open.length} of ${circuits.length} circuits open`, soonest];
  if (circuit === 'HALF_OPEN') return ['warn', 'probing'];
  if (rateLimitedUntilMs !== undefined) return ['warn', 'rate limited', rateLimitedUntilMs];
  if (lastMinute >= 5 && successRate !== undefined && successRate < 0.9) return ['warn', 'failing'];
  return ['ok', lastMinute === 0 && inFlight === 0 ? 'idle' : 'ok'];
}
