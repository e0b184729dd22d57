import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

import { expect, onTestFinished, test } from 'vitest';

import { createConfig } from '../../src/config/load.ts';
import type { Config } from '../../src/config/port/resolved.ts';
import { wireGateway } from '../../src/wire-gateway.ts';
import { system } from '../../src/system.ts';
import { chatTarget } from '../support/failover-stage.ts';

function collectGarbage(): void {
  setFlagsFromString('--expose-gc');
  const gc: unknown = runInNewContext('gc');
  if (typeof gc === 'function') gc();
}

function configOf(key: string): Config {
  return createConfig({ config: { targets: [chatTarget('a', 'http://127.0.0.1:1', { api_key: key })] } });
}

test('a configuration that holds no more, and that no call needs, is forgotten', async () => {
  const gateway = wireGateway({ config: configOf('sk-first-key'), version: 'test', system });
  onTestFinished(() => gateway.close());
  const held: WeakRef<Config>[] = [];
  for (let round = 0; round < 5; round++) {
    const config = configOf(`sk-key-of-round-${round}`);
    held.push(new WeakRef(config));
    await gateway.configure(config);
  }
  // What is awaited holds its values for a turn.
  await system.yieldIo();
  collectGarbage();
  const left = held.filter((config) => config.deref() !== undefined);
  expect(left.length).toBeLessThanOrEqual(2);
});
