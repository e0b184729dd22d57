import type { RefusedEntry } from '../policy/when-refused.ts';
import { decideWhenRefused } from '../policy/when-refused.ts';
import type { ChainEntry } from '../port/call.ts';
import type { Request } from './request.ts';

/** What is left to a request that no entry is left for which could be asked or comes back by itself. */
export type LastResort =
  /** An entry that may be asked ahead of the time of its circuit, in this turn. */
  | { readonly ahead: ChainEntry }
  /** The time after which everything is looked at again, in milliseconds. */
  | { readonly waitMs: number };

/** The way of one request through chains of which every circuit that is left is open (engine rule K9). */
export class OpenChain<Output, Final> {
  readonly #request: Request<Output, Final>;
  /** Attempts that the request had made when it waited last. */
  #attemptsBefore = 0;
  /** For how long it has waited for open circuits, in milliseconds. */
  #waitedMs = 0;
  /** The entry that was offered last, and the attempts made then; where no more follow it is of no use. */
  #offered: { readonly entry: ChainEntry; readonly attempts: number } | undefined;
  readonly #useless: ChainEntry[] = [];

  constructor(request: Request<Output, Final>) {
    this.#request = request;
  }

  /** Returns what is left; undefined where nothing is. */
  next(): LastResort | undefined {
    const { context, time, trail } = this.#request;
    if (context.drain.hasBegun) return undefined;
    if (this.#offered?.attempts === trail.attempts) this.#useless.push(this.#offered.entry);
    this.#offered = undefined;
    const decision = decideWhenRefused(
      {
        refused: this.#refused(),
        isFresh: trail.attempts === this.#attemptsBefore,
        waitedMs: this.#waitedMs,
        remainingMs: time.remainingMs,
        minAttemptMs: time.minAttemptMs,
        isCrowded: context.admission.isHalfTaken,
      },
      context.config.retry,
      () => context.runtime.random(),
    );
    switch (decision.kind) {
      case 'AHEAD':
        this.#offered = { entry: decision.entry.entry, attempts: trail.attempts };
        return { ahead: decision.entry.entry };
      case 'LOOK_AGAIN':
        this.#waitedMs += decision.waitMs;
        this.#attemptsBefore = trail.attempts;
        return { waitMs: decision.waitMs };
      case 'GIVE_UP':
        return undefined;
    }
  }

  #refused(): readonly (RefusedEntry & { readonly entry: ChainEntry })[] {
    const { allowance, chain } = this.#request;
    return chain.candidates(allowance).flatMap((entry) => {
      const circuit = chain.refusingAlone(entry);
      if (circuit === undefined || this.#useless.includes(entry)) return [];
      const { outage, successShare } = circuit;
      return [
        {
          entry,
          wasTried: chain.failureOf(entry) !== undefined,
          mayRepeat: allowance.mayRepeat(entry),
          allowsAhead: outage.allowsAhead,
          successShare,
          openForMs: outage.ageMs,
          isLively: outage.isLively,
        },
      ];
    });
  }
}
