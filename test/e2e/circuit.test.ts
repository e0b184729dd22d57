import { describe, expect, test } from 'vitest';

import { Health, HealthCheckResponse_ServingStatus as Status } from '../../gen/grpc/health/v1/health_pb.ts';
import type { ProviderHealth } from '../../gen/understudy/v1/health_pb.ts';
import { CircuitState, HealthStatus } from '../../gen/understudy/v1/health_pb.ts';
import { LlmService } from '../../gen/understudy/v1/llm_pb.ts';
import { system } from '../../src/system.ts';
import type { FailoverStage } from '../support/failover-stage.ts';
import { requestOf, stage } from '../support/failover-stage.ts';
import { errorAnswer, goodAnswer } from '../support/openai-bodies.ts';
import { rpcError, trailOf } from '../support/rpc-error.ts';

const FAILED = errorAnswer(500, null);
const PASSED_OVER = ['SKIPPED lead CIRCUIT_OPEN', 'FIRST understudy OK'];
const FAILURES = 5;

interface BreakerStage extends FailoverStage {
  /** Moves the clock of the gateway on, which goes by itself as well. */
  pass(ms: number): void;
}

/** Sets up a lead whose circuit opens after five failures, each of which is one request. */
async function breakerStage(): Promise<BreakerStage> {
  let passedMs = 0;
  const now = (): number => system.now() + passedMs;
  const circuit = { failures: FAILURES, window: '600s', cooldown: '60s' };
  const scene = await stage({ circuit_breaker: circuit, retry: { max_repeats: 0 } }, { now });
  return {
    ...scene,
    pass: (ms) => {
      passedMs += ms;
    },
  };
}

async function failFiveTimes({ lead, ask }: FailoverStage): Promise<void> {
  for (let count = 0; count < FAILURES; count += 1) {
    lead.script(...FAILED);
    const { attempts } = await ask('Chat');
    expect(trailOf(attempts)).toEqual(['FIRST lead PROVIDER_UNAVAILABLE', 'FAILOVER understudy OK']);
  }
}

/** Lets as much time pass as Health says that the circuit refuses. */
async function waitAsTold(scene: BreakerStage): Promise<void> {
  const { reopensIn } = (await leadHealth(scene))?.circuits[0] ?? {};
  const waitMs = Number(reopensIn?.seconds ?? 0) * 1_000 + (reopensIn?.nanos ?? 0) / 1e6;
  expect(waitMs).toBeLessThanOrEqual(60_000);
  scene.pass(waitMs);
}

async function leadHealth({ gateway }: FailoverStage): Promise<ProviderHealth | undefined> {
  const { providers } = await gateway.client.call(LlmService.method.health, {});
  return providers.find(({ target }) => target === 'lead');
}

