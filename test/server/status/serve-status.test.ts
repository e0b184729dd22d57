import { once } from 'node:events';
import type { IncomingMessage } from 'node:http';
import { connect } from 'node:http2';
import { request } from 'node:https';
import { text } from 'node:stream/consumers';

import { describe, expect, onTestFinished, test } from 'vitest';

import type { AdminOptions } from '../../../src/server/admin/operator-door.ts';
import { openAdmin } from '../../../src/server/admin/operator-door.ts';
import type { StatusParts } from '../../../src/server/port/shown/status-parts.ts';
import { LiveTls } from '../../../src/server/tls/live-tls.ts';
import { system } from '../../../src/system.ts';
import { CallHistory } from '../../../src/telemetry/recent/call-history.ts';
import { createAuthority, hasOpenssl } from '../../support/certificates.ts';
import { firstStatus } from '../../support/status-events.ts';
import { usageRecord } from '../../support/usage-records.ts';
import { engineLoad, healthyTarget, okEnd } from '../../telemetry/ends.ts';
import { fakeUsage } from '../support/fake-usage.ts';

function parts(history = new CallHistory(system)): StatusParts {
  return {
    gateway: { targets: () => [healthyTarget()], version: '1.2.3', uptimeMs: () => 5_000 },
    history,
    load: engineLoad,
    memory: () => ({ usedBytes: 2 ** 27, limitBytes: 2 ** 30 }),
    refusedConfig: () => undefined,
  };
}

async function admin(changes: Partial<AdminOptions> = {}): Promise<string> {
  const options = { address: '127.0.0.1:0', isReady: () => true, runtime: system, status: parts(), ...changes };
  const listener = await openAdmin(options);
  onTestFinished(() => listener.close());
  return `${changes.tls === undefined ? 'http' : 'https'}://${listener.address}`;
}

const HTML = { accept: 'text/html' };

describe('the page', () => {
  test('is served as it lies in the package, to browsers; others are told what is there', async () => {
    const url = await admin();
    const page = await fetch(url, { headers: HTML });
    expect([page.status, page.headers.get('content-type')]).toEqual([200, 'text/html; charset=utf-8']);
    const links = [...(await page.text()).matchAll(/(?:src|href)="(page\/[^"]+)"/g)].map(([, link = '']) => link);
    expect(links).toEqual(['page/theme.js', 'page/page.css', 'page/main.js']);
    for (const link of links) expect((await fetch(`${url}/${link}`)).status, link).toBe(200);
    const text = await fetch(url);
    expect(text.headers.get('content-type')).toBe('text/plain; charset=utf-8');
    expect(await text.text()).toContain(`${url}/metrics`);
  });

  test('is not sent again to who has it', async () => {
    const url = await admin();
    const tag = (await fetch(`${url}/page/main.js`)).headers.get('etag') ?? '';
    const again = await fetch(`${url}/page/main.js`, { headers: { 'if-none-match': tag } });
    expect([again.status, await again.text()]).toEqual([304, '']);
  });

  test('has nothing else in its folder, and none beside it', async () => {
    const url = await admin();
    for (const path of [
      '/page/',
      '/page/none.js',
      '/page/..%2fpage-files.ts',
      '/page/main.ts',
      '/page/main.js/x',
      '/status/x',
    ]) {
      expect((await fetch(url + path)).status, path).toBe(404);
    }
    expect((await fetch(`${url}/status`, { method: 'POST' })).status).toBe(404);
    expect((await fetch(url, { method: 'HEAD', headers: HTML })).status).toBe(200);
  });

  test('is not there where nothing is measured', async () => {
    const url = await admin({ status: undefined });
    for (const path of ['/', '/status', '/trail?request_id=a', '/page/main.js']) {
      expect((await fetch(url + path, { headers: HTML })).status, path).toBe(404);
    }
  });
});

describe('the trail of a request', () => {
  const trail = async (url: string, query: string) => {
    const answer = await fetch(`${url}/trail${query}`);
    const text = await answer.text();
    return answer.status === 200 ? (JSON.parse(text) as object) : answer.status;
  };

  test('comes from memory, then from the ledger, and says where neither has it', async () => {
    const history = new CallHistory(system);
    history.callEnded(okEnd({ requestId: 'in memory' }));
    const { parts: usage } = fakeUsage([], [usageRecord({ requestId: 'in-ledger' })]);
    const url = await admin({ status: parts(history), usage });
    expect(await trail(url, '?request_id=in%20memory')).toMatchObject({ source: 'memory', calls: [{ status: 'OK' }] });
    expect(await trail(url, '?request_id=in-ledger')).toMatchObject({
      source: 'ledger',
      calls: [{ requestId: 'in-ledger' }],
    });
    expect(await trail(url, '?request_id=nobody')).toEqual({ source: 'ledger', calls: [], isLedgerGone: false });
    expect(await trail(url, '')).toBe(400);
    expect(await trail(url, `?request_id=${'x'.repeat(129)}`)).toBe(400);
  });

  test('says where the ledger is gone, and where there is none', async () => {
    const gone = fakeUsage([], [], { attemptsOf: () => Promise.reject(new Error('gone')) });
    expect(await trail(await admin({ usage: gone.parts }), '?request_id=a')).toMatchObject({ isLedgerGone: true });
    expect(await trail(await admin(), '?request_id=a')).toEqual({ source: 'memory', calls: [], isLedgerGone: false });
  });
});

test.skipIf(!hasOpenssl())(
  'who is told in words what there is has the scheme right, also over HTTP/1.1 with TLS',
  async () => {
    const authority = createAuthority();
    onTestFinished(() => authority.remove());
    const { cert, key } = authority.issue('localhost');
    const url = await admin({ tls: new LiveTls({ certPem: cert, keyPem: key }) });
    const asked = request(url, { ca: authority.cert, servername: 'localhost', agent: false }).end();
    const [response] = (await once(asked, 'response')) as [IncomingMessage];
    expect(await text(response)).toContain(`${url}/metrics`);
  },
);

test('the stream has all that is shown, also over HTTP/2', async () => {
  const told = await firstStatus(await admin());
  expect(told).toMatch(/"process":\{"version":"1\.2\.3",.*"canOperate":false/);
  expect(told).toContain(`"target:${healthyTarget().target}"`);
  if (!hasOpenssl()) return;
  const authority = createAuthority();
  onTestFinished(() => authority.remove());
  const { cert, key } = authority.issue('localhost');
  const session = connect(await admin({ tls: new LiveTls({ certPem: cert, keyPem: key }) }), {
    ca: authority.cert,
    servername: 'localhost',
  });
  onTestFinished(() => session.destroy());
  const stream = session.request({ ':path': '/status' });
  let text = '';
  for await (const piece of stream.setEncoding('utf8')) {
    text += String(piece);
    if (text.includes('"budgets"')) break;
  }
  expect(text).toContain('"version":"1.2.3"');
});
