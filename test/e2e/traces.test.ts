import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';

import { Role } from '../../gen/understudy/v1/chat_pb.ts';
import { LlmService } from '../../gen/understudy/v1/llm_pb.ts';
import { Recovery } from '../../gen/understudy/v1/routing_pb.ts';
import { say } from '../support/chat-samples.ts';
import { jsonReply } from '../support/five-providers.ts';
import { completion, ROLE_EVENT, STREAM_END, textEvent } from '../support/openai-bodies.ts';
import { type OtlpReceiver, openOtlpReceiver, type ReceivedSpan } from '../support/otlp-receiver.ts';
import { type ReplayServer, startReplayServer } from '../support/replay-server.ts';
import { openRpcClient } from '../support/rpc-client.ts';
import { startUnderstudy, type UnderstudyProcess } from '../support/understudy-process.ts';
import { get, postJson } from '../support/web-calls.ts';

const TRACE = '4bf92f3577b34da6a3ce929d0e0e4736';
const CALLER_SPAN = '00f067aa0ba902b7';
const TRACEPARENT = `00-${TRACE}-${CALLER_SPAN}-01`;

/** Words that no span may hold. */
const PLANTED = ['planted-prompt', 'planted-answer', 'planted-error', 'planted-key', 'planted-path', 'planted-baggage'];

let upstream: ReplayServer;
let receiver: OtlpReceiver;
let folder: string;
let config: string;

beforeAll(async () => {
  upstream = await startReplayServer({ seed: 3 });
  receiver = await openOtlpReceiver();
  folder = await mkdtemp(join(tmpdir(), 'understudy-traces-'));
  config = join(folder, 'config.json');
  const whole = { status: 200, headers: { 'content-type': 'text/event-stream' } };
  const error = { error: { message: 'planted-error', type: 'server_error', param: null, code: null } };
  upstream.route('/cut/planted-path', { ...whole, body: [ROLE_EVENT, textEvent('planted-answer')].join('') });
  upstream.route('/good/planted-path', {
    ...whole,
    body: [ROLE_EVENT, textEvent('planted-answer'), STREAM_END].join(''),
  });
  upstream.route('/whole/planted-path', jsonReply(200, JSON.parse(completion('planted-answer'))));
  upstream.route('/busy/planted-path', jsonReply(500, error));
  const at = (name: string, model: string) => ({
    name,
    provider: 'openai',
    base_url: `${upstream.origin}/${name}/planted-path`,
    api_key: 'planted-key',
    model,
    prices: [{ model, input: '1', output: '2' }],
  });
  const targets = [at('busy', 'model-1'), at('cut', 'model-2'), at('good', 'model-3'), at('whole', 'model-4')];
  await writeFile(config, JSON.stringify({ targets, retry: { backoff: ['20ms'], jitter: 'NONE' } }));
});

afterAll(async () => {
  await upstream.close();
  await receiver.close();
  await rm(folder, { recursive: true, force: true });
});

/** Starts a gateway that exports after 50 ms. */
function start(env: Readonly<Record<string, string>> = {}): UnderstudyProcess {
  return startUnderstudy(['--config', config], {
    OTEL_EXPORTER_OTLP_ENDPOINT: receiver.endpoint,
    OTEL_BSP_SCHEDULE_DELAY: '50',
    OTEL_METRICS_EXPORTER: 'none',
    ...env,
  });
}

let gateway: UnderstudyProcess | undefined;

afterEach(async () => {
  receiver.behave('take');
  await gateway?.close();
  gateway = undefined;
});

const PROMPT = [say(Role.USER, 'planted-prompt')];

/** Streams an answer over gRPC to its end. */
async function stream(
  address: string,
  request: object,
  metadata: Readonly<Record<string, string>> = {},
): Promise<void> {
  const client = openRpcClient(address);
  try {
    await client.stream(LlmService.method.streamChat, { messages: PROMPT, ...request }, { metadata }).done;
  } finally {
    client.close();
  }
}

/** The spans of a trace, the call's first and the others as they began; resolves when it has so many. */
async function spansOf(traceId: string, count: number): Promise<readonly ReceivedSpan[]> {
  const ofTrace = (): readonly ReceivedSpan[] => receiver.spans.filter((span) => span.traceId === traceId);
  await receiver.until(() => ofTrace().length >= count);
  return ofTrace().toSorted((one, other) => Number(one.startNs - other.startNs) || other.kind - one.kind);
}

/** The gateway's log lines about calls. */
function callLines({ stdout }: UnderstudyProcess): readonly Readonly<Record<string, unknown>>[] {
  const lines = stdout()
    .split('\n')
    .filter((line) => line.includes('"msg":"call ended"'));
  return lines.map((line) => JSON.parse(line) as Readonly<Record<string, unknown>>);
}

