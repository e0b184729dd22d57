import { afterAll, beforeAll, describe, expect, test } from 'vitest';

import { CircuitState } from '../../gen/understudy/v1/health_pb.ts';
import type { HealthResponse } from '../../gen/understudy/v1/llm_pb.ts';
import { LlmService } from '../../gen/understudy/v1/llm_pb.ts';
import type { MixedUpstreams } from '../support/mixed-calls.ts';
import { LABELS, LEFT, makeMixedCalls, PLANTED, startMixedUpstreams, startSilentCall } from '../support/mixed-calls.ts';
import { openRpcClient } from '../support/rpc-client.ts';
import type { ToldAttempt, ToldCall } from '../support/told-calls.ts';
import type { UnderstudyProcess } from '../support/understudy-process.ts';
import { startUnderstudy } from '../support/understudy-process.ts';
import { get } from '../support/web-calls.ts';
import type { Exposition } from '../telemetry/exposition.ts';
import { parseExposition, valueOf } from '../telemetry/exposition.ts';

type LogLine = Readonly<Record<string, unknown>>;

let upstreams: MixedUpstreams;
let child: UnderstudyProcess;
/** The calls of which the callers were told everything; not the one that its caller left. */
let told: readonly ToldCall[];
let whileSilent: Exposition;
let atEnd: Exposition;
let scraped: string;
let health: HealthResponse;
let lines: readonly LogLine[];

beforeAll(async () => {
  upstreams = await startMixedUpstreams();
  child = startUnderstudy(['--config', upstreams.config]);
  const { grpc, admin } = await child.doors;
  const client = openRpcClient(grpc);
  told = await makeMixedCalls(client, upstreams);
  const silent = await startSilentCall(client, upstreams);
  whileSilent = parseExposition((await get(`${admin}/metrics`)).body);
  await silent.leave();
  // A call is counted when its line is written.
  await Promise.all([LEFT, ...told.map(({ requestId }) => requestId)].map((id) => child.printed(`_id":"${id}"`)));
  scraped = (await get(`${admin}/metrics`)).body;
  atEnd = parseExposition(scraped);
  health = await client.call(LlmService.method.health, {});
  client.close();
  child.kill('SIGTERM');
  await child.ended;
  lines = child
    .stdout()
    .split('\n')
    .filter((line) => line.startsWith('{'))
    .map(parseLine);
});

afterAll(async () => {
  await child.close();
  await upstreams.close();
});

function parseLine(line: string): LogLine {
  return JSON.parse(line) as LogLine;
}

/** What of an entry of the trail the caller is told too, times apart. */
const TOLD = new Set(['number', 'kind', 'target', 'model', 'outcome', 'status', 'code']);

/** The entries of a line's trail, as far as the caller is told of them. */
function trailOfLine(line: LogLine): readonly object[] {
  const trail = (line['understudy.trail'] ?? []) as readonly Readonly<Record<string, unknown>>[];
  return trail.map((entry) => Object.fromEntries(Object.entries(entry).filter(([name]) => TOLD.has(name))));
}

/** Adds up rows by their names, and leaves out what adds up to nothing. */
function tally(rows: readonly (readonly [name: string, amount: number])[]): Readonly<Record<string, number>> {
  const sums = new Map<string, number>();
  for (const [name, amount] of rows) sums.set(name, (sums.get(name) ?? 0) + amount);
  return Object.fromEntries([...sums].filter(([, sum]) => sum !== 0));
}

/** Tallies a metric by the values of some of its labels. */
function measured(metric: string, labels: readonly string[]): Readonly<Record<string, number>> {
  const samples = atEnd.samples.filter(({ name }) => name === metric);
  return tally(samples.map((sample) => [labels.map((label) => sample.labels[label] ?? '-').join(' '), sample.value]));
}

/** What the trail says of the call that its caller left: the caller was told nothing. */
const LEFT_ATTEMPT = { kind: 'FIRST', target: 'chaos', model: 'model-1', outcome: 'CANCELLED' } as const;

function attempts(): readonly ToldAttempt[] {
  return told.flatMap((call) => call.attempts);
}

