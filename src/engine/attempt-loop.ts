import type { Call, CallResult, ChainEntry } from './call.ts';
import { clientCancelled, internalFault } from './classify.ts';
import type { RequestContext } from './request.ts';
import { Request } from './request.ts';
import type { Repeat } from './retry.ts';
import { decideRepeat } from './retry.ts';
import { nextRoundWaitMs } from './rounds.ts';
import type { Visit } from './visit.ts';

/** The attempt loop of the engine's rules: what of a request is tried, when, and how often. */
export class AttemptLoop<Output, Final> {
  readonly #call: Call<Output, Final>;
  readonly #context: RequestContext;
  readonly #request: Request<Output, Final>;
  /** Attempts on targets already tried (engine rule B3). */
  #repeats = 0;

  constructor(call: Call<Output, Final>, context: RequestContext) {
    this.#call = call;
    this.#context = context;
    this.#request = new Request(call, context);
  }

  /** Runs the request to its end. Call once; never rejects. */
  async run(): Promise<CallResult<Output, Final>> {
    const request = this.#request;
    const { signal } = this.#call;
    const cancel = (): void => {
      request.end(clientCancelled());
    };
    signal.addEventListener('abort', cancel, { once: true });
    if (signal.aborted) cancel();
    try {
      return (await this.#rounds()) ?? request.failed();
    } catch (error) {
      request.end(internalFault(error));
      return request.failed();
    } finally {
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
      if (waitMs === undefined) return undefined;
      await this.#request.wait(waitMs);
      if (visited) round++;
    }
    return undefined;
  }

  #roundWaitMs(round: number, visited: boolean): number | undefined {
    const { config, runtime } = this.#context;
    const { chain, time } = this.#request;
    const candidates = chain.candidates().map((entry) => ({
      lastClass: chain.failureOf(entry)?.class,
      unavailable: chain.unavailable(entry),
    }));
    const { remainingMs, minAttemptMs } = time;
    return nextRoundWaitMs(
      { round, visited, repeatsLeft: this.#repeatsLeft, remainingMs, minAttemptMs, candidates },
      config.retry,
      () => runtime.random(),
    );
  }

  /** One visit to a target: an attempt, and the repeats that the class table allows. */
  async #visit(entry: ChainEntry, later: readonly ChainEntry[]): Promise<CallResult<Output, Final> | undefined> {
    const request = this.#request;
    let counts = request.chain.failureOf(entry) !== undefined;
    if (counts && this.#repeatsLeft <= 0) return undefined;
    const visit = request.visit(entry, later);
    for (;;) {
      const admission = request.admit(visit);
      if (admission === undefined) return undefined;
      if (counts) this.#repeats++;
      const result = await request.attempt(visit, admission);
      if (result !== undefined || request.isOver) return result;
      const repeat = this.#repeat(visit);
      if (repeat === undefined) return undefined;
      counts = repeat.counts;
      if (counts) visit.repeats++;
      else visit.staleSocketReplaced = true;
      await request.wait(repeat.waitMs);
      if (request.isOver) return undefined;
    }
  }

  get #repeatsLeft(): number {
    return this.#context.config.retry.maxRepeats - this.#repeats;
  }

  #repeat(visit: Visit<Output, Final>): Repeat {
    const { config, runtime } = this.#context;
    const { chain, time } = this.#request;
    const failure = chain.failureOf(visit.entry);
    if (failure === undefined) return undefined;
    return decideRepeat(
      {
        failure,
        repeatsInVisit: visit.repeats,
        staleSocketReplaced: visit.staleSocketReplaced,
        repeatsLeft: this.#repeatsLeft,
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
