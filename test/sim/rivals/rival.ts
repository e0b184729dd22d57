import type { AttemptSink } from '../../../src/core/ports.ts';
import type { SimCall } from '../sim-call.ts';
import type { SimClient } from '../sim-client.ts';
import type { SimRuntime } from '../sim-runtime.ts';
import type { SimRequest } from '../tape.ts';

/** Begins an upstream call. */
export type Connect = (target: string, streams: boolean, sink: AttemptSink<string, string>) => SimCall;

/** One request as a policy gets it; a try of the caller's own library is a request of its own. */
export interface Ask {
  readonly asked: SimRequest;
  /** Aborts when the caller cancels, or gives up because its deadline has come. */
  readonly signal: AbortSignal;
  /** Where a streamed answer goes; absent where the caller wants it whole. */
  readonly client: SimClient | undefined;
  readonly connect: Connect;
}

/** What the caller is told at the end. `text` is the whole answer where nothing was streamed. */
export type Ending = { readonly ok: true; readonly text?: string | undefined } | { readonly ok: false };

/** Decides which targets are asked, when and how often. Never rejects. */
export interface Policy {
  serve(ask: Ask): Promise<Ending>;
  /** Whether a target is held off now by what it did before: its circuit is open, or it cools down. Absent: it never is. */
  isHeldOff?(target: string): boolean;
}

/** A policy by its name in the tables. */
export interface Rival {
  readonly name: string;
  /** What it does, in one sentence. */
  readonly says: string;
  /** Limits of its calls are not shorter than `leastLimitMs`: who sets them knows how long the answers take. */
  readonly make: (targets: readonly string[], runtime: SimRuntime, leastLimitMs: number) => Policy;
  /** Whether it reads time and chance from the globals, which are virtual then. */
  readonly usesGlobals?: boolean;
}
