import type { PendingClaim } from '../../core/ports.ts';
import type { Failure } from '../../core/failure.ts';
import { leaseMs } from '../attempt/probe-output.ts';
import type { ChainEntry, Prepared, Repair } from '../port/call.ts';
import { localRefusal, shuttingDown } from '../port/failures.ts';
import type { Unavailable } from '../target/availability.ts';
import type { Permit } from '../port/permit.ts';
import { paced } from '../target/pacing.ts';
import { translated } from './chain.ts';
import type { Request } from './request.ts';
import type { Visit, VisitLimits } from './visit.ts';

/** An attempt that may be made now. */
export interface ReadyAttempt<Output, Final> {
  readonly prepared: Prepared<Output, Final>;
  /** How it is begun. */
  readonly paced: Pick<Prepared<Output, Final>, 'open'>;
  readonly permit: Permit;
  readonly limits: VisitLimits;
}

/** An attempt that somebody wants to make. */
export interface AskedAttempt<Output, Final> {
  readonly visit: Visit<Output, Final>;
  /** Whether its entry was tried before. */
  readonly isRepeat: boolean;
  /** Makes the attempt that mends the entry's last answer; undefined for the entry's own. */
  readonly repair: Repair<Output, Final> | undefined;
  /** Whether it may go ahead of the time of its circuit (engine rule K9). */
  readonly isAhead: boolean;
}

/** An attempt that waits for leave. */
export interface ClaimedAttempt<Output, Final> {
  readonly claimed: Prepared<Output, Final>;
  readonly claim: PendingClaim;
}

/**
 * Whether an entry may be called now, in this order: the repeats of the request, whether the target is available, time, whether
 * the call can be translated, whether the target is available for a call of its size, whether there is leave for what it may cost
 * (class C22), and the circuit's permit, which must be used in the same turn (engine rule B4). Without a failure of its own, undefined means that the visit is over.
 *
 * @param claimed what has leave already; what is refused all the same, the caller of this must give back
 */
export function admit<Output, Final>(
  request: Request<Output, Final>,
  { visit, isRepeat, repair, isAhead }: AskedAttempt<Output, Final>,
  claimed?: Prepared<Output, Final>,
): ReadyAttempt<Output, Final> | ClaimedAttempt<Output, Final> | Failure | undefined {
  const { allowance, chain, context, time, trail } = request;
  const { entry } = visit;
  // Others may have used the budget up during a wait.
  if (isRepeat && !allowance.mayRepeat(entry)) return undefined;
  const why = (): Unavailable | undefined =>
    isAhead && chain.refusingAlone(entry) !== undefined ? undefined : chain.unavailable(entry);
  const unavailable = why();
  if (unavailable !== undefined) return refusal(unavailable);
  // The first attempt of a request is never skipped for time (engine rule B3).
  const isFirst = trail.attempts === 0;
  if (!isFirst && (visit.sliceMs < time.minAttemptMs || lacksTime(request, entry))) {
    return localRefusal('DEADLINE', 'No time was left for this target.');
  }
  const prepared = claimed ?? (repair === undefined ? chain.prepare(entry) : translated(repair));
  if (!('open' in prepared)) return prepared;
  const tooLarge = why();
  if (tooLarge !== undefined) return refusal(tooLarge);
  const leave = claimed === undefined ? prepared.claim?.(time.remainingMs) : undefined;
  if (leave !== undefined) return 'class' in leave ? leave : { claimed: prepared, claim: leave };
  const limits = visit.limits(prepared.timing);
  const state = context.stateOf(entry);
  const permit = state.acquire(entry, leaseMs(limits.firstOutputMs, prepared.timing, context.config), isAhead);
  if (permit === undefined) {
    if (claimed === undefined) prepared.giveBack?.();
    return refusal({ reason: 'CIRCUIT_OPEN' });
  }
  return { prepared, paced: paced(prepared, state.pacing, state.circuits.keyOf(entry)), permit, limits };
}

/** Waits for the leave of an attempt and looks anew whether it may be made, as `admit` does. */
export async function admitWithLeave<Output, Final>(
  request: Request<Output, Final>,
  { claimed, claim }: ClaimedAttempt<Output, Final>,
  asked: AskedAttempt<Output, Final>,
): Promise<ReadyAttempt<Output, Final> | Failure | undefined> {
  const refused = await request.granted(claim);
  const { hasBegun } = request.context.drain;
  const ready = refused === undefined && !request.isOver && !hasBegun ? admit(request, asked, claimed) : undefined;
  if (ready !== undefined && 'permit' in ready) return ready;
  if (refused === undefined) claimed.giveBack?.();
  if (request.isOver) return undefined;
  if (hasBegun) return shuttingDown();
  return ready !== undefined && 'class' in ready ? ready : refused;
}

/** Whether too little time is left for an entry: behind an answer that was thrown away it must be all that it needs (engine rule U3). */
export function lacksTime<Output, Final>(
  { chain, startsAfresh, time }: Request<Output, Final>,
  entry: ChainEntry,
): boolean {
  return startsAfresh && chain.couldServe(entry) && chain.needMs(entry) > time.remainingMs;
}

function refusal({ reason, forMs }: Pick<Unavailable, 'reason'> & Partial<Unavailable>): Failure {
  return localRefusal(reason, 'The target is not available now.', forMs);
}