describe('the circuit of a target', () => {
  test('opens after five failures, lets one probe through after its cooldown, and closes with its success', async () => {
    const scene = await breakerStage();
    const { lead, gateway, ask } = scene;
    const watched = gateway.client.stream(Health.method.watch, { service: 'understudy.target.lead' });
    const whole = gateway.client.stream(Health.method.watch, { service: '' });
    expect((await watched.at(0)).status).toBe(Status.SERVING);

    await failFiveTimes(scene);
    expect((await watched.at(1)).status).toBe(Status.NOT_SERVING);
    const { status, providers } = await gateway.client.call(LlmService.method.health, {});
    expect(status).toBe(HealthStatus.DEGRADED);
    expect(providers[0]).toMatchObject({
      target: 'lead',
      healthy: false,
      successRate: 0,
      failures: 5n,
      circuit: CircuitState.OPEN,
      circuits: [{ model: 'model-1', state: CircuitState.OPEN }],
    });
    expect(providers[0]?.circuits[0]?.reopensIn).toBeDefined();

    // Who is refused has the lead asked for its list of models, which costs nothing.
    lead.script(...errorAnswer(503, null));
    for (const method of ['Chat', 'StreamChat'] as const) {
      expect(trailOf((await ask(method)).attempts)).toEqual(PASSED_OVER);
    }
    expect(await lead.request(FAILURES)).toMatchObject({ method: 'GET', path: '/v1/models' });
    expect(lead.requestCount).toBe(FAILURES + 1);

    await waitAsTold(scene);
    const { promise: until, resolve: answerProbe } = Promise.withResolvers<void>();
    lead.script({ do: 'hold', until }, ...goodAnswer(true, 'well again'));
    const probe = gateway.client.stream(LlmService.method.streamChat, requestOf());
    await lead.request(FAILURES + 1);
    expect((await leadHealth(scene))?.circuit).toBe(CircuitState.HALF_OPEN);
    const others = await Promise.all([ask('Chat'), ask('StreamChat'), ask('Chat'), ask('StreamChat')]);
    for (const { attempts } of others) expect(trailOf(attempts)).toEqual(PASSED_OVER);
    expect(lead.requestCount).toBe(FAILURES + 2);

    answerProbe();
    const last = (await probe.done).at(-1)?.event;
    expect(last?.case === 'finished' && trailOf(last.value.attempts)).toEqual(['PROBE lead OK']);
    expect((await watched.at(2)).status).toBe(Status.SERVING);
    expect(await leadHealth(scene)).toMatchObject({ healthy: true, circuit: CircuitState.CLOSED });

    lead.script(...goodAnswer(false, 'as before'));
    expect(trailOf((await ask('Chat')).attempts)).toEqual(['FIRST lead OK']);
    // The server as a whole never depends on a provider.
    expect(whole.received.map((response) => response.status)).toEqual([Status.SERVING]);
  });

  test('lets one of many calls through at the same time, and opens again where that one fails', async () => {
    const scene = await breakerStage();
    const { lead, ask } = scene;
    await failFiveTimes(scene);
    await waitAsTold(scene);
    lead.script(...FAILED);
    const answers = await Promise.all(
      Array.from({ length: 8 }, (_, index) => ask(index % 2 === 0 ? 'Chat' : 'StreamChat')),
    );
    const trails = answers.map(({ attempts }) => trailOf(attempts));
    expect(trails.filter(([first]) => first === 'PROBE lead PROVIDER_UNAVAILABLE')).toHaveLength(1);
    expect(trails.filter(([first]) => first === 'SKIPPED lead CIRCUIT_OPEN')).toHaveLength(7);
    expect(lead.requestCount).toBe(FAILURES + 1);
    expect((await leadHealth(scene))?.circuit).toBe(CircuitState.OPEN);
  });

  test('is not decided by a probe whose caller leaves: the next call probes', async () => {
    const scene = await breakerStage();
    const { lead, gateway, ask } = scene;
    await failFiveTimes(scene);
    await waitAsTold(scene);
    lead.script({ do: 'await_close' });
    const left = gateway.client.stream(LlmService.method.streamChat, requestOf());
    const { connection } = await lead.request(FAILURES);
    left.cancel();
    await (
      await lead.connection(connection)
    ).closed;
    lead.script(...goodAnswer(false, 'still there'));
    expect(trailOf((await ask('Chat')).attempts)).toEqual(['PROBE lead OK']);
    expect((await leadHealth(scene))?.circuit).toBe(CircuitState.CLOSED);
  });

  test('is that of one model, also where only its callers name it', async () => {
    const scene = await breakerStage();
    const { lead, ask } = scene;
    const alone = { targets: ['lead'] };
    for (let count = 0; count < FAILURES; count += 1) {
      lead.script(...FAILED);
      await rpcError(ask('Chat', { model: 'sick', routing: alone }));
    }
    lead.script(...errorAnswer(503, null));
    const both = { targets: ['lead', 'understudy'] };
    expect(trailOf((await ask('Chat', { model: 'sick', routing: both })).attempts)).toEqual(PASSED_OVER);
    await lead.request(FAILURES);
    for (const model of ['well', 'well-too', '']) {
      lead.script(...goodAnswer(false, 'as ever'));
      expect(trailOf((await ask('Chat', { model, routing: alone })).attempts)).toEqual(['FIRST lead OK']);
    }
    const { healthy, circuits } = (await leadHealth(scene)) ?? {};
    expect(healthy).toBe(true);
    expect(circuits?.map(({ model, state }) => [model, state])).toEqual([
      ['model-1', CircuitState.CLOSED],
      ['other', CircuitState.CLOSED],
      ['sick', CircuitState.OPEN],
    ]);
  });

  test('stays closed whatever is no fault of the provider', async () => {
    const scene = await breakerStage();
    const { lead, ask } = scene;
    for (let count = 0; count <= FAILURES; count += 1) {
      lead.script(...errorAnswer(400, null));
      const refused = await rpcError(ask('Chat', { routing: { disableFallback: true } }));
      expect(refused).toMatchObject({ code: 'INVALID_ARGUMENT', reason: 'INVALID_REQUEST' });
    }
    expect(await leadHealth(scene)).toMatchObject({ healthy: true, circuit: CircuitState.CLOSED, failures: 0n });
    expect(lead.requestCount).toBe(FAILURES + 1);
  });
});