describe('the trace of a call with a failover and a restart', () => {
  const RESTARTED = { recovery: Recovery.RESTART, routing: { targets: ['busy', 'cut', 'good'] } };

  test('has a span for the call, one for each attempt and each wait, and goes on with the caller to the providers', async () => {
    const before = upstream.requests.length;
    gateway = start({ OTEL_SERVICE_NAME: 'stage', OTEL_RESOURCE_ATTRIBUTES: 'deployment.environment.name=test' });
    const { grpc } = await gateway.doors;
    const metadata = { traceparent: TRACEPARENT, tracestate: 'vendor=1,other=2', baggage: 'user=planted-baggage' };
    await stream(grpc, RESTARTED, metadata);
    const [call, ...children] = await spansOf(TRACE, 6);
    expect(call).toMatchObject({
      name: 'understudy.v1.LlmService/StreamChat',
      kind: 2,
      parentSpanId: CALLER_SPAN,
      traceState: 'vendor=1,other=2',
      isError: false,
      attributes: {
        'rpc.system.name': 'grpc',
        'rpc.method': 'understudy.v1.LlmService/StreamChat',
        'rpc.status_code': 'OK',
        'understudy.target': 'good',
      },
      resource: {
        'service.name': 'stage',
        'deployment.environment.name': 'test',
        'telemetry.sdk.name': 'opentelemetry',
      },
    });
    expect(children.map(({ name, kind }) => [name, kind])).toEqual([
      ['chat model-1', 3],
      ['wait for attempt', 1],
      ['chat model-1', 3],
      ['chat model-2', 3],
      ['chat model-3', 3],
    ]);
    const attempts = children.filter(({ kind }) => kind === 3);
    expect(attempts.map(({ attributes }) => [attributes['understudy.attempt.kind'], attributes['error.type']])).toEqual(
      [
        ['FIRST', 'PROVIDER_UNAVAILABLE'],
        ['RETRY', 'PROVIDER_UNAVAILABLE'],
        ['FAILOVER', 'STREAM_INTERRUPTED'],
        ['RESTART', undefined],
      ],
    );
    expect(attempts.map(({ isError }) => isError)).toEqual([true, true, true, false]);
    for (const child of children) {
      expect(child.parentSpanId).toBe(call?.spanId);
      expect(child.startNs >= (call?.startNs ?? 0n) && child.endNs <= (call?.endNs ?? 0n)).toBe(true);
    }
    const told = upstream.requests.slice(before).map(({ headers }) => headers);
    expect(told.map(({ traceparent }) => traceparent)).toEqual(
      attempts.map(({ spanId }) => `00-${TRACE}-${spanId}-01`),
    );
    expect(told.map(({ tracestate }) => tracestate)).toEqual(attempts.map(() => 'vendor=1,other=2'));
    expect(told.map(({ baggage }) => baggage)).toEqual(attempts.map(() => undefined));
    expect(callLines(gateway)).toMatchObject([{ trace_id: TRACE, span_id: call?.spanId }]);
    const sent = receiver.bodies.map((body) => body.toString('latin1')).join('');
    expect(JSON.stringify(upstream.requests)).toContain('planted-prompt');
    for (const word of PLANTED) expect(sent).not.toContain(word);
  });

  test('is linked to by the histograms, where a scrape asks for OpenMetrics', async () => {
    gateway = start();
    const { grpc, admin } = await gateway.doors;
    await stream(grpc, { routing: { targets: ['good'] } }, { traceparent: TRACEPARENT.replace(TRACE, 'a'.repeat(32)) });
    const [call] = await spansOf('a'.repeat(32), 2);
    const response = await fetch(`${admin}/metrics`, {
      headers: { accept: 'application/openmetrics-text;version=1.0.0' },
    });
    const text = await response.text();
    expect(response.headers.get('content-type')).toBe('application/openmetrics-text; version=1.0.0; charset=utf-8');
    expect(text).toContain(`# {trace_id="${'a'.repeat(32)}",span_id="${call?.spanId}"}`);
    expect((await get(`${admin}/metrics`)).body).not.toContain('trace_id');
  });
});

