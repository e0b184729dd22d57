import { afterEach, beforeEach } from 'vitest';

import type { Delta, Finish } from '../../../src/core/answer.ts';
import type { Failure } from '../../../src/core/failure.ts';
import type { AttemptEvent, AttemptHandle } from '../../../src/core/ports.ts';
import type { ExchangeParts } from '../../../src/upstream/exchange/parts.ts';
import { openExchange } from '../../../src/upstream/exchange/http-exchange.ts';
import type { Transport } from '../../../src/core/transport.ts';
import { system } from '../../../src/system.ts';
import { createUndiciTransport } from '../../../src/upstream/network/undici-transport.ts';
import { startChaosUpstream } from '../../support/chaos-upstream.ts';
import type { ChaosUpstream } from '../../support/chaos-upstream.ts';
import { createVirtualRuntime } from '../../support/virtual-runtime.ts';
import type { VirtualRuntime } from '../../support/virtual-runtime.ts';
import { createToyAdapter } from './toy-adapter.ts';

/** An event of an attempt. */
export type Event = AttemptEvent<Delta, Finish>;

/** An exchange under way and what it has told. */
export interface Attempt {
  readonly handle: AttemptHandle;
  readonly events: readonly Event[];
  /** Resolves with all events when the last has come. */
  readonly last: Promise<readonly Event[]>;
  /** Resolves when an event of this type has come. */
  until(type: Event['type']): Promise<void>;
}

/** A chaos upstream, a transport and a virtual clock, new for each test. */
export interface ExchangeHarness {
  readonly upstream: ChaosUpstream;
  readonly runtime: VirtualRuntime;
  /** Opens an exchange with the toy adapter against the upstream. */
  open(change?: Partial<ExchangeParts>, onEvent?: (event: Event) => void): Attempt;
}

/** Registers what starts and stops the harness around each test of a file. */
export function useExchangeHarness(): ExchangeHarness {
  let upstream: ChaosUpstream;
  let transport: Transport;
  let runtime: VirtualRuntime;
  beforeEach(async () => {
    upstream = await startChaosUpstream();
    transport = createUndiciTransport(system);
    runtime = createVirtualRuntime({ wallMs: 1_000_000 });
  });
  afterEach(async () => {
    await transport.close();
    await upstream.close();
  });
  return {
    get upstream() {
      return upstream;
    },
    get runtime() {
      return runtime;
    },
    open: (change = {}, onEvent = () => undefined) => {
      const events: Event[] = [];
      const last = Promise.withResolvers<readonly Event[]>();
      const waiting: { readonly type: Event['type']; readonly resolve: () => void }[] = [];
      const handle = openExchange(
        {
          transport,
          adapter: createToyAdapter(),
          head: { url: new URL(`${upstream.origin}/toy`), headers: { 'content-type': 'application/json' } },
          wire: { body: { ask: 'ü' } },
          stream: true,
          runtime,
          ...change,
        },
        (event) => {
          events.push(event);
          onEvent(event);
          for (const { type, resolve } of waiting) if (type === event.type) resolve();
          if (event.type === 'end' || event.type === 'error') last.resolve(events);
        },
      );
      return {
        handle,
        events,
        last: last.promise,
        until: (type) => new Promise((resolve) => waiting.push({ type, resolve })),
      };
    },
  };
}

/** Resolves with the failure that an attempt ended with. */
export async function failureOf(attempt: Attempt): Promise<Failure> {
  const event = (await attempt.last).at(-1);
  if (event?.type !== 'error') throw new Error(`no error but ${event?.type}`);
  return event.failure;
}

/** The step that waits for the client's close. */
export const awaitClose = { do: 'await_close' } as const;

/** Headers of a stream. */
export const streamed = { 'content-type': 'text/event-stream; charset=utf-8', 'transfer-encoding': 'chunked' };

/** Frames words of the toy format as events. */
export function words(...all: readonly string[]): string {
  return all.map((word) => `data: ${word}\n\n`).join('');
}

/** A whole good answer. */
export const ok = words('model toy', 'role', 'text Hello', 'usage 3', 'finish stop', '[DONE]');

/** The event of a piece of text. */
export function text(value: string): Event {
  return { type: 'output', value: { kind: 'text', index: 0, text: value }, bytes: value.length };
}

/** The event of the good answer's end marker. */
export const terminal: Event = { type: 'terminal', final: { reason: 'STOP', raw: 'stop', responseId: 'toy-1' } };

/** The event of good headers. */
export const headers200: Event = { type: 'headers', status: 200, requestId: undefined };
