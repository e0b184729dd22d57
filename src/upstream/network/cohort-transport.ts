import { isUtf8 } from 'node:buffer';

import type { Cohort } from '../../core/cohort.ts';
import type { HttpExchange, HttpHandler, Transport } from '../../core/transport.ts';
import { lendJoined } from './lent-bytes.ts';

/** Bytes of one answer that may wait for the end of a turn; more are told at once, so that a pause is heard in time. */
const MAX_WAITING_BYTES = 64 * 1024;

/**
 * Makes a transport tell in cohorts what has come of several answers in one turn: all heads, all bodies, all ends. What has come of one
 * body is told in one piece: providers send each event in a chunk of its own.
 */
export function inCohorts(transport: Transport, cohort: Cohort): Transport {
  return {
    send: (request, handler) => {
      const answer = new WaitingAnswer(handler, cohort);
      answer.http = transport.send(request, answer);
      return answer;
    },
    retire: () => transport.retire(),
    close: () => transport.close(),
  };
}

type Event =
  | { readonly type: 'headers'; readonly status: number; readonly headers: Readonly<Record<string, string>> }
  | { readonly type: 'data'; readonly chunk: Uint8Array; more: Uint8Array[] | undefined }
  | { readonly type: 'end' }
  | { readonly type: 'error'; readonly error: unknown };

/** What has come of one answer and was not told yet. Its handler hears nothing after `abort`, as of any exchange. */
class WaitingAnswer implements HttpHandler, HttpExchange {
  /** The exchange that brings it. */
  http: HttpExchange | undefined;
  readonly #handler: HttpHandler;
  readonly #cohort: Cohort;
  readonly #step = (): void => this.#takeStep();
  #events: Event[] = [];
  #bytes = 0;
  #isInCohort = false;

  constructor(handler: HttpHandler, cohort: Cohort) {
    this.#handler = handler;
    this.#cohort = cohort;
  }

  abort(): void {
    this.#events = [];
    this.http?.abort();
  }

  pause(): void {
    this.http?.pause();
  }

  resume(): void {
    this.http?.resume();
  }

  onHeaders(status: number, headers: Readonly<Record<string, string>>): void {
    this.#add({ type: 'headers', status, headers });
  }

  onData(chunk: Uint8Array): void {
    this.#bytes += chunk.length;
    const last = this.#events.at(-1);
    if (last?.type === 'data') (last.more ??= []).push(chunk);
    else this.#add({ type: 'data', chunk, more: undefined });
    if (this.#bytes > MAX_WAITING_BYTES) while (this.#events.length > 0) this.#tellKind();
  }

  onEnd(): void {
    this.#add({ type: 'end' });
  }

  onError(error: unknown): void {
    this.#add({ type: 'error', error });
  }

  #add(event: Event): void {
    this.#events.push(event);
    if (!this.#isInCohort) this.#join();
  }

  #join(): void {
    this.#isInCohort = true;
    this.#cohort.add(this.#step);
  }

  #takeStep(): void {
    this.#isInCohort = false;
    try {
      this.#tellKind();
    } catch (error) {
      // As transports do with a handler that throws.
      this.abort();
      this.#handler.onError(error);
    }
    if (this.#events.length > 0) this.#join();
  }

  /** Tells of the first event, and of those of its kind behind it. */
  #tellKind(): void {
    const { type } = this.#events[0] ?? {};
    for (let event = this.#events[0]; event !== undefined && event.type === type; event = this.#events[0]) {
      this.#events.shift();
      this.#tell(event);
    }
  }

  #tell(event: Event): void {
    switch (event.type) {
      case 'headers':
        return this.#handler.onHeaders(event.status, event.headers);
      case 'data':
        return event.more === undefined ? this.#tellChunk(event.chunk) : this.#tellData([event.chunk, ...event.more]);
      case 'end':
        return this.#handler.onEnd();
      case 'error':
        return this.#handler.onError(event.error);
    }
  }

  /** Chunks of which one is no text are told one by one, so that it spoils none of those before it. */
  #tellData(chunks: readonly Uint8Array[]): void {
    lendJoined(chunks, (whole) => {
      if (isUtf8(whole)) this.#tellChunk(whole);
      else this.#events.unshift(...chunks.map((chunk): Event => ({ type: 'data', chunk, more: undefined })));
    });
  }

  #tellChunk(chunk: Uint8Array): void {
    this.#bytes -= chunk.length;
    this.#handler.onData(chunk);
  }
}
