import type { Failure, FailureClass } from '../../../src/core/failure.ts';
import type { Runtime, TimerHandle } from '../../../src/core/ports.ts';
import type { ScriptEvent } from '../../support/upstream-scripts.ts';
import { failure } from '../../support/upstream-scripts.ts';
import type { SimCall } from '../sim-call.ts';
import type { SimClient } from '../sim-client.ts';
import type { Ask } from './rival.ts';

/** What an HTTP library throws. */
export class CallError extends Error {
  readonly failure: Failure;

  constructor(cause: Failure) {
    super(cause.message);
    this.failure = cause;
  }

  /** Status of the answer; undefined where the connection failed. */
  get status(): number | undefined {
    return this.failure.httpStatus ?? STATUS[this.failure.class];
  }
}

const STATUS: Partial<Record<FailureClass, number>> = {
  overload: 503,
  rate_limit: 429,
  quota: 402,
  auth: 401,
  not_found: 404,
  conflict: 409,
};

/** Limits of an upstream call, in milliseconds; absent: none. */
export interface Limits {
  /** Until the headers. */
  readonly headersMs?: number;
  /** Between two pieces of anything. */
  readonly readMs?: number;
  /** Until the end. */
  readonly totalMs?: number;
}

/** An upstream call as an HTTP library shows it: a promise of headers, then a body. Ends at once when its signal aborts. */
export class Exchange {
  readonly #call: SimCall;
  readonly #runtime: Runtime;
  readonly #limits: Limits;
  readonly #signal: AbortSignal;
  readonly #events: ScriptEvent[] = [];
  readonly #timers = new Map<keyof Limits, TimerHandle>();
  #failure: CallError | undefined;
  #waiting: { resolve: (event: ScriptEvent) => void; reject: (error: CallError) => void } | undefined;

  constructor(ask: Ask, target: string, streams: boolean, runtime: Runtime, limits: Limits, signal = ask.signal) {
    if (signal.aborted) throw new CallError(failure('client_cancel'));
    this.#runtime = runtime;
    this.#limits = limits;
    this.#signal = signal;
    this.#call = ask.connect(target, streams, (event) => {
      this.#came(event);
    });
    this.#limit('headersMs');
    this.#limit('totalMs');
    signal.addEventListener('abort', this.#cancel, { once: true });
  }

  /** Resolves when a status of success is there; rejects with {@link CallError}. */
  async headers(): Promise<void> {
    for (;;) {
      const event = await this.#next();
      if (event.type !== 'headers') continue;
      this.#clear('headersMs');
      return;
    }
  }

  /**
   * Hands the pieces of the answer on; returns whether its end marker came, false where the body ended without. Does not read on
   * while `write` waits. Rejects with {@link CallError}.
   */
  async body(write: (text: string) => Promise<void> | undefined): Promise<boolean> {
    for (;;) {
      const event = await this.#next();
      if (event.type === 'output') {
        const writable = write(event.value);
        if (writable === undefined) continue;
        this.#call.pause();
        await writable;
        this.#call.resume();
      } else if (event.type === 'terminal') {
        this.#end();
        this.#call.release();
        return true;
      } else if (event.type === 'end') {
        this.#end();
        this.#call.abort();
        return false;
      }
    }
  }

  #next(): Promise<ScriptEvent> {
    const event = this.#events.shift();
    if (event !== undefined) return Promise.resolve(event);
    if (this.#failure !== undefined) return Promise.reject(this.#failure);
    this.#limit('readMs');
    return new Promise((resolve, reject) => {
      this.#waiting = { resolve, reject };
    });
  }

  #came(event: ScriptEvent): void {
    this.#clear('readMs');
    if (event.type === 'error') {
      this.#fail(event.failure);
      return;
    }
    const waiting = this.#waiting;
    this.#waiting = undefined;
    if (waiting === undefined) this.#events.push(event);
    else waiting.resolve(event);
  }

  /** Ends the call as the signal does. */
  abort(): void {
    this.#fail(failure('client_cancel'));
  }

  readonly #cancel = (): void => {
    this.abort();
  };

  #fail(cause: Failure): void {
    if (this.#failure !== undefined) return;
    this.#failure = new CallError(cause);
    this.#end();
    this.#call.abort();
    const waiting = this.#waiting;
    this.#waiting = undefined;
    waiting?.reject(this.#failure);
  }

  #end(): void {
    for (const which of this.#timers.keys()) this.#clear(which);
    this.#signal.removeEventListener('abort', this.#cancel);
  }

  #limit(which: keyof Limits): void {
    const ms = this.#limits[which];
    if (ms === undefined) return;
    this.#clear(which);
    const fire = (): void => {
      this.#timers.delete(which);
      this.#fail(failure('silence'));
    };
    this.#timers.set(which, this.#runtime.setTimer(ms, fire));
  }

  #clear(which: keyof Limits): void {
    const timer = this.#timers.get(which);
    this.#timers.delete(which);
    if (timer !== undefined) this.#runtime.clearTimer(timer);
  }
}

/** Reads a JSON answer; one that is cut cannot be parsed. Rejects with {@link CallError}. */
export async function readWhole(exchange: Exchange): Promise<string> {
  let text = '';
  const isWhole = await exchange.body((piece) => {
    text += piece;
    return undefined;
  });
  if (!isWhole) throw new CallError(failure('protocol'));
  return text;
}

/**
 * Passes a body on to a client as it comes. A body that ends without its end marker ends as if it were whole: the stream readers of
 * the providers' own libraries say nothing of it.
 */
export async function passOn(exchange: Exchange, client: SimClient): Promise<void> {
  await exchange.body((text) =>
    client.output(text)
      ? undefined
      : new Promise((resolve) => {
          client.whenWritable(resolve);
        }),
  );
}

/** Waits; rejects with {@link CallError} in the moment in which the signal aborts. */
export function pause(runtime: Runtime, ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const cancel = (): void => {
      runtime.clearTimer(timer);
      reject(new CallError(failure('client_cancel')));
    };
    const timer = runtime.setTimer(ms, () => {
      signal.removeEventListener('abort', cancel);
      resolve();
    });
    if (signal.aborted) cancel();
    else signal.addEventListener('abort', cancel, { once: true });
  });
}