/** Nano-USD of the attempt that nobody was told of: an estimate, which the log alone tells. */
function leftNanoUsd(): number {
  return Number(lines.find((line) => line['understudy.request_id'] === LEFT)?.['understudy.cost.nano_usd']);
}

describe('the calls that were made', () => {
  test('are of every kind', () => {
    const kinds = tally(told.map(({ method, status, reason }) => [`${method} ${status} ${reason}`.trim(), 1]));
    expect(kinds).toEqual({
      'Generate OK': 1,
      'Chat OK': 7,
      'StreamChat OK': 4,
      'Generate RESOURCE_EXHAUSTED ALL_PROVIDERS_FAILED': 1,
      'StreamChat UNAVAILABLE ALL_PROVIDERS_FAILED': 1,
      'Chat INVALID_ARGUMENT INVALID_REQUEST': 1,
      'StreamChat NOT_FOUND TARGET_NOT_FOUND': 1,
      'StreamChat ABORTED STREAM_INTERRUPTED': 1,
    });
    const costs = new Set(attempts().map(({ cost }) => cost?.source));
    expect(costs).toEqual(new Set(['EXACT', 'ESTIMATED', 'UNKNOWN', undefined]));
  });
});

describe('/metrics', () => {
  test('counts every call by method, status and reason', () => {
    expect(measured('understudy_calls_total', ['method', 'status', 'reason'])).toEqual(
      tally([
        ...told.map(
          ({ method, status, reason }) => [`${method} ${status} ${reason === '' ? '-' : reason}`, 1] as const,
        ),
        ['StreamChat CANCELLED CANCELLED', 1],
      ]),
    );
    expect(valueOf(atEnd, 'understudy_metrics_errors_total')).toBe(0);
  });

  test('counts every attempt by target, model, kind and outcome', () => {
    expect(measured('understudy_attempts_total', ['target', 'model', 'kind', 'outcome'])).toEqual(
      tally(
        [...attempts(), LEFT_ATTEMPT].map(({ target, model, kind, outcome }) => [
          `${target} ${model} ${kind} ${outcome}`,
          1,
        ]),
      ),
    );
  });

  test('adds up the tokens that the providers reported', () => {
    expect(measured('understudy_tokens_total', ['target', 'type'])).toEqual(
      tally(
        attempts().flatMap(({ target, usage }) => [
          [`${target} input`, usage?.inputTokens ?? 0],
          [`${target} cached_input`, usage?.cachedInputTokens ?? 0],
          [`${target} cache_write`, usage?.cacheWriteTokens ?? 0],
          [`${target} output`, usage?.outputTokens ?? 0],
          [`${target} reasoning`, usage?.reasoningTokens ?? 0],
        ]),
      ),
    );
  });

  test('adds up what the attempts cost, and counts those whose cost is not known', () => {
    const nanoUsd = Object.entries(measured('understudy_cost_usd_total', ['target', 'source']));
    expect(Object.fromEntries(nanoUsd.map(([name, usd]) => [name, Math.round(usd * 1e9)]))).toEqual(
      tally([
        ...attempts().map(({ target, cost }) => [`${target} ${cost?.source}`, Number(cost?.nanoUsd ?? 0n)] as const),
        ['chaos ESTIMATED', leftNanoUsd()],
      ]),
    );
    expect(leftNanoUsd()).toBeGreaterThan(0);
    const unknown = attempts().filter(({ cost }) => cost?.source === 'UNKNOWN');
    expect(measured('understudy_cost_unknown_total', ['target'])).toEqual(
      tally(unknown.map(({ target }) => [target, 1])),
    );
    expect(unknown.length).toBeGreaterThan(0);
  });

  test('shows the call under way while it is, and none afterwards', () => {
    const chaos = { target: 'chaos', provider: 'openai' };
    expect(valueOf(whileSilent, 'understudy_calls_in_flight')).toBe(1);
    expect(valueOf(whileSilent, 'understudy_target_in_flight', chaos)).toBe(1);
    expect(valueOf(atEnd, 'understudy_calls_in_flight')).toBe(0);
    expect(measured('understudy_target_in_flight', ['target'])).toEqual({});
  });

  test('shows open circuits, suspensions and rate limits', () => {
    expect(measured('understudy_circuit_state', ['target'])).toEqual({ broken: 2 });
    expect(measured('understudy_target_suspended', ['target'])).toEqual({ refused: 1 });
    expect(Object.keys(measured('understudy_target_rate_limited_seconds', ['target']))).toEqual(['limited']);
    // A rate limit passes by itself, and has the figure above.
    const usable = { plain: 1, streamed: 1, cached: 1, unpriced: 1, limited: 1, chaos: 1 };
    expect(measured('understudy_target_available', ['target'])).toEqual(usable);
  });

  test('times every call that asked a provider, and the first words of every stream', () => {
    const asked = [...told.map((call) => call.attempts), [LEFT_ATTEMPT]]
      .map((trail) => trail.findLast(({ kind }) => kind !== 'SKIPPED')?.target)
      .filter((target) => target !== undefined);
    expect(measured('gen_ai_client_operation_duration_seconds_count', ['understudy_target'])).toEqual(
      tally(asked.map((target) => [target, 1])),
    );
    const streams = told.filter(({ method, reason }) => method === 'StreamChat' && /^(STREAM.*)?$/.test(reason));
    expect(measured('gen_ai_client_operation_time_to_first_chunk_seconds_count', [])).toEqual({ '': streams.length });
  });

  test('agrees with the health of the targets', () => {
    const { providers } = health;
    const ofMetric = Object.entries(measured('understudy_cost_usd_total', ['target']));
    const ofHealth = providers.map(({ target, costNanoUsd }) => [target, Number(costNanoUsd ?? 0n)] as const);
    expect(tally(ofHealth)).toEqual(Object.fromEntries(ofMetric.map(([name, usd]) => [name, Math.round(usd * 1e9)])));
    const open = providers.filter(({ circuit }) => circuit === CircuitState.OPEN);
    expect(open.map(({ target }) => target)).toEqual(['broken']);
  });
});

