import type { Slot } from './admission-queue.ts';
import { longestSlotWaitMs } from './admission-queue.ts';
import type { Call, CallResult, ChainEntry, Repair } from '../port/call.ts';
import { clientCancelled, internalFault } from '../port/failures.ts';
import type { RequestContext } from './request.ts';
import { Request } from './request.ts';
import type { Repeat } from '../policy/retry.ts';
import { decideRepeat } from '../policy/retry.ts';
import { nextRoundWaitMs } from '../policy/rounds.ts';
import type { Visit } from './visit.ts';

/** The attempt loop of the engine's rules: what of a request is tried, when, and how often. */
export class AttemptLoop<Output, Final> {
  readonly #call: Call<Output, Final>;
  readonly #context: RequestContext;
  readonly #request: Request<Output, Final>;
  /** Until when, since the beginning, full targets are waited for. */
  #slotWaitUntilMs: number | undefined;

  constructor(call: Call<Output, Final>, context: RequestContext) {
    this.#call = call;
    this.#context = context;
    this.#request = new Request(call, context);
  }

  /** Runs the request to its end. Call once; never rejects. */
  async run(): Promise<CallResult<Output, Final>> {
    const request = this.#request;
    const { admission, drain } = this.#context;
    const { signal } = this.#call;
    const cancel = (): void => {
      request.end(clientCancelled());
    };
    signal.addEventListener('abort', cancel, { once: true });
    if (signal.aborted) cancel();
    const place = drain.onBegin(() => {
      request.drain();
    });
    let slot: Slot | undefined;
    try {
      const entered = request.isOver ? undefined : admission.enter(request.time.remainingMs, signal);
      const outcome = entered instanceof Promise ? await entered : entered;
      if (outcome !== undefined && 'release' in outcome) slot = outcome;
      else if (outcome !== undefined) request.end(outcome);
      return (await this.#rounds()) ?? request.failed();
    } catch (error) {
      request.end(internalFault(error));
      return request.failed();
    } finally {
      slot?.release();
      drain.forget(place);
      signal.removeEventListener('abort', cancel);
      request.close();
    }
  }

  async #rounds(): Promise<CallResult<Output, Final> | undefined> {
    const { chain, trail } = this.#request;
    for (let round = 0; !this.#request.isOver;) {
      const attemptsBefore = trail.attempts;
      const turns = chain.candidates();
      for (const [index, entry] of turns.entries()) {
        const result = await this.#visit(entry, turns.slice(index + 1));
        if (result !== undefined || this.#request.isOver) return result;
      }
      const visited = trail.attempts > attemptsBefore;
      const waitMs = this.#roundWaitMs(round, visited);
      if (waitMs === undefined || this.#context.drain.hasBegun) return undefined;
      await this.#request.wait(waitMs);
      if (this.#context.drain.hasBegun) return undefined;
      if (visited) round++;
    }
    return undefined;
  }

  #roundWaitMs(round: number, visited: boolean): number | undefined {
    const { config, runtime } = this.#context;
    const { allowance, chain, time } = this.#request;
    const candidates = chain.candidates().map((entry) => ({
      lastClass: chain.failureOf(entry)?.class,
      mayRepeat: allowance.mayRepeat(entry),
      unavailable: chain.unavailable(entry),
    }));
    const { remainingMs, minAttemptMs } = time;
    const isFull = candidates.some(({ unavailable }) => unavailable?.reason === 'OVERLOADED');
    const slotWaitMs = isFull ? this.#slotWaitMs() : 0;
    return nextRoundWaitMs({ round, visited, remainingMs, minAttemptMs, slotWaitMs, candidates }, config.retry, () =>
      runtime.random(),
    );
  }

  /** A full target is waited for like a slot of the engine's own, counted from the first time (engine rules A2, L1). */
  #slotWaitMs(): number {
    const { elapsedMs, remainingMs } = this.#request.time;
    this.#slotWaitUntilMs ??= elapsedMs + longestSlotWaitMs(this.#context.config.admission, remainingMs);
    return this.#slotWaitUntilMs - elapsedMs;
  }

  /** One visit to a target: an attempt, and the repeats that the class table allows. */
  async #visit(entry: ChainEntry, later: readonly ChainEntry[]): Promise<CallResult<Output, Final> | undefined> {
    const request = this.#request;
    const { allowance } = request;
    let counts = request.chain.failureOf(entry) !== undefined;
    const visit = request.visit(entry, later);
    for (;;) {
      // Others may have used the budget up during a wait.
      if (counts && !allowance.mayRepeat(entry)) return undefined;
      const admission = request.admit(visit);
      if (admission === undefined) return undefined;
      const isRestart = allowance.attempt(entry, counts);
      const result = await request.attempt(visit, admission, isRestart ? 'RESTART' : undefined);
      if (result !== undefined || request.isOver) return result;
      const repair = request.spoiled.takeRepair();
      if (repair !== undefined) return this.#mend(entry, later, repair);
      const repeat = this.#repeat(visit);
      if (repeat === undefined) return undefined;
      counts = repeat.counts;
      if (counts) visit.repeats++;
      else visit.staleSocketReplaced = true;
      await request.wait(repeat.waitMs);
      if (request.isOver) return undefined;
    }
  }

  /** One further attempt, on the same target, at an answer that is not what was asked for. */
  async #mend(
    entry: ChainEntry,
    later: readonly ChainEntry[],
    repair: Repair<Output, Final>,
  ): Promise<CallResult<Output, Final> | undefined> {
    const request = this.#request;
    const visit = request.visit(entry, later);
    const admission = request.admit(visit, repair);
    if (admission === undefined) return request.spoiled.tolerated;
    request.allowance.attempt(entry, true);
    const result = await request.attempt(visit, admission, 'REPAIR');
    return result ?? (request.isDecided ? undefined : request.spoiled.tolerated);
  }

  #repeat(visit: Visit<Output, Final>): Repeat {
    const { config, runtime } = this.#context;
    const { allowance, chain, time } = this.#request;
    const failure = chain.failureOf(visit.entry);
    if (failure === undefined || this.#context.drain.hasBegun) return undefined;
    return decideRepeat(
      {
        failure,
        repeatsInVisit: visit.repeats,
        staleSocketReplaced: visit.staleSocketReplaced,
        mayRepeat: allowance.mayRepeat(visit.entry),
        brokeOff: visit.brokeOff,
        anotherIsAvailable: chain.hasOtherThan(visit.entry),
        unavailable: chain.unavailable(visit.entry),
        sliceMs: visit.sliceMs,
        minAttemptMs: time.minAttemptMs,
      },
      config.retry,
      () => runtime.random(),
    );
  }
}
