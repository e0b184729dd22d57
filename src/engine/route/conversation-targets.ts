import type { FailureReason } from '../../core/failure.ts';
import { hash53 } from '../../core/text-hash.ts';
import type { Affinity, MovedConversation } from '../port/affinity.ts';
import type { AttemptRecord, ChainEntry } from '../port/call.ts';

/** So many conversations are remembered; of more, those are forgotten whose last answer is the oldest (engine rule A6). */
export const MAX_CONVERSATIONS = 10_000;
/** A conversation without an answer for so many milliseconds is forgotten: no provider keeps a prompt for nothing for longer. */
export const CONVERSATION_IDLE_MS = 3_600_000;

/** Who gave the last complete answer of a conversation. */
export interface LastAnswer {
  readonly target: string;
  readonly model: string;
  /** What the request said of who is first. */
  readonly wish: string;
  readonly atMs: number;
}

/**
 * Remembers which target gave the last complete answer of each conversation (engine rule A6). Of keys it keeps hashes alone. Asking
 * and telling take constant time.
 */
export class ConversationTargets {
  readonly #now: () => number;
  /** By the hash of the key; the last to answer is last. */
  readonly #answers = new Map<number, LastAnswer>();

  /** @param now monotonic milliseconds */
  constructor(now: () => number) {
    this.#now = now;
  }

  /** Returns who gave the last answer of a conversation; undefined where none is remembered. */
  recall({ key }: Pick<Affinity, 'key'>): LastAnswer | undefined {
    const last = this.#answers.get(hash53(key));
    return last === undefined || this.#now() - last.atMs >= CONVERSATION_IDLE_MS ? undefined : last;
  }

  /** Notes who gave a complete answer. */
  answered({ key, wish }: Affinity, { target, model }: Pick<ChainEntry, 'target' | 'model'>): void {
    const hash = hash53(key);
    this.#answers.delete(hash);
    this.#answers.set(hash, { target, model, wish, atMs: this.#now() });
    if (this.#answers.size <= MAX_CONVERSATIONS) return;
    const [oldest] = this.#answers.keys();
    if (oldest !== undefined) this.#answers.delete(oldest);
  }
}

/**
 * Puts the entry first that gave the last answer of a conversation, or the first other one of its target, and leaves the order of the
 * others; the chain stays as it is where it has none, or where the request itself wishes somebody first and the last one did not
 * (engine rule A6).
 */
export function withLastFirst(
  chain: readonly ChainEntry[],
  last: LastAnswer,
  { wish }: Affinity,
): readonly ChainEntry[] {
  if (wish !== '' && wish !== last.wish) return chain;
  const entry =
    chain.find(({ target, model }) => target === last.target && model === last.model) ??
    chain.find(({ target }) => target === last.target);
  return entry === undefined || entry === chain[0] ? chain : [entry, ...chain.filter((other) => other !== entry)];
}

/** Tells that a conversation has moved, and why: by the trail of the request that another target has answered. */
export function moved(last: LastAnswer, attempts: readonly AttemptRecord[]): MovedConversation {
  const own = attempts.findLast(({ entry, failure }) => entry.target === last.target && failure !== undefined);
  const reason: FailureReason | undefined = own?.failure?.reason;
  return { from: last.target, reason };
}
