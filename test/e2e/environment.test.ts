import { writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { join } from 'node:path';

import { afterAll, beforeAll, beforeEach, describe, expect, onTestFinished, test } from 'vitest';

import { LlmService } from '../../gen/understudy/v1/llm_pb.ts';
import { createGateway } from '../../src/index.ts';
import { system } from '../../src/system.ts';
import { type Authority, createAuthority, hasOpenssl } from '../support/certificates.ts';
import { startChaosUpstream, type ChaosUpstream } from '../support/chaos-upstream.ts';
import { chaosUpstream } from '../support/failover-stage.ts';
import { startForwardProxy } from '../support/forward-proxy.ts';
import { listenOnLoopback } from '../support/listening.ts';
import { errorAnswer, goodAnswer } from '../support/openai-bodies.ts';
import { openRpcClient } from '../support/rpc-client.ts';
import { rpcError, trailOf } from '../support/rpc-error.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';
import { startUnderstudy, type UnderstudyProcess } from '../support/understudy-process.ts';

const QUESTION = { prompt: 'Who is there?', options: { maxTokens: 2 } };

/** Starts a process that ends with the test, and asks it once. */
async function askProcess(env: Readonly<Record<string, string>>, args: readonly string[] = []) {
  const child = startUnderstudy(args, env);
  onTestFinished(() => child.close());
  const { grpc, admin } = await child.doors;
  const client = openRpcClient(grpc);
  onTestFinished(() => client.close());
  const ask = () => client.call(LlmService.method.generate, QUESTION, { deadlineMs: 30_000 });
  return { child, admin, ask };
}

async function shownBy(child: UnderstudyProcess, admin: string): Promise<string> {
  return child.stdout() + child.stderr() + (await (await fetch(`${admin}/metrics`)).text());
}

describe.skipIf(!hasOpenssl())('a provider over TLS (skipped without openssl)', () => {
  let authority: Authority;
  let upstream: ChaosUpstream;
  let file: string;
  let openAi: Readonly<Record<string, string>>;

  beforeAll(async () => {
    authority = createAuthority();
    upstream = await startChaosUpstream(authority.issue('127.0.0.1', { names: ['IP:127.0.0.1'] }));
    upstream.otherwise(() => goodAnswer(false, 'hello'));
    openAi = { OPENAI_API_KEY: 'sk-test', OPENAI_BASE_URL: `${upstream.origin}/v1`, OPENAI_MODEL: 'model-1' };
  });

  beforeEach(() => {
    file = join(temporaryFolder(), 'ca.pem');
    writeFileSync(file, authority.cert);
  });

  afterAll(async () => {
    await upstream.close();
    authority.remove();
  });

  test('is called in a tunnel of the proxy of the environment, whose password is found nowhere', async () => {
    const proxy = await startForwardProxy();
    onTestFinished(() => proxy.close());
    const url = proxy.origin.replace('//', '//me:hunter22@');
    const { child, admin, ask } = await askProcess({ ...openAi, HTTPS_PROXY: url, NODE_EXTRA_CA_CERTS: file });
    expect((await ask()).text).toBe('hello');
    expect(proxy.asked).toEqual([`CONNECT ${new URL(upstream.origin).host}`]);
    expect(proxy.credentials).toEqual([`Basic ${Buffer.from('me:hunter22').toString('base64')}`]);
    const shown = await shownBy(child, admin);
    expect(shown).toContain(`openai: through the proxy ${new URL(proxy.origin).host}\n`);
    expect(shown).not.toMatch(/hunter22|bWU6aHVudGVyMjI/);
  });

  test('is not called where the proxy wants credentials, and the trail says so', async () => {
    const proxy = await startForwardProxy();
    onTestFinished(() => proxy.close());
    proxy.refuse(407);
    const { ask } = await askProcess({ ...openAi, https_proxy: proxy.origin, NODE_EXTRA_CA_CERTS: file });
    const { trail } = await rpcError(ask());
    expect(trailOf(trail)).toEqual(['FIRST openai PROVIDER_AUTH_FAILED']);
    expect(trail.map(({ providerCode }) => providerCode)).toEqual(['PROXY_407']);
  });

  test('of an authority of its own is trusted by SSL_CERT_FILE, and by nothing otherwise', async () => {
    expect((await (await askProcess({ ...openAi, SSL_CERT_FILE: file })).ask()).text).toBe('hello');
    const { trail } = await rpcError((await askProcess(openAi)).ask());
    expect(trailOf(trail)).toEqual(['FIRST openai PROVIDER_UNAVAILABLE']);
  });

  test.each([
    ['/nowhere/ca.pem', /^SSL_CERT_FILE: cannot be read \(ENOENT\)\n$/],
    ['/dev/null', /^SSL_CERT_FILE: has no certificate in PEM\n$/],
  ])('is not called by a process whose SSL_CERT_FILE is %s: it does not start', async (path, message) => {
    const child = startUnderstudy([], { ...openAi, SSL_CERT_FILE: path });
    onTestFinished(() => child.close());
    expect((await child.ended).code).toBe(1);
    expect(child.stderr()).toMatch(message);
  });
});

test('a secret of a file beside the config is sent, and is found nowhere', async () => {
  const upstream = await chaosUpstream();
  upstream.otherwise(() => goodAnswer(false, 'hello'));
  const folder = temporaryFolder();
  writeFileSync(join(folder, 'key'), 'sk-planted-in-a-file\n');
  const target = `{ name: a, provider: openai, base_url: "${upstream.origin}/v1", model: m, api_key: '\${file:key}' }`;
  writeFileSync(join(folder, 'understudy.yaml'), `targets: [${target}]\n`);
  const { child, admin, ask } = await askProcess({}, ['--config', join(folder, 'understudy.yaml')]);
  expect((await ask()).text).toBe('hello');
  expect((await upstream.request(0)).headers['authorization']).toBe('Bearer sk-planted-in-a-file');
  expect(await shownBy(child, admin)).not.toContain('planted');
});

describe('Azure OpenAI without a key', () => {
  /** Sets up Azure, a token endpoint, and the variables of a workload in AKS. */
  async function azure(answer: { status: number; body: object }) {
    const upstream = await chaosUpstream();
    const tokens = await listenOnLoopback(
      createServer((_incoming, outgoing) => {
        outgoing.writeHead(answer.status, { 'content-type': 'application/json' }).end(JSON.stringify(answer.body));
      }),
    );
    onTestFinished(() => tokens.close());
    const tokenFile = join(temporaryFolder(), 'token');
    writeFileSync(tokenFile, 'assertion');
    const env = {
      AZURE_CLIENT_ID: 'client',
      AZURE_TENANT_ID: 'tenant',
      AZURE_FEDERATED_TOKEN_FILE: tokenFile,
      AZURE_AUTHORITY_HOST: `${tokens.origin}/`,
      AZURE_OPENAI_ENDPOINT: upstream.origin,
      AZURE_OPENAI_DEPLOYMENT: 'dep',
    };
    return { upstream, env };
  }

  test.each([
    ['', '/openai/v1/chat/completions'],
    ['/openai?api-version=2024-10-21', '/openai/deployments/dep/chat/completions?api-version=2024-10-21'],
  ])('is called with a token of the workload, at %s', async (path, asked) => {
    const { upstream, env } = await azure({ status: 200, body: { access_token: 'token-planted', expires_in: 3_600 } });
    upstream.otherwise(() => goodAnswer(false, 'hello'));
    const endpoint = `${env.AZURE_OPENAI_ENDPOINT}${path}`;
    const { child, admin, ask } = await askProcess({ ...env, AZURE_OPENAI_ENDPOINT: endpoint });
    expect((await ask()).text).toBe('hello');
    const { path: sentTo, headers } = await upstream.request(0);
    expect(sentTo).toBe(asked);
    expect(headers['authorization']).toBe('Bearer token-planted');
    expect(headers).not.toHaveProperty('api-key');
    expect(await shownBy(child, admin)).not.toContain('planted');
  });

  test('is passed over with class auth where there is no token, and another answers', async () => {
    const { upstream, env } = await azure({ status: 401, body: { error: 'invalid_client', error_codes: [7_000_222] } });
    const lead = {
      name: 'lead',
      provider: 'azure-openai' as const,
      base_url: `${upstream.origin}/openai/v1`,
      model: 'd',
    };
    const gateway = createGateway({ config: { targets: [lead, { name: 'mock', provider: 'mock' }] }, env });
    onTestFinished(() => gateway.close());
    const { attempts } = await gateway.generate(QUESTION);
    expect(trailOf(attempts)).toEqual(['FIRST lead PROVIDER_AUTH_FAILED', 'FAILOVER mock OK']);
    expect(attempts[0]?.providerCode).toBe('AADSTS7000222');
    expect(upstream.requestCount).toBe(0);
  });

  test('has another token where one that is not new is refused', async () => {
    const answer = { status: 200, body: { access_token: 'token-1', expires_in: 3_600 } };
    const { upstream, env } = await azure(answer);
    let aheadMs = 0;
    const gateway = createGateway({ env }, { ...system, now: () => system.now() + aheadMs });
    onTestFinished(() => gateway.close());
    upstream.script(...errorAnswer(401, 'Unauthorized'));
    upstream.otherwise(() => goodAnswer(false, 'hello'));
    const sent = async (index: number) => (await upstream.request(index)).headers['authorization'];
    await expect(gateway.generate(QUESTION)).rejects.toThrow();
    // The suspension is over.
    aheadMs = 61_000;
    upstream.script(...errorAnswer(401, 'Unauthorized'));
    await expect(gateway.generate(QUESTION)).rejects.toThrow();
    aheadMs = 130_000;
    answer.body = { access_token: 'token-2', expires_in: 3_600 };
    expect((await gateway.generate(QUESTION)).text).toBe('hello');
    expect([await sent(0), await sent(1), await sent(2)]).toEqual([
      'Bearer token-1',
      'Bearer token-1',
      'Bearer token-2',
    ]);
  });
});
