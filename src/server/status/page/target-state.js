/** @import { TargetSection } from '../shown-sections.ts' */
import { suspensionOf } from './reasons.js';

/** Fewer attempts than these within a minute say nothing of a target. */
const TELLING = 5;

/**
 * What share of the attempts of the last minute was answered, 0 to 1.
 *
 * @param {Pick<TargetSection, 'lastMinute' | 'failedLastMinute'>} target
 * @returns {number | undefined} undefined where there was none
 */
export function successOf({ lastMinute, failedLastMinute }) {
  return lastMinute === 0 ? undefined : 1 - failedLastMinute / lastMinute;
}

/**
 * How much is wrong with a target: 0 nothing, 1 in part or on purpose, 2 no call goes to it.
 *
 * @param {TargetSection} target
 * @returns {0 | 1 | 2}
 */
export function troubleOf(target) {
  const { isAvailable, suspendedReason, circuits, rateLimitedUntilMs } = target;
  if (!isAvailable) return suspendedReason === 'disabled' || suspendedReason === 'forced' ? 1 : 2;
  const isPartly = suspendedReason !== undefined || circuits.some(({ state }) => state !== 'CLOSED');
  return isPartly || isFailing(target) || rateLimitedUntilMs !== undefined ? 1 : 0;
}

/** @param {TargetSection} target @returns {boolean} */
function isFailing(target) {
  return target.lastMinute >= TELLING && (successOf(target) ?? 1) < 0.9;
}

/**
 * Says how a target is doing, and until when.
 *
 * @param {TargetSection} target
 * @returns {readonly ['ok' | 'warn' | 'bad' | 'off', string, (number | undefined)?]}
 */
export function stateOf(target) {
  const { isAvailable, suspendedReason, circuit, circuits, rateLimitedUntilMs, lastMinute, inFlight } = target;
  if (suspendedReason === 'disabled') return ['off', 'disabled'];
  if (suspendedReason === 'forced')
    return isAvailable ? ['warn', circuit === 'CLOSED' ? 'forced closed' : 'forced'] : ['bad', 'forced open'];
  if (suspendedReason !== undefined) return ['bad', suspensionOf(suspendedReason)];
  const open = circuits.filter(({ state }) => state === 'OPEN');
  const until = open.map(({ reopensAtMs = 0 }) => reopensAtMs).filter((at) => at > 0);
  const soonest = until.length === 0 ? undefined : Math.min(...until);
  if (!isAvailable) return ['bad', 'circuit open', soonest];
  if (open.length > 0) return ['warn', `${open.length} of ${circuits.length} circuits open`, soonest];
  if (circuit === 'HALF_OPEN') return ['warn', 'probing'];
  if (rateLimitedUntilMs !== undefined) return ['warn', 'rate limited', rateLimitedUntilMs];
  if (isFailing(target)) return [(successOf(target) ?? 1) < 0.5 ? 'bad' : 'warn', 'failing'];
  return ['ok', lastMinute === 0 && inFlight === 0 ? 'idle' : 'ok'];
}
