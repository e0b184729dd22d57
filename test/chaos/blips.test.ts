import { once } from 'node:events';
import { createServer } from 'node:http';
import { describe, expect, onTestFinished, test } from 'vitest';

import { CircuitState } from '../../gen/understudy/v1/health_pb.ts';
import type { ConfigInput } from '../../src/config/file/schema.ts';
import { system } from '../../src/system.ts';
import { healthOf, OTHER } from '../support/chaos-stage.ts';
import type { ChaosUpstream } from '../support/chaos-upstream.ts';
import type { Question } from '../support/failover-stage.ts';
import { ask, chaosUpstream, chatTarget, gatewayFor } from '../support/failover-stage.ts';
import { freePort } from '../support/free-port.ts';
import type { RunningGateway } from '../support/gateway-doors.ts';
import { completion, errorAnswer, goodAnswer } from '../support/openai-bodies.ts';
import { trailOf } from '../support/rpc-error.ts';

const PATIENT = { deadlineMs: 60_000 };
const LAST_MS = 9_000;
const LAST_IS_LONG: ConfigInput['retry'] = { backoff: ['50ms', '50ms', '50ms', `${LAST_MS}ms`], jitter: 'NONE' };
const SICK = errorAnswer(503, null);
const BLIPS = [
  { name: 'answers 503', blip: SICK },
  { name: 'resets connections', blip: [{ do: 'reset' }] },
] as const;

/** Answers so many requests with a fault, and those behind them well. */
function scripted(
  upstream: ChaosUpstream,
  faults: number,
  fault: (typeof BLIPS)[number]['blip'],
  answers: number,
): void {
  for (let count = 0; count < faults; count += 1) upstream.script(...fault);
  for (let count = 0; count < answers; count += 1) upstream.script(...goodAnswer(false, OTHER));
}

/** Resolves when a target has failed so many times. */
async function failed(gateway: RunningGateway, target: string, times: bigint): Promise<void> {
  const { failures } = await healthOf(gateway, target);
  if (failures < times) await failed(gateway, target, times);
}

/** A world in which the last wait before a repeat is over when a test says so, and not before. */
function lastWait() {
  const { promise: over, resolve: end } = Promise.withResolvers<void>();
  let passedMs = 0;
  const now = (): number => system.now() + passedMs;
  const setTimer = (ms: number, fire: () => void) => {
    if (ms > LAST_MS || ms < LAST_MS / 2) return system.setTimer(ms, fire);
    void over.then(() => {
      passedMs += ms;
      fire();
    });
    return {};
  };
  return { world: { now, setTimer }, end };
}

/** Begins to serve a port, until the test ends. */
async function serve(port: number): Promise<void> {
  const server = createServer((_, response) => {
    response.writeHead(200, { 'content-type': 'application/json' }).end(completion(OTHER));
  });
  await once(server.listen(port, '127.0.0.1'), 'listening');
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
}

/** The texts that so many patient callers get who come together. */
async function answersOf(
  gateway: RunningGateway,
  callers: number,
  routing: Question['routing'] = {},
): Promise<string[]> {
  const calls = Array.from({ length: callers }, () => ask(gateway, 'Chat', { routing }, PATIENT));
  return (await Promise.all(calls)).map(({ text }) => text);
}

describe('a lone target', () => {
  test('that refuses connections for a while is waited for by patient callers, and serves the next at once', async () => {
    const port = await freePort();
    const targets = [chatTarget('lone', `http://127.0.0.1:${port}`)];
    const { world, end } = lastWait();
    const gateway = await gatewayFor({ targets, retry: LAST_IS_LONG }, world);
    const answers = answersOf(gateway, 2);
    await failed(gateway, 'lone', 8n);
    await serve(port);
    end();
    expect(await answers).toEqual([OTHER, OTHER]);
    expect(trailOf((await ask(gateway, 'Chat')).attempts)).toEqual(['FIRST lone OK']);
  });

  test('of which two models are asked is waited for as well', async () => {
    const port = await freePort();
    const { world, end } = lastWait();
    const config: ConfigInput = {
      targets: [chatTarget('lone', `http://127.0.0.1:${port}`, { models: ['model-2'] })],
      routes: [{ name: 'both', targets: ['lone/model-1', 'lone/model-2'] }],
      retry: LAST_IS_LONG,
    };
    const gateway = await gatewayFor(config, world);
    const answers = answersOf(gateway, 3, { route: 'both' });
    await failed(gateway, 'lone', 12n);
    await serve(port);
    end();
    expect(await answers).toEqual([OTHER, OTHER, OTHER]);
  });

  test.each(BLIPS)('that $name does not lose its circuit to three callers who outlast it', async ({ blip }) => {
    const lone = await chaosUpstream();
    const gateway = await gatewayFor({ targets: [chatTarget('lone', lone.origin)] });
    scripted(lone, 6, blip, 4);
    expect(await answersOf(gateway, 3)).toEqual([OTHER, OTHER, OTHER]);
    expect((await healthOf(gateway, 'lone')).failures).toBe(6n);
    expect(trailOf((await ask(gateway, 'Chat')).attempts)).toEqual(['FIRST lone OK']);
  });

  test('that is sick all the time still loses it to five requests', async () => {
    const lone = await chaosUpstream();
    const gateway = await gatewayFor({ targets: [chatTarget('lone', lone.origin)], retry: { max_repeats: 0 } });
    scripted(lone, 5, SICK, 0);
    for (let count = 0; count < 5; count += 1) {
      expect((await healthOf(gateway, 'lone')).circuit).toBe(CircuitState.CLOSED);
      await expect(ask(gateway, 'Chat')).rejects.toThrow();
    }
    expect((await healthOf(gateway, 'lone')).circuit).toBe(CircuitState.OPEN);
  });
});

describe('two targets that are sick together', () => {
  test.each(BLIPS)('($name) do not both lose their circuits to three callers who outlast it', async ({ blip }) => {
    const [lead, second] = [await chaosUpstream(), await chaosUpstream()];
    const targets = [chatTarget('lead', lead.origin), chatTarget('second', second.origin)];
    const gateway = await gatewayFor({ targets });
    scripted(lead, 6, blip, 4);
    scripted(second, 6, blip, 4);
    expect(await answersOf(gateway, 3)).toEqual([OTHER, OTHER, OTHER]);
    expect((await healthOf(gateway, 'second')).circuit).toBe(CircuitState.CLOSED);
    expect((await ask(gateway, 'Chat')).text).toBe(OTHER);
  });
});
