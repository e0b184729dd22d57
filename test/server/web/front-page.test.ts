import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { describe, expect, test } from 'vitest';

import packageJson from '../../../package.json' with { type: 'json' };
import type { Authentication } from '../../../src/server/port/authentication.ts';
import { webDoor } from '../support/doors.ts';
import { fakeGateway, SERVING, success } from '../support/fake-gateway.ts';

const gateway = () =>
  fakeGateway((call) => {
    call.client?.started(SERVING);
    return Promise.resolve(success([{ kind: 'text', index: 0, text: 'hi there' }]));
  });

const NOBODY: Authentication = {
  directory: {
    identify: () => ({ class: 'local_refusal', reason: 'AUTH_REQUIRED', credentials: 'missing', message: 'Who?' }),
  },
  includesHealth: false,
  refused: () => undefined,
};

const GRPC = { address: '127.0.0.1:50051', reflection: true };
const HTML = { accept: 'text/html,application/xhtml+xml' };

describe('/ of the web door', () => {
  test('says to curl how it is called, with a command that works', async () => {
    const { baseUrl } = await webDoor(gateway(), { grpc: GRPC });
    const answer = await fetch(`${baseUrl}/`);
    expect(answer.headers.get('content-type')).toBe('text/plain; charset=utf-8');
    const text = await answer.text();
    const command = /^ {2}(curl .*)$/m.exec(text)?.[1] ?? '';
    expect(command).toContain(`${baseUrl}/understudy.v1.LlmService/Generate`);
    const { stdout } = await promisify(execFile)('/bin/sh', ['-c', `${command} --silent`]);
    expect(JSON.parse(stdout)).toMatchObject({ text: 'hi there' });
    expect(text).toContain('grpcurl -plaintext 127.0.0.1:50051 describe understudy.v1.LlmService');
    expect(text).not.toContain(packageJson.version);
  });

  test('has links that lead somewhere', async () => {
    const { baseUrl } = await webDoor(gateway());
    const page = await (await fetch(`${baseUrl}/`, { headers: HTML })).text();
    const links = [...page.matchAll(/<a href="([^"]+)"/g)].map(([, link = '']) => link.replaceAll('&amp;', '&'));
    expect(links).toHaveLength(4);
    for (const link of links) expect((await fetch(baseUrl + link)).status, link).toBe(200);
    const text = await (await fetch(`${baseUrl}/`)).text();
    for (const link of links) expect(text).toContain(baseUrl + link);
  });

  test('is a page for browsers that runs no script and loads nothing', async () => {
    const { baseUrl } = await webDoor(gateway(), { grpc: GRPC });
    const answer = await fetch(`${baseUrl}/`, { headers: HTML });
    expect(answer.headers.get('content-type')).toBe('text/html; charset=utf-8');
    expect(answer.headers.get('content-security-policy')).toMatch(/^default-src 'none'; style-src 'sha256-[\w+/=]+'; /);
    const page = await answer.text();
    expect(page).not.toMatch(/<script|https?:\/\/(?!127\.0\.0\.1)/);
    expect(page).toContain('&quot;prompt&quot;: &quot;Say hello.&quot;');
  });

  test('shows where a key goes, the scheme of a proxy, and no neighbour that it does not know', async () => {
    const { baseUrl } = await webDoor(gateway(), { authentication: () => NOBODY });
    const text = await (await fetch(`${baseUrl}/`, { headers: { 'x-forwarded-proto': 'https' } })).text();
    expect(text).toContain('-H "authorization: Bearer $UNDERSTUDY_API_KEY"');
    expect(text).toContain(`https://${new URL(baseUrl).host}/understudy`);
    expect(text).not.toContain('grpcurl');
  });

  test('is for looking alone, and nothing else is there', async () => {
    const { baseUrl } = await webDoor(gateway());
    const head = await fetch(`${baseUrl}/`, { method: 'HEAD' });
    expect([head.status, await head.text()]).toEqual([200, '']);
    expect((await fetch(`${baseUrl}/`, { method: 'POST' })).status).toBe(404);
    expect((await fetch(`${baseUrl}/index.html`)).status).toBe(404);
    expect((await fetch(`${baseUrl}/`, { headers: { origin: 'https://evil.example' } })).status).toBe(403);
  });
});
