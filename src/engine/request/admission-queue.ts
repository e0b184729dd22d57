import type { Failure } from '../../core/failure.ts';
import type { Runtime, TimerHandle } from '../../core/ports.ts';
import { localRefusal, shuttingDown } from '../port/failures.ts';
import type { AdmissionConfig } from '../port/config.ts';

/** A queued request waits for at most this share of the time that it has left (engine rule A2). */
const WAIT_SHARE = 0.1;
/** After how many milliseconds a refused caller may come again, at the least (engine rule A3). */
export const COME_AGAIN_MS = 1_000;

/** Returns how long a request that has `remainingMs` milliseconds left may wait for a slot (engine rule A2). */
export function longestSlotWaitMs({ maxWaitMs }: AdmissionConfig, remainingMs: number): number {
  return Math.min(maxWaitMs, remainingMs * WAIT_SHARE);
}

/** The right to be under way; to be given back, once, when the request has ended. */
export interface Slot {
  release(): void;
}

/** A request in the queue. `settle` takes it out of the queue's hands: its timer and listener are gone. */
interface Waiter {
  settle(outcome: Slot | Failure): void;
}

/**
 * Bounds how many requests are under way. Where all slots are taken, a few requests wait in the order of their arrival; a
 * slot that is given back goes to the first of them in the same turn (engine rules A2, A3, D2).
 */
export class AdmissionQueue {
  readonly #config: AdmissionConfig;
  readonly #runtime: Pick<Runtime, 'setTimer' | 'clearTimer'>;
  readonly #isOverloaded: () => boolean;
  /** In the order of arrival. Not empty only while every slot is taken. */
  readonly #waiters = new Set<Waiter>();
  #active = 0;
  #isClosed = false;

  /** @param isOverloaded whether the process can take nothing new; what is under way or queued is not asked */
  constructor(config: AdmissionConfig, runtime: Pick<Runtime, 'setTimer' | 'clearTimer'>, isOverloaded: () => boolean) {
    this.#config = config;
    this.#runtime = runtime;
    this.#isOverloaded = isOverloaded;
  }

  /** How many requests are under way. */
  get active(): number {
    return this.#active;
  }

  /** How many requests wait. */
  get queued(): number {
    return this.#waiters.size;
  }

  /**
   * Asks for a slot. A promise means that the request is queued; a failure, that it is refused and has contacted nobody.
   *
   * @param remainingMs the time that the request has left
   * @param signal the request's own; where it aborts, the request leaves the queue in the same turn
   */
  enter(remainingMs: number, signal: AbortSignal): Slot | Failure | Promise<Slot | Failure> {
    if (this.#isClosed) return shuttingDown();
    if (this.#isOverloaded()) return overloaded();
    if (this.#active < this.#config.maxActive) return this.#slot();
    const waitMs = longestSlotWaitMs(this.#config, remainingMs);
    if (this.#waiters.size >= this.#config.maxQueued || waitMs <= 0 || signal.aborted) return overloaded();
    return this.#wait(waitMs, signal);
  }

  /** Admits nobody any more and sends those who wait away (engine rule D2). */
  close(): void {
    this.#isClosed = true;
    for (const waiter of this.#waiters) waiter.settle(shuttingDown());
  }

  #slot(): Slot {
    this.#active++;
    let isReleased = false;
    return {
      release: () => {
        if (isReleased) return;
        isReleased = true;
        this.#active--;
        const [next] = this.#waiters;
        next?.settle(this.#slot());
      },
    };
  }

  #wait(waitMs: number, signal: AbortSignal): Promise<Slot | Failure> {
    const { promise, resolve } = Promise.withResolvers<Slot | Failure>();
    const leave = (): void => waiter.settle(overloaded());
    const timer: TimerHandle = this.#runtime.setTimer(waitMs, leave);
    const waiter: Waiter = {
      settle: (outcome) => {
        this.#waiters.delete(waiter);
        this.#runtime.clearTimer(timer);
        signal.removeEventListener('abort', leave);
        resolve(outcome);
      },
    };
    signal.addEventListener('abort', leave, { once: true });
    this.#waiters.add(waiter);
    return promise;
  }
}

function overloaded(): Failure {
  return localRefusal('OVERLOADED', 'The gateway has too much to do.', COME_AGAIN_MS);
}
