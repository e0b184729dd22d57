import { resourceFromAttributes } from '@opentelemetry/resources';
import {
  AlwaysOffSampler,
  AlwaysOnSampler,
  BatchSpanProcessor,
  InMemorySpanExporter,
  ParentBasedSampler,
  type ReadableSpan,
  type Sampler,
  TraceIdRatioBasedSampler,
} from '@opentelemetry/sdk-trace';
import * as conventions from '@opentelemetry/semantic-conventions/incubating';
import { describe, expect, test } from 'vitest';

import { create } from '@bufbuild/protobuf';
import { GenerationOptionsSchema } from '../../../gen/understudy/v1/chat_pb.ts';
import { ChatRequestSchema } from '../../../gen/understudy/v1/llm_pb.ts';
import type { CallEnd } from '../../../src/server/port/gateway-port.ts';
import { reportCall } from '../../../src/telemetry/report/call-report.ts';
import type { BegunTrace } from '../../../src/telemetry/tracing/begun-trace.ts';
import { SpanQueue } from '../../../src/telemetry/tracing/span-queue.ts';
import { Tracing } from '../../../src/telemetry/tracing/tracing.ts';
import { attempt, failed, failure, success } from '../../server/support/fake-gateway.ts';
import { callerOf } from '../../support/caller-accounts.ts';
import { readFromRoot, tableBelow } from '../../support/doc-tables.ts';
import { mulberry32 } from '../../support/virtual-runtime.ts';

const WALL_MS = 1_795_305_600_000;

/** A clock that stands at 1,000 ms, and at WALL_MS, unless told otherwise. */
function stage(sampler: Sampler = new AlwaysOnSampler(), room = 100) {
  const exporter = new InMemorySpanExporter();
  const processor = new BatchSpanProcessor({ exporter });
  const clock = { nowMs: 1_000 };
  const lost = { spans: 0 };
  const tracing = new Tracing({
    runtime: { now: () => clock.nowMs, wall: () => WALL_MS, random: mulberry32(5) },
    sampler,
    propagates: true,
    source: { resource: resourceFromAttributes({}), instrumentationScope: { name: 'understudy', version: '1.2.3' } },
    queue: new SpanQueue(processor, room, (spans) => {
      lost.spans += spans;
    }),
  });
  const begin = (traceparent: string | null = null): BegunTrace =>
    tracing.begin('StreamChat', {
      requestHeader: { get: (name) => (name === 'traceparent' ? traceparent : null) },
      protocolName: 'grpc',
    });
  const end = (trace: BegunTrace, result: CallEnd['result'], changes: Partial<CallEnd> = {}, tookMs = 500): void => {
    const request = create(ChatRequestSchema, { model: 'fast', labels: { team: 'stage' } });
    const trail = { attempts: [], cost: undefined };
    const call: CallEnd = { method: 'StreamChat', requestId: 'r-1', request, result, trail, trace, ...changes };
    tracing.ended(reportCall(call), call, 1_000 + tookMs);
  };
  const spans = async (): Promise<readonly ReadableSpan[]> => {
    await processor.forceFlush();
    return exporter.getFinishedSpans();
  };
  return { begin, end, spans, lost };
}

/** When a span began and ended, in milliseconds since the call did. */
function times({ startTime, endTime }: ReadableSpan): readonly [number, number] {
  const ms = ([seconds, nanos]: readonly [number, number]): number => seconds * 1_000 + nanos / 1e6 - WALL_MS;
  return [ms(startTime), ms(endTime)];
}

describe('the spans of a call', () => {
  test('have the times of its trail, which the engine counts from when it has taken it', async () => {
    const { begin, end, spans } = stage();
    const trace = begin();
    trace.attempt();
    trace.attempt();
    const attempts = [
      attempt({ startedAfterMs: 40, durationMs: 100, failure: failure() }),
      attempt({ number: 2, kind: 'RETRY', startedAfterMs: 200, durationMs: 250, waitBeforeMs: 60 }),
    ];
    end(trace, { ...success([], { attempts, elapsedMs: 490 }), slotWaitMs: 30 });
    const [call, ...children] = await spans();
    expect(call?.name).toBe('understudy.v1.LlmService/StreamChat');
    expect(call && times(call)).toEqual([0, 500]);
    expect(children.map((span) => [span.name, ...times(span)])).toEqual([
      ['wait for slot', 10, 40],
      ['chat model-1', 50, 150],
      ['wait for attempt', 150, 210],
      ['chat model-1', 210, 460],
    ]);
    const ids = children.filter(({ name }) => name === 'chat model-1').map((span) => span.spanContext().spanId);
    expect(ids).toEqual(trace.attemptSpanIds);
  });

  test('have a wait that came to nothing, where that ended it', async () => {
    const { begin, end, spans } = stage();
    const trace = begin();
    trace.attempt();
    const result = failed({ status: 'DEADLINE_EXCEEDED' }, [attempt({ durationMs: 99, failure: failure() })]);
    end(trace, { ...result, elapsedMs: 500, waitAfterMs: 300 } as CallEnd['result']);
    const [call, , wait] = await spans();
    expect(wait && [wait.name, ...times(wait)]).toEqual(['wait for attempt', 200, 500]);
    expect(call?.status.code).toBe(2);
  });

  test('have an event for each target that was passed over', async () => {
    const { begin, end, spans } = stage();
    const skipped = attempt({ kind: 'SKIPPED', failure: failure({ reason: 'CIRCUIT_OPEN' }) });
    end(begin(), failed({ status: 'UNAVAILABLE' }, [skipped]));
    const [call, ...children] = await spans();
    expect(children).toEqual([]);
    expect(call?.events).toMatchObject([
      { name: 'understudy.skipped', attributes: { 'error.type': 'CIRCUIT_OPEN', 'understudy.target': 'lead' } },
    ]);
  });

  test.each([
    ['INVALID_ARGUMENT', 0],
    ['RESOURCE_EXHAUSTED', 0],
    ['CANCELLED', 0],
    ['UNAVAILABLE', 2],
    ['INTERNAL', 2],
  ] as const)('are errors where that is the server’s fault: %s', async (status, code) => {
    const { begin, end, spans } = stage();
    end(begin(), failed({ status }));
    const [call] = await spans();
    expect(call?.status.code).toBe(code);
    expect(call?.attributes['error.type']).toBe('ALL_PROVIDERS_FAILED');
  });

  test('are not made where there is no room for them, and counted', async () => {
    const { begin, end, spans, lost } = stage(new AlwaysOnSampler(), 3);
    for (let call = 0; call < 2; call++) {
      const trace = begin();
      trace.attempt();
      end(trace, success());
    }
    expect(await spans()).toHaveLength(2);
    expect(lost.spans).toBe(2);
  });
});

