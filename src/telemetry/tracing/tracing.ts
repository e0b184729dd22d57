import { type Attributes, ROOT_CONTEXT, SpanKind, trace, TraceFlags } from '@opentelemetry/api';
import { type Sampler, SamplingDecision } from '@opentelemetry/sdk-trace';

import type { Runtime } from '../../core/ports.ts';
import type { CallEnd, CallHead } from '../../server/port/gateway-port.ts';
import type { CallReport } from '../report/call-report.ts';
import { rpcMethod } from '../report/rpc-method.ts';
import { BegunTrace } from './begun-trace.ts';
import { finishedSpans, type SpanSource } from './finished-span.ts';
import type { SpanQueue } from './span-queue.ts';
import { SpanIds } from './span-ids.ts';
import { spanTree } from './span-tree.ts';
import { readTraceContext, type TraceContext } from './trace-context.ts';

/** What calls are traced with. */
export interface TracingParts {
  readonly runtime: Pick<Runtime, 'now' | 'wall' | 'random'>;
  readonly sampler: Sampler;
  /** Whether the traces of callers are gone on with, and told to providers. */
  readonly propagates: boolean;
  readonly source: SpanSource;
  readonly queue: SpanQueue;
}

type Method = CallEnd['method'];

/** What a sampler is told of a call. */
const HEAD_ATTRIBUTES: Readonly<Record<Method, Attributes>> = {
  Generate: { 'rpc.method': rpcMethod('Generate') },
  Chat: { 'rpc.method': rpcMethod('Chat') },
  StreamChat: { 'rpc.method': rpcMethod('StreamChat') },
};

/** Traces calls: ids at their head, spans out of their trail at their end, and of those alone that are sampled. */
export class Tracing {
  readonly #parts: TracingParts;
  readonly #ids: SpanIds;

  constructor(parts: TracingParts) {
    this.#parts = parts;
    this.#ids = new SpanIds(() => parts.runtime.random());
  }

  /** Begins a call's trace, or goes on with its caller's. */
  begin(method: Method, { requestHeader, protocolName }: CallHead): BegunTrace {
    const { runtime, propagates } = this.#parts;
    const parent = propagates
      ? readTraceContext(requestHeader.get('traceparent'), requestHeader.get('tracestate'))
      : undefined;
    const traceId = parent?.traceId ?? this.#ids.trace();
    const head = {
      traceId,
      parent,
      isTold: propagates,
      isSampled: this.#isSampled(method, traceId, parent),
      system: protocolName === 'connect' ? 'connectrpc' : 'grpc',
      startedAtMs: runtime.now(),
      startedAtWallMs: runtime.wall(),
    } as const;
    return new BegunTrace(head, this.#ids);
  }

  /**
   * Takes the end of a call that is sampled, and makes its spans unless there is no room for them.
   *
   * @param endedAtMs by the monotonic clock
   */
  ended(end: CallReport, call: CallEnd, endedAtMs: number): void {
    const { source, queue } = this.#parts;
    if (!(call.trace instanceof BegunTrace)) return;
    // Those that were passed over are none; those of waits are few.
    if (!queue.hasRoom(1 + end.attempts.length)) return;
    const { head } = call.trace;
    queue.add(finishedSpans(spanTree(end, call, call.trace, this.#ids, endedAtMs), head, source));
  }

  #isSampled(method: Method, traceId: string, parent: TraceContext | undefined): boolean {
    const context =
      parent === undefined
        ? ROOT_CONTEXT
        : trace.setSpanContext(ROOT_CONTEXT, {
            traceId,
            spanId: parent.spanId,
            traceFlags: parent.isSampled ? TraceFlags.SAMPLED : TraceFlags.NONE,
            isRemote: true,
          });
    const { sampler } = this.#parts;
    const attributes = HEAD_ATTRIBUTES[method];
    const { decision } = sampler.shouldSample(context, traceId, rpcMethod(method), SpanKind.SERVER, attributes, []);
    return decision === SamplingDecision.RECORD_AND_SAMPLED;
  }
}
