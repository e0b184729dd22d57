import type { Affinity } from '../../../src/engine/port/affinity.ts';
import type { ChainEntry, Serving } from '../../../src/engine/port/call.ts';

/** So long is a conversation remembered that nobody answers, in milliseconds (engine rule A6). */
const IDLE_MS = 3_600_000;

interface Answer {
  readonly affinity: Affinity;
  readonly entry: Pick<ChainEntry, 'target' | 'model'>;
  readonly atMs: number;
}

/** All answers of all conversations in a plain list, and what follows from it (engine rule A6). Not bounded. */
export class AffinityModel {
  readonly #answers: Answer[] = [];

  /** Who gave the last answer of a conversation; undefined where nobody did in the last hour. */
  last(asked: Affinity | undefined, nowMs: number): Answer | undefined {
    const last = asked && this.#answers.findLast(({ affinity }) => affinity.key === asked.key);
    return last !== undefined && nowMs - last.atMs < IDLE_MS ? last : undefined;
  }

  /** The order in which a request is to try its entries. */
  order(affinity: Affinity | undefined, entries: readonly ChainEntry[], nowMs: number): readonly ChainEntry[] {
    const last = this.last(affinity, nowMs);
    if (affinity === undefined || last === undefined) return entries;
    const isOverruled = affinity.wish !== '' && affinity.wish !== last.affinity.wish;
    const rank = ({ target, model }: ChainEntry): number => {
      if (isOverruled || target !== last.entry.target) return 2;
      return model === last.entry.model ? 0 : 1;
    };
    const [first] = entries.toSorted((one, other) => rank(one) - rank(other));
    return first === undefined ? entries : [first, ...entries.filter((entry) => entry !== first)];
  }

  answered(affinity: Affinity | undefined, { target, requestedModel }: Serving, atMs: number): void {
    if (affinity !== undefined) this.#answers.push({ affinity, entry: { target, model: requestedModel }, atMs });
  }
}