describe('whether a call is sampled', () => {
  const PARENT = `00-${'a'.repeat(32)}-${'b'.repeat(16)}`;

  test.each([
    ['always_off', new AlwaysOffSampler(), null, false],
    [
      'a ratio of 0.5, by the id of the trace',
      new TraceIdRatioBasedSampler(0.5),
      `00-${'0'.repeat(31)}1-${'b'.repeat(16)}-00`,
      true,
    ],
    ['its parent', new ParentBasedSampler({ root: new AlwaysOffSampler() }), `${PARENT}-01`, true],
    ['its parent, which is not', new ParentBasedSampler({ root: new AlwaysOnSampler() }), `${PARENT}-00`, false],
    ['the root, without a parent', new ParentBasedSampler({ root: new AlwaysOffSampler() }), null, false],
    ['the root, with a parent that cannot be read', new ParentBasedSampler({ root: new AlwaysOnSampler() }), 'x', true],
  ])('is decided by %s', async (_name, sampler, traceparent, isSampled) => {
    const { begin, end, spans } = stage(sampler);
    const trace = begin(traceparent);
    const headers = trace.attempt();
    expect(trace.isSampled).toBe(isSampled);
    expect(headers[1]?.endsWith(isSampled ? '-01' : '-00')).toBe(true);
    if (isSampled) end(trace, success());
    expect(await spans()).toHaveLength(isSampled ? 2 : 0);
  });

  test('one that is not has the same headers for all its attempts', () => {
    const trace = stage(new AlwaysOffSampler()).begin();
    expect(trace.attempt()).toBe(trace.attempt());
    expect(trace.attemptSpanIds).toEqual([]);
  });
});

describe('attributes', () => {
  /** Those of a call with everything. */
  async function allAttributes(): Promise<readonly string[]> {
    const { begin, end, spans } = stage();
    const usage = { inputTokens: 9, cachedInputTokens: 1, cacheWriteTokens: 2, outputTokens: 5, reasoningTokens: 3 };
    const options = create(GenerationOptionsSchema, {
      maxTokens: 5,
      temperature: 0.5,
      topP: 0.9,
      presencePenalty: 0.1,
      frequencyPenalty: 0.2,
      seed: 7n,
      stop: ['planted-stop'],
      responseFormat: { format: { case: 'jsonObject', value: {} } },
    });
    const request = create(ChatRequestSchema, { model: 'fast', labels: { team: 'stage' }, options });
    const broken = failure({ httpStatus: 500, providerCode: 'server_error', message: 'planted-message' });
    const attempts = [
      attempt({ kind: 'SKIPPED', failure: failure() }),
      attempt({ failure: broken, waitBeforeMs: 1, circuit: { state: 'HALF_OPEN', generation: 1 } }),
      attempt({ usage, firstOutputMs: 5, reportedModel: 'm', httpStatus: 200, providerRequestId: 'req-1' }),
    ];
    const trace = begin();
    trace.attempt();
    trace.attempt();
    const caller = callerOf('billing', { group: 'backend' });
    const cost = { nanoUsd: 5n, source: 1, priceTableVersion: '' };
    const trail = { attempts: attempts.map(() => ({ cost })), cost } as unknown as CallEnd['trail'];
    end(trace, success([], { attempts, skipsLeftOut: 1 }), { request, caller, trail });
    const made = await spans();
    expect(JSON.stringify(made.map(({ attributes, events }) => [attributes, events]))).not.toContain('planted');
    const parts = [...made, ...made.flatMap(({ events }) => events)];
    return [...new Set(parts.flatMap((part) => Object.keys(part.attributes ?? {})))];
  }

  test('have the names of the conventions, or our own', async () => {
    const known = new Set<unknown>(Object.values(conventions));
    const strange = (await allAttributes()).filter((name) => !name.startsWith('understudy.') && !known.has(name));
    expect(strange).toEqual([]);
  });

  test('are those that docs/tracing.md lists', async () => {
    const listed = tableBelow(readFromRoot('docs/tracing.md'), '### Attributes').flatMap(([names = '']) =>
      [...names.matchAll(/`([^`]+)`/g)].map(([, name = '']) => name.replace('…', 'team')),
    );
    expect([...listed].sort()).toEqual((await allAttributes()).toSorted());
  });
});
