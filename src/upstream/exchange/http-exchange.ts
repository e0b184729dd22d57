import type { Delta, Finish } from '../../core/answer.ts';
import type { Failure } from '../../core/failure.ts';
import type { AttemptHandle, AttemptSink, TimerHandle } from '../../core/ports.ts';
import type { AdapterEvent } from '../../providers/port/adapter.ts';
import type { BodyReader } from './body-reader.ts';
import { NO_BODY } from './body-reader.ts';
import { deltaSize } from './answer-limit.ts';
import { failureOf } from '../port/answer-failures.ts';
import { DEFAULT_LIMITS, type ExchangeLimits, type ExchangeParts } from './parts.ts';
import { networkFailure } from '../network/socket-failure.ts';
import { providerRequestId } from './provider-request-id.ts';
import type { RequestHead } from '../port/request-head.ts';
import { chooseBody } from './response-body.ts';
import type { HttpExchange, HttpHandler } from '../../core/transport.ts';

/**
 * Sends a request and reports what comes of it, each chunk synchronously as it arrives. Every way an answer can end badly is
 * one `error` event; nothing is thrown and nothing follows the last event. While paused, the events of the chunk in hand and
 * what the connection's end had still in its buffers are reported nevertheless.
 */
export function openExchange(parts: ExchangeParts, sink: AttemptSink<Delta, Finish>): AttemptHandle {
  const exchange = new Exchange(parts, sink);
  exchange.start();
  return exchange;
}

class Exchange implements AttemptHandle, HttpHandler {
  readonly #parts: ExchangeParts;
  readonly #limits: ExchangeLimits;
  readonly #sink: AttemptSink<Delta, Finish>;
  #state: 'reading' | 'draining' | 'closed' = 'reading';
  #http: HttpExchange | undefined;
  #body: BodyReader = NO_BODY;
  #status: number | undefined;
  #requestId: string | undefined;
  #responseId: string | undefined;
  #model: string | undefined;
  #isTerminated = false;
  #isPaused = false;
  /** The connection has no more for this request. */
  #isReceived = false;
  #drained = 0;
  #timer: TimerHandle | undefined;

  constructor(parts: ExchangeParts, sink: AttemptSink<Delta, Finish>) {
    this.#parts = parts;
    this.#limits = parts.limits === undefined ? DEFAULT_LIMITS : { ...DEFAULT_LIMITS, ...parts.limits };
    this.#sink = sink;
  }

