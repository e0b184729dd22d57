import { SpanKind } from '@opentelemetry/api';

import type { CallEnd } from '../../server/port/gateway-port.ts';
import type { CallReport } from '../report/call-report.ts';
import { rpcMethod } from '../report/rpc-method.ts';
import type { BegunTrace } from './begun-trace.ts';
import type { SpanPart } from './finished-span.ts';
import { attemptAttributes, callAttributes, skipAttributes } from './span-attributes.ts';
import type { SpanIds } from './span-ids.ts';

/** Statuses that are the server's fault (OpenTelemetry's conventions for gRPC); others are their callers' business. */
const SERVER_FAULTS: ReadonlySet<string> = new Set([
  'UNKNOWN',
  'DEADLINE_EXCEEDED',
  'UNIMPLEMENTED',
  'INTERNAL',
  'UNAVAILABLE',
  'DATA_LOSS',
]);

/** What the call waited for. */
type WaitFor = 'slot' | 'attempt';

/**
 * Builds the spans of a call out of its trail: one of the server for the call, one of a client for each attempt, one for each wait.
 * Entries that were passed over are events of the call's span.
 *
 * @param endedAtMs when it has ended, by the monotonic clock
 */
export function spanTree(
  end: CallReport,
  call: CallEnd,
  { head, spanId }: BegunTrace,
  ids: SpanIds,
  endedAtMs: number,
): readonly SpanPart[] {
  const { startedAtMs, startedAtWallMs, parent } = head;
  const endMs = startedAtWallMs + endedAtMs - startedAtMs;
  // The engine has had it from then on.
  const takenAtMs = Math.max(startedAtWallMs, endMs - call.result.elapsedMs);
  const children: SpanPart[] = [];
  const events: SpanPart['events'][number][] = [];
  let settledAtMs = takenAtMs;
  const wait = (startMs: number, ms: number, reason: WaitFor): void => {
    settledAtMs = startMs + ms;
    const attributes = { 'understudy.wait.for': reason };
    children.push(
      part({ name: `wait for ${reason}`, kind: SpanKind.INTERNAL, startMs, endMs: settledAtMs, attributes }),
    );
  };
  if (end.slotWaitMs !== undefined) wait(takenAtMs, end.slotWaitMs, 'slot');
  for (const attempt of end.attempts) {
    const { record } = attempt;
    const startMs = takenAtMs + record.startedAfterMs;
    if (record.kind === 'SKIPPED') {
      events.push({ name: 'understudy.skipped', atMs: startMs, attributes: skipAttributes(attempt) });
      continue;
    }
    if (record.waitBeforeMs > 0) {
      const fromMs = Math.max(settledAtMs, startMs - record.waitBeforeMs);
      wait(fromMs, startMs - fromMs, 'attempt');
    }
    settledAtMs = startMs + record.durationMs;
    const attributes = attemptAttributes(attempt, call);
    const isError = record.failure !== undefined;
    const name = `chat ${String(attributes['gen_ai.request.model'])}`;
    const { spanId: id = ids.span() } = attempt;
    children.push(part({ name, kind: SpanKind.CLIENT, startMs, endMs: settledAtMs, attributes, isError }, id));
  }
  const { waitAfterMs = 0 } = end;
  if (waitAfterMs > 0)
    wait(Math.max(settledAtMs, endMs - waitAfterMs), Math.min(waitAfterMs, endMs - settledAtMs), 'attempt');
  const whole: SpanPart = {
    name: rpcMethod(end.method),
    kind: SpanKind.SERVER,
    spanId,
    parentSpanId: parent?.spanId,
    startMs: startedAtWallMs,
    endMs,
    attributes: callAttributes(end, head),
    isError: SERVER_FAULTS.has(end.outcome.status),
    events,
  };
  return [whole, ...children];

  function part(
    own: Omit<SpanPart, 'spanId' | 'parentSpanId' | 'events' | 'isError'> & { readonly isError?: boolean },
    id = ids.span(),
  ): SpanPart {
    return { isError: false, ...own, spanId: id, parentSpanId: spanId, events: [] };
  }
}
