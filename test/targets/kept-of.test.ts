import { expect, it } from 'vitest';

import type { ConfigInput } from '../../src/config/file/schema.ts';
import { createConfig } from '../../src/config/load.ts';
import { keptOf } from '../../src/targets/kept-of.ts';
import { chatTarget } from '../support/failover-stage.ts';

type TargetInput = NonNullable<ConfigInput['targets']>[number];

function targetOf(changes: Partial<TargetInput> = {}) {
  const [target] = createConfig({ config: { targets: [chatTarget('a', 'http://127.0.0.1:1', changes)] } }).targets;
  if (target === undefined) throw new Error('there is no target');
  return target;
}

it.each([
  ['ALL', 'nothing', {}],
  ['ALL', 'how it is used', { models: ['x'], timeouts: { progress: '5s' }, upstream_mode: 'JSON', limit_group: 'g' }],
  ['ALL_BUT_ACCOUNT', 'its key', { api_key: 'sk-other-key' }],
  ['NOTHING', 'its server', { base_url: 'http://127.0.0.1:2/v1' }],
  ['NOTHING', 'its API', { api: 'responses' }],
  ['NOTHING', 'that it is played', { mock: true }],
] as const)('%s of what is known of a target holds where %s has changed', (kept, _what, changes) => {
  expect(keptOf(targetOf(), targetOf(changes as Partial<TargetInput>))).toBe(kept);
});