  start(): void {
    const { head } = this.#parts;
    if (head instanceof Promise) {
      head.then((formed) => this.#send(formed)).catch((error: unknown) => this.#failUnsent(error));
      return;
    }
    try {
      this.#send(head);
    } catch (error) {
      // The sink hears of nothing before open has returned.
      queueMicrotask(() => this.#failUnsent(error));
    }
  }

  abort(): void {
    this.#close();
    this.#http?.abort();
  }

  release(): void {
    if (this.#state !== 'reading') return;
    if (this.#isTerminated) this.#drain();
    else this.abort();
  }

  pause(): void {
    this.#isPaused = true;
    if (this.#state === 'reading') this.#http?.pause();
  }

  resume(): void {
    this.#isPaused = false;
    if (this.#state === 'reading') this.#http?.resume();
  }

  onHeaders(status: number, headers: Readonly<Record<string, string>>): void {
    if (this.#state !== 'reading') return;
    this.#status = status;
    this.#requestId = providerRequestId(headers);
    const { adapter, stream, wrapReader, runtime } = this.#parts;
    const limits = adapter.limits?.(headers, runtime.wall());
    this.#sink({ type: 'headers', status, requestId: this.#requestId, limits });
    if (this.#state !== 'reading') return;
    this.#read(() => {
      this.#body = chooseBody({
        status,
        headers,
        adapter,
        stream,
        wrapReader,
        limits: this.#limits,
        wall: () => runtime.wall(),
      });
      return [];
    }, 0);
    if (this.#state === 'reading' && (status < 200 || status > 299)) {
      this.#timer = runtime.setTimer(this.#limits.errorBodyMs, () => this.#read(() => this.#body.end(), 0));
    }
  }

  onData(chunk: Uint8Array): void {
    if (this.#state === 'draining') {
      this.#drained += chunk.length;
      if (this.#drained > this.#limits.drainBytes) this.abort();
      return;
    }
    this.#read(() => this.#body.push(chunk), chunk.length);
  }

  onEnd(): void {
    this.#isReceived = true;
    if (this.#state === 'reading') this.#read(() => this.#body.end(), 0);
    // Only now is the answer known to be cut off: its last event may have come with the end of the body.
    if (this.#state === 'reading') {
      if (this.#isTerminated) this.#end();
      else this.#fail(this.#body.unfinished());
    }
    this.#close();
  }

  onError(error: unknown): void {
    this.#isReceived = true;
    if (this.#state === 'reading') {
      const failure = networkFailure(error, this.#status !== undefined);
      if (this.#isTerminated) this.#end();
      else this.#read(() => [{ type: 'failure', failure: this.#body.broken(failure) }], 0);
    }
    this.#close();
  }

  #send({ url, headers }: RequestHead): void {
    if (this.#state !== 'reading') return;
    const { transport, wire, ownHeaders } = this.#parts;
    this.#http = transport.send({ method: 'POST', url, headers, ownHeaders, body: JSON.stringify(wire.body) }, this);
    if (this.#isPaused) this.#http.pause();
  }

  /** Takes one step through the body and reports its events; `bytes` is what they were read from. */
  #read(step: () => readonly AdapterEvent[], bytes: number): void {
    if (this.#state !== 'reading') return;
    let events: readonly AdapterEvent[];
    try {
      events = step();
    } catch (error) {
      events = [{ type: 'failure', failure: failureOf(error) }];
    }
    let isTold = bytes === 0;
    for (const event of events) {
      if (this.#state !== 'reading') return;
      isTold = this.#report(event, bytes) || isTold;
    }
    if (!isTold && this.#state === 'reading' && !this.#isTerminated) this.#sink({ type: 'startup', bytes });
  }

  /** Reports one event; returns whether the engine heard of it. */
  #report(event: AdapterEvent, bytes: number): boolean {
    switch (event.type) {
      case 'identity':
        return this.#learn(event.model, event.responseId, bytes);
      case 'delta': {
        const size = deltaSize(event.delta);
        if (size === 0 || this.#isTerminated) return false;
        this.#sink({ type: 'output', value: event.delta, bytes: size });
        return true;
      }
      case 'usage':
        this.#sink({ type: 'usage', usage: event.usage });
        return true;
      case 'finish': {
        if (this.#isTerminated) return false;
        this.#isTerminated = true;
        const { reason, raw, doubts } = event;
        this.#sink({ type: 'terminal', final: { reason, raw, responseId: this.#responseId, doubts } });
        return true;
      }
      case 'unknown':
        this.#parts.onUnknown?.();
        return false;
      case 'end':
        if (this.#isTerminated) this.#end(event.cancel === true);
        else this.#fail(this.#body.unfinished());
        return true;
      case 'failure':
        // The answer was complete; what goes wrong behind it takes nothing back (engine rule X3).
        if (this.#isTerminated) this.#end(true);
        else this.#fail(event.failure);
        return true;
    }
  }

  #learn(model: string | undefined, responseId: string | undefined, bytes: number): boolean {
    this.#responseId ??= responseId;
    if (model === undefined || model === this.#model || this.#isTerminated) return false;
    this.#model = model;
    this.#sink({ type: 'startup', bytes, model });
    return true;
  }

  #end(cancel = false): void {
    this.#sink({ type: 'end' });
    if (this.#state !== 'reading') return;
    if (cancel) this.abort();
    else this.#drain();
  }

  #failUnsent(error: unknown): void {
    this.#fail({ ...failureOf(error), neverSent: true });
  }

  #fail(failure: Failure): void {
    if (this.#state !== 'reading') return;
    const told: Failure = {
      ...failure,
      httpStatus: failure.httpStatus ?? this.#status,
      providerRequestId: failure.providerRequestId ?? this.#requestId,
    };
    this.#close();
    this.#http?.abort();
    this.#sink({ type: 'error', failure: told });
  }

  /** Reads the rest of the body for nothing but the connection's sake. */
  #drain(): void {
    this.#clearTimer();
    this.#state = 'draining';
    if (this.#isReceived) return;
    this.#http?.resume();
    this.#timer = this.#parts.runtime.setTimer(this.#limits.drainMs, () => this.abort());
  }

  #close(): void {
    this.#clearTimer();
    this.#state = 'closed';
  }

  #clearTimer(): void {
    if (this.#timer !== undefined) this.#parts.runtime.clearTimer(this.#timer);
    this.#timer = undefined;
  }
}