describe('the log', () => {
  test('has one line for each call, and it says what the caller was told', () => {
    const ended = lines.filter(({ msg }) => msg === 'call ended');
    expect(ended.map((line) => line['understudy.request_id'])).toEqual([
      ...told.map(({ requestId }) => requestId),
      LEFT,
    ]);
    for (const [index, call] of told.entries()) {
      const line = ended[index] ?? {};
      expect(line).toMatchObject({
        'rpc.method': `understudy.v1.LlmService/${call.method}`,
        'rpc.status_code': call.status,
        'understudy.labels': LABELS,
      });
      expect(line['error.type']).toBe(call.reason === '' ? undefined : call.reason);
      expect(line['gen_ai.usage.input_tokens']).toBe(call.usage?.inputTokens);
      expect(line['gen_ai.usage.output_tokens']).toBe(call.usage?.outputTokens);
      expect(line['understudy.cost.source']).toBe(call.cost?.source);
      const { nanoUsd } = call.cost ?? {};
      expect(line['understudy.cost.nano_usd']).toBe(nanoUsd === undefined ? undefined : Number(nanoUsd));
      expect(trailOfLine(line)).toEqual(call.attempts.map(({ usage: _usage, cost: _cost, ...entry }) => entry));
    }
    expect(ended.at(-1)).toMatchObject({
      'rpc.status_code': 'CANCELLED',
      'error.type': 'CANCELLED',
      'understudy.trail': [{ number: 1, ...LEFT_ATTEMPT }],
      'understudy.cost.source': 'ESTIMATED',
    });
  });

  test('tells the operator once of a key that is refused', () => {
    const alerts = lines.filter(({ msg }) => msg === 'target needs attention');
    expect(alerts).toMatchObject([{ 'understudy.target': 'refused', 'error.type': 'PROVIDER_AUTH_FAILED' }]);
  });
});

test('nothing of keys, prompts, answers, URLs or words of providers is in log or metrics', () => {
  const sent = JSON.stringify(upstreams.replay.requests);
  for (const word of [PLANTED.key, PLANTED.prompt, PLANTED.system, PLANTED.path]) expect(sent).toContain(word);
  for (const text of [scraped, child.stdout(), child.stderr()]) {
    for (const word of Object.values(PLANTED)) expect(text).not.toContain(word);
  }
});
