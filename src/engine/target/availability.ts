import type { FailureReason } from '../../core/failure.ts';
import type { ChainEntry, TokenEstimate } from '../port/call.ts';
import type { CircuitBreaker } from './circuit-breaker.ts';
import type { ConcurrencyLimit } from './concurrency.ts';
import type { Cooldown } from './cooldown.ts';
import type { OperatorSwitch } from './operator-switch.ts';
import type { Pacing } from './pacing.ts';

/** What an operator has opened is asked about again after so many milliseconds. */
const FORCED_OPEN_MS = 60_000;
/** How often a full target is looked at again by a request that waits for it, in milliseconds (engine rule L1). */
const FULL_POLL_MS = 50;

/** Why no call may go to an entry now, and for how many milliseconds. */
export interface Unavailable {
  readonly reason: FailureReason;
  readonly forMs: number;
}

/** What of a target bears on whether it may be called. */
export interface AvailabilityParts {
  readonly operator: OperatorSwitch;
  readonly cooldown: Cooldown;
  readonly pacing: Pacing;
  /** Under which the limits of the model are kept. */
  readonly paceKey: string;
  /** Absent: nothing was called yet, so that the circuit is closed. */
  readonly breaker: CircuitBreaker | undefined;
  readonly concurrency: ConcurrencyLimit;
  readonly inFlight: number;
}

/**
 * Returns why a target may not be called now with so many tokens; undefined where it may. In this order: what an operator wants,
 * suspensions and cooldowns, the rate limits that headers tell, the circuit, the slots (engine, "State machines"). What a request
 * itself has against an entry is decided in `request/admit.ts`.
 * @param isAhead whether the circuit is left out: what it refuses may go ahead of its time (engine rule K9)
 */
export function whyUnavailable(
  { operator, cooldown, pacing, paceKey, breaker, concurrency, inFlight }: AvailabilityParts,
  { circuit, model }: ChainEntry,
  tokens: TokenEstimate,
  isAhead: boolean,
): Unavailable | undefined {
  const wish = operator.of(circuit, model);
  if (wish === 'OPEN' || wish === 'DISABLED') return { reason: 'CIRCUIT_OPEN', forMs: FORCED_OPEN_MS };
  const refusal = cooldown.refusal(model);
  if (refusal !== undefined) return refusal;
  const waitMs = pacing.waitMs(paceKey, tokens);
  if (waitMs > 0) return { reason: 'PROVIDER_RATE_LIMITED', forMs: waitMs };
  const forMs = isAhead || wish === 'CLOSED' ? 0 : (breaker?.refusesForMs() ?? 0);
  if (forMs > 0) return { reason: 'CIRCUIT_OPEN', forMs };
  return concurrency.isFull(inFlight) ? { reason: 'OVERLOADED', forMs: FULL_POLL_MS } : undefined;
}

/**
 * Whether it is worth waiting for an entry: a rate limit ends; an open circuit has rules of its own (K9), and a
 * suspension is for the next request to try.
 */
export function comesBack(unavailable: Unavailable | undefined): boolean {
  return unavailable === undefined || unavailable.reason === 'PROVIDER_RATE_LIMITED';
}