describe('a call', () => {
  test('that comes over Connect is traced, too', async () => {
    gateway = start();
    const { web } = await gateway.doors;
    const traceId = 'b'.repeat(32);
    const traceparent = `00-${traceId}-${CALLER_SPAN}-01`;
    const request = { prompt: 'planted-prompt', routing: { targets: ['whole'] } };
    await postJson(web, 'Generate', request, { traceparent });
    const [call, attempt] = await spansOf(traceId, 2);
    expect(call?.attributes).toMatchObject({
      'rpc.system.name': 'connectrpc',
      'rpc.method': 'understudy.v1.LlmService/Generate',
    });
    expect(attempt?.attributes).toMatchObject({
      'gen_ai.operation.name': 'chat',
      'gen_ai.provider.name': 'openai',
      'gen_ai.request.model': 'model-4',
      'gen_ai.usage.input_tokens': expect.any(Number),
      'understudy.cost.source': 'EXACT',
      'http.response.status_code': 200,
    });
  });

  test('of a caller who does not export is passed on as such, and not exported', async () => {
    gateway = start();
    const { grpc } = await gateway.doors;
    const before = upstream.requests.length;
    const traceId = 'c'.repeat(32);
    await stream(grpc, { routing: { targets: ['good'] } }, { traceparent: `00-${traceId}-${CALLER_SPAN}-00` });
    await stream(grpc, { routing: { targets: ['good'] } }, { traceparent: `00-${'d'.repeat(32)}-${CALLER_SPAN}-01` });
    await spansOf('d'.repeat(32), 2);
    expect(receiver.spans.some((span) => span.traceId === traceId)).toBe(false);
    expect(upstream.requests[before]?.headers['traceparent']).toMatch(new RegExp(`^00-${traceId}-[0-9a-f]{16}-00$`));
    expect(callLines(gateway)[0]).not.toHaveProperty('trace_id');
  });

  test.each([
    ['no endpoint', { OTEL_EXPORTER_OTLP_ENDPOINT: '' }],
    ['OTEL_SDK_DISABLED', { OTEL_SDK_DISABLED: 'true' }],
    ['no exporter', { OTEL_TRACES_EXPORTER: 'none' }],
    ['no propagator', { OTEL_PROPAGATORS: 'none' }],
  ])('tells its provider of no trace with %s', async (_name, env) => {
    gateway = start(env);
    const { grpc } = await gateway.doors;
    const before = upstream.requests.length;
    await stream(grpc, { routing: { targets: ['good'] } }, { traceparent: TRACEPARENT });
    expect(upstream.requests[before]?.headers['traceparent']).toBeUndefined();
  });

  test('begins a trace where its caller has none', async () => {
    gateway = start();
    const { grpc } = await gateway.doors;
    const count = receiver.spans.length;
    await stream(grpc, { routing: { targets: ['good'] } });
    await receiver.until(({ spans }) => spans.length >= count + 2);
    const [call, attempt] = receiver.spans.slice(count);
    expect(call).toMatchObject({ kind: 2, parentSpanId: '' });
    expect(attempt).toMatchObject({ kind: 3, parentSpanId: call?.spanId, traceId: call?.traceId });
  });
});

describe('metrics', () => {
  test('are exported by their names in the conventions, and as /metrics has them', async () => {
    gateway = start({ OTEL_METRICS_EXPORTER: 'otlp', OTEL_METRIC_EXPORT_INTERVAL: '50' });
    const { grpc, admin } = await gateway.doors;
    await stream(grpc, { routing: { targets: ['good'] } });
    const valueOf = (name: string): number | undefined =>
      receiver.metrics().find((metric) => metric.name === name)?.points[0]?.value;
    await receiver.until(() => valueOf('gen_ai.client.operation.duration') !== undefined);
    const { body } = await get(`${admin}/metrics`);
    const duration = receiver.metrics().find(({ name }) => name === 'gen_ai.client.operation.duration');
    expect(duration).toMatchObject({ unit: 's', kind: 'histogram' });
    expect(duration?.points[0]?.attributes).toMatchObject({ 'gen_ai.request.model': 'model-3' });
    expect(body).toContain(`} ${duration?.points[0]?.value}\n`);
    expect(valueOf('understudy_attempts_total')).toBe(1);
    expect(valueOf('grpc.server.call.started')).toBe(1);
  });
});

describe('a collector', () => {
  test('that refuses costs calls nothing, and is told of once', async () => {
    receiver.behave(400);
    gateway = start();
    const { grpc, admin } = await gateway.doors;
    for (let call = 0; call < 3; call++) await stream(grpc, { routing: { targets: ['good'] } });
    await gateway.printed('telemetry cannot be exported');
    const lines = gateway
      .stdout()
      .split('\n')
      .filter((line) => line.includes('telemetry cannot be exported'));
    expect(lines).toHaveLength(1);
    expect(JSON.parse(lines[0] ?? '')).toMatchObject({
      level: 'warn',
      'understudy.signal': 'traces',
      'error.type': '400',
    });
    expect(gateway.stdout()).not.toContain('words of a collector');
    const { body } = await get(`${admin}/metrics`);
    expect(body).toMatch(/understudy_otlp_exports_total\{signal="traces",outcome="failed"\} [1-9]/);
    expect(body).toMatch(/understudy_otlp_spans_lost_total [1-9]/);
  });

  test('that says nothing keeps no process from its end', async () => {
    receiver.behave('hang');
    gateway = start();
    const { grpc } = await gateway.doors;
    await stream(grpc, { routing: { targets: ['good'] } });
    gateway.kill('SIGINT');
    expect(await gateway.ended).toMatchObject({ code: 0 });
  });

  test('gets the last spans of a process that ends', async () => {
    gateway = start({ OTEL_BSP_SCHEDULE_DELAY: '60000' });
    const { grpc } = await gateway.doors;
    const traceId = 'e'.repeat(32);
    await stream(grpc, { routing: { targets: ['good'] } }, { traceparent: `00-${traceId}-${CALLER_SPAN}-01` });
    gateway.kill('SIGINT');
    await gateway.ended;
    expect(receiver.spans.filter((span) => span.traceId === traceId)).toHaveLength(2);
  });
});
