import { expect, onTestFinished, test } from 'vitest';
import { system } from '../../../src/system.ts';
import { type AdminOptions, openAdmin } from '../../../src/server/admin/operator-door.ts';

async function admin(changes: Partial<AdminOptions> = {}): Promise<string> {
  const listener = await openAdmin({ address: '127.0.0.1:0', isReady: () => true, runtime: system, ...changes });
  onTestFinished(() => listener.close());
  return `http://${listener.address}`;
}

test('probes and metrics are there, and nothing else', async () => {
  const metrics = () => Promise.resolve({ contentType: 'text/plain; version=0.0.4', body: 'up 1\n' });
  const url = await admin({ metrics, isReady: () => false });
  expect((await fetch(`${url}/livez`)).status).toBe(200);
  expect((await fetch(`${url}/readyz`)).status).toBe(503);
  const answer = await fetch(`${url}/metrics`);
  expect([answer.headers.get('content-type'), await answer.text()]).toEqual(['text/plain; version=0.0.4', 'up 1\n']);
  for (const path of ['/', '/metrics/x', '/understudy.v1.LlmService/Health']) {
    expect((await fetch(url + path)).status).toBe(404);
  }
  expect((await fetch(`${url}/metrics`, { method: 'POST' })).status).toBe(404);
});

test('without metrics there is no page of them; one that fails tells nothing', async () => {
  expect((await fetch(`${await admin()}/metrics`)).status).toBe(404);
  const broken = await fetch(`${await admin({ metrics: () => Promise.reject(new Error('sk-secret')) })}/metrics`);
  expect([broken.status, await broken.text()]).toEqual([500, 'metrics are not available\n']);
});

test('an address that is taken is refused', async () => {
  const url = await admin();
  await expect(
    openAdmin({ address: url.slice('http://'.length), isReady: () => true, runtime: system }),
  ).rejects.toThrow(/EADDRINUSE/);
});
