import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { expect, onTestFinished, test } from 'vitest';

import type { ProcessDoors } from '../support/understudy-process.ts';
import { startUnderstudy } from '../support/understudy-process.ts';

const TARGETS = 'targets: [{ name: lead, provider: mock }, { name: second, provider: mock }]\n';

async function start(server: string): Promise<ProcessDoors> {
  const folder = await mkdtemp(join(tmpdir(), 'understudy-'));
  const path = join(folder, 'understudy.yaml');
  await writeFile(path, TARGETS + server);
  const child = startUnderstudy(['--config', path]);
  onTestFinished(async () => {
    await child.close();
    await rm(folder, { recursive: true });
  });
  return child.doors;
}

async function post(url: string, body: unknown, headers: Readonly<Record<string, string>> = {}) {
  const response = await fetch(url, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...headers },
    body: JSON.stringify(body),
  });
  const text = await response.text();
  const json: unknown = text.startsWith('{') ? JSON.parse(text) : text;
  return { status: response.status, json };
}

const SERVICE = 'understudy.v1.AdminService';

test('operators force circuits and reset targets at the admin address', async () => {
  const { admin, web } = await start('server: { admin_service: true }\n');
  const force = (body: unknown) => post(`${admin}/${SERVICE}/ForceCircuit`, body);
  const serving = async () =>
    (await post(`${web}/understudy.v1.LlmService/Generate`, { prompt: 'Hello' })).json as { readonly target: string };

  expect((await serving()).target).toBe('lead');
  expect(await force({ target: 'lead', state: 'FORCED_STATE_OPEN' })).toMatchObject({
    status: 200,
    json: { health: { target: 'lead', circuit: 'CIRCUIT_STATE_OPEN', suspendedReason: 'forced' } },
  });
  expect((await serving()).target).toBe('second');
  expect(await force({ target: 'lead', state: 'FORCED_STATE_DISABLED' })).toMatchObject({
    json: { health: { suspendedReason: 'disabled' } },
  });
  const reset = await post(`${admin}/${SERVICE}/ResetTarget`, { target: 'lead' });
  expect(reset).toMatchObject({ status: 200, json: { health: { healthy: true, circuit: 'CIRCUIT_STATE_CLOSED' } } });
  expect((await serving()).target).toBe('lead');

  // A model that only a caller has named has a circuit of its own from then on.
  const generate = async (model: string) =>
    (await post(`${web}/understudy.v1.LlmService/Generate`, { prompt: 'Hello', model })).json as { target: string };
  expect((await generate('named-by-a-caller')).target).toBe('lead');
  expect(await force({ target: 'lead', model: 'named-by-a-caller', state: 'FORCED_STATE_OPEN' })).toMatchObject({
    status: 200,
  });
  expect((await generate('named-by-a-caller')).target).toBe('second');
  expect((await generate('another-one')).target).toBe('lead');
  await post(`${admin}/${SERVICE}/ResetTarget`, { target: 'lead' });

  expect(await force({ target: 'nobody', state: 'FORCED_STATE_OPEN' })).toMatchObject({ status: 404 });
  for (const [wrong, status] of [
    [{ target: 'lead' }, 400],
    [{ target: 'lead', state: 99 }, 400],
    [{ target: 'lead', model: 'mock-ok', state: 'FORCED_STATE_DISABLED' }, 400],
    [{ target: 'lead', model: 'made up', state: 'FORCED_STATE_OPEN' }, 404],
    [{ target: 'lead', state: 'FORCED_STATE_OPEN', unknown: 1 }, 400],
  ] as const) {
    expect(await force(wrong), JSON.stringify(wrong)).toMatchObject({ status });
  }
  expect((await serving()).target).toBe('lead');

  const fromPage = { origin: 'http://evil.example' };
  expect((await post(`${admin}/${SERVICE}/ResetTarget`, { target: 'lead' }, fromPage)).status).toBe(403);
  expect((await post(`${admin}/${SERVICE}/Unknown`, {})).status).toBe(404);
  expect((await post(`${admin}/understudy.v1.LlmService/Generate`, { prompt: 'Hello' })).status).toBe(404);
  expect((await fetch(`${admin}/metrics`)).status).toBe(200);
});

test('nothing of it is there unless it is configured, and never at the web door', async () => {
  const without = await start('');
  const body = { target: 'lead', state: 'FORCED_STATE_OPEN' };
  expect((await post(`${without.admin}/${SERVICE}/ForceCircuit`, body)).status).toBe(404);
  const { web } = await start('server: { admin_service: true }\n');
  expect((await post(`${web}/${SERVICE}/ForceCircuit`, body)).status).toBe(404);
});
