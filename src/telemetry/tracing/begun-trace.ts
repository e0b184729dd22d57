import type { CallTrace } from '../../server/port/observed/call-trace.ts';
import type { SpanIds } from './span-ids.ts';
import { type TraceContext, traceparentOf } from './trace-context.ts';

const NO_HEADERS: readonly string[] = [];

/** How a call came in, in the words of `rpc.system.name`. */
export type RpcSystem = 'grpc' | 'connectrpc';

/** What is known of a traced call at its head. */
export interface TraceHead {
  readonly traceId: string;
  readonly isSampled: boolean;
  readonly parent: TraceContext | undefined;
  /** Whether providers are told of it. */
  readonly isTold: boolean;
  readonly system: RpcSystem;
  /** Milliseconds by the monotonic clock, and since the epoch. */
  readonly startedAtMs: number;
  readonly startedAtWallMs: number;
}

/** A traced call under way. One that is not sampled has one span id for itself and all its attempts: nobody will see them. */
export class BegunTrace implements CallTrace {
  readonly head: TraceHead;
  readonly spanId: string;
  readonly attemptSpanIds: string[] = [];
  readonly #ids: SpanIds;
  #headers: readonly string[] | undefined;

  constructor(head: TraceHead, ids: SpanIds) {
    this.head = head;
    this.#ids = ids;
    this.spanId = ids.span();
  }

  get traceId(): string {
    return this.head.traceId;
  }

  get isSampled(): boolean {
    return this.head.isSampled;
  }

  attempt(): readonly string[] {
    if (!this.isSampled) return (this.#headers ??= this.#headersOf(this.spanId));
    const spanId = this.#ids.span();
    this.attemptSpanIds.push(spanId);
    return this.#headersOf(spanId);
  }

  #headersOf(spanId: string): readonly string[] {
    const { traceId, isSampled, parent, isTold } = this.head;
    if (!isTold) return NO_HEADERS;
    const own = ['traceparent', traceparentOf(traceId, spanId, isSampled)];
    return parent?.state === undefined ? own : [...own, 'tracestate', parent.state];
  }
}
