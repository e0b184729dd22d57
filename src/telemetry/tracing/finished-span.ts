import {
  type Attributes,
  createTraceState,
  type SpanContext,
  type SpanKind,
  SpanStatusCode,
  TraceFlags,
} from '@opentelemetry/api';
import type { Resource } from '@opentelemetry/resources';
import type { ReadableSpan } from '@opentelemetry/sdk-trace';

import { hrTimeOf } from '../report/hr-time.ts';
import type { TraceHead } from './begun-trace.ts';

/** One span of a call, in milliseconds since the epoch. */
export interface SpanPart {
  readonly name: string;
  readonly kind: SpanKind;
  readonly spanId: string;
  /** Absent: it is the first of its trace. */
  readonly parentSpanId: string | undefined;
  readonly startMs: number;
  readonly endMs: number;
  readonly attributes: Attributes;
  readonly isError: boolean;
  readonly events: readonly { readonly name: string; readonly atMs: number; readonly attributes: Attributes }[];
}

/** Whose spans they are. */
export interface SpanSource {
  readonly resource: Resource;
  readonly instrumentationScope: ReadableSpan['instrumentationScope'];
}

const FAILED = { code: SpanStatusCode.ERROR };
const UNSET = { code: SpanStatusCode.UNSET };

/** Makes the spans of a call, which has ended, in the form that the SDK exports. */
export function finishedSpans(
  parts: readonly SpanPart[],
  { traceId, parent }: Pick<TraceHead, 'traceId' | 'parent'>,
  source: SpanSource,
): readonly ReadableSpan[] {
  const traceState = parent?.state === undefined ? undefined : createTraceState(parent.state);
  const contextOf = (spanId: string, isRemote: boolean): SpanContext => ({
    traceId,
    spanId,
    traceFlags: TraceFlags.SAMPLED,
    isRemote,
    ...(traceState && { traceState }),
  });
  return parts.map(({ name, kind, spanId, parentSpanId, startMs, endMs, attributes, isError, events }) => {
    const own = contextOf(spanId, false);
    const above = parentSpanId === undefined ? undefined : contextOf(parentSpanId, parentSpanId === parent?.spanId);
    return {
      ...source,
      name,
      kind,
      spanContext: () => own,
      ...(above && { parentSpanContext: above }),
      startTime: hrTimeOf(startMs),
      endTime: hrTimeOf(endMs),
      duration: hrTimeOf(endMs - startMs),
      status: isError ? FAILED : UNSET,
      attributes,
      links: [],
      events: events.map((event) => ({ name: event.name, time: hrTimeOf(event.atMs), attributes: event.attributes })),
      ended: true,
      droppedAttributesCount: 0,
      droppedEventsCount: 0,
      droppedLinksCount: 0,
    };
  });
}
