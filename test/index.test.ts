import { expect, onTestFinished, test } from 'vitest';

import { createGateway } from '../src/index.ts';
import type { GatewayOptions } from '../src/index.ts';
import { CircuitState } from '../gen/understudy/v1/health_pb.ts';

function open(options: GatewayOptions) {
  const gateway = createGateway(options);
  onTestFinished(() => gateway.close());
  return gateway;
}

const target = (name: string, model: string) => ({ name, provider: 'mock' as const, model });

test('a gateway with another configuration goes on from what the one before it knew of its targets', async () => {
  const retry = { max_repeats: 0 };
  const first = open({ config: { targets: [target('sick', 'mock-500'), target('gone', 'mock-500')], retry } });
  for (let call = 0; call < 5; call++) {
    await expect(first.generate({ prompt: 'Hello' })).rejects.toMatchObject({ code: 14 });
  }
  const snapshot = JSON.parse(JSON.stringify(first.snapshot())) as ReturnType<typeof first.snapshot>;
  await first.close();

  const targets = [target('sick', 'mock-500'), target('new', 'mock-ok')];
  const second = open({ config: { targets, retry }, snapshot });
  const { providers } = await second.health();
  expect(providers.map(({ target: name, circuit }) => [name, circuit])).toEqual([
    ['sick', CircuitState.OPEN],
    ['new', CircuitState.CLOSED],
  ]);
  const answer = await second.generate({ prompt: 'Hello' });
  expect(answer.attempts.map(({ target: name, kind }) => [name, kind])).toEqual([
    ['sick', 7],
    ['new', 1],
  ]);
});

test('what was known of a model is of no account where the configuration names another in its place', async () => {
  const retry = { max_repeats: 0 };
  const first = open({ config: { targets: [target('sick', 'mock-500')], retry } });
  for (let call = 0; call < 5; call++) {
    await expect(first.generate({ prompt: 'Hello' })).rejects.toMatchObject({ code: 14 });
  }
  const snapshot = first.snapshot();
  expect(snapshot).toMatchObject([{ circuits: [{ circuit: 'mock-500', breaker: { state: 'OPEN' } }] }]);

  const second = open({ config: { targets: [target('sick', 'mock-ok')], retry }, snapshot });
  expect((await second.health()).providers).toMatchObject([{ healthy: true, circuit: CircuitState.CLOSED }]);
});
