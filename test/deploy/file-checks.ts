import assert from 'node:assert/strict';
import { fileURLToPath } from 'node:url';

import { runProgram } from '../../scripts/tool-cache.ts';
import type { DeployCheck } from './chart-checks.ts';

const at = (path: string): string => fileURLToPath(new URL(`../../${path}`, import.meta.url));
const VARIABLES = { OPENAI_API_KEY: 'none', POSTGRES_PASSWORD: 'none', GRAFANA_PASSWORD: 'none' };

/** What the other files must hold, by what it says. */
export const FILE_CHECKS: Readonly<Record<string, DeployCheck>> = {
  'hadolint has nothing to say about the Dockerfile': async ({ hadolint = '' }) => {
    assert.deepEqual(await runProgram(hadolint, [at('Dockerfile')]), { code: 0, printed: '' });
  },

  'the compose file is one, and everything in it is read-only, without rights and on loopback': async ({
    checker = '',
  }) => {
    const env = { ...process.env, ...VARIABLES };
    const { code, printed } = await runProgram(checker, ['compose', at('deploy/compose/compose.yaml')], { env });
    assert.equal(code, 0, printed);
    const { services }: { services: Record<string, ComposeService> } = JSON.parse(printed);
    assert.deepEqual(Object.keys(services).sort(), ['grafana', 'postgres', 'prometheus', 'understudy', 'valkey']);
    for (const [name, service] of Object.entries(services)) {
      assert.equal(service.read_only, true, name);
      assert.deepEqual(service.cap_drop, ['ALL'], name);
      assert.ok(name === 'understudy' || service.healthcheck !== undefined, `${name} has no health check`);
      for (const { host_ip: address } of service.ports ?? []) assert.equal(address, '127.0.0.1', name);
    }
  },

  'the compose file does not start without the passwords': async ({ checker = '' }) => {
    const { code, printed } = await runProgram(checker, ['compose', at('deploy/compose/compose.yaml')], {
      env: { ...process.env, ...VARIABLES, POSTGRES_PASSWORD: '' },
    });
    assert.equal(code, 1);
    assert.match(printed, /POSTGRES_PASSWORD is not set/);
  },

  'the dashboard is one of Grafana, field by field': async ({ checker = '' }) => {
    const { code, printed } = await runProgram(checker, ['dashboard', at('deploy/grafana/understudy.json')]);
    assert.equal(code, 0, printed);
  },
};

interface ComposeService {
  readonly read_only?: boolean;
  readonly cap_drop?: readonly string[];
  readonly healthcheck?: object;
  readonly ports?: readonly { readonly host_ip?: string }[];
}
