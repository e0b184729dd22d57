import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';

import { afterEach, beforeEach, describe, expect, it } from 'vitest';

import type { EntraIdentity } from '../../../src/core/outbound/entra-identity.ts';
import { FailureError } from '../../../src/core/failure.ts';
import { system } from '../../../src/system.ts';
import { EntraTokens } from '../../../src/upstream/identity/entra-tokens.ts';
import { createUndiciTransport } from '../../../src/upstream/network/undici-transport.ts';
import { listenOnLoopback, type ListeningServer } from '../../support/listening.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';

const HOUR_MS = 3_600_000;

let endpoint: ListeningServer;
let tokens: EntraTokens;
let asked: { readonly url: string | undefined; readonly form: URLSearchParams }[];
let answer: { readonly status: number; readonly body: unknown };
/** Resolves the answers that are kept back. */
let release: (() => void) | undefined;
let nowMs: number;
let due: { readonly ms: number; readonly fire: () => void }[];

const issued = (token: string, seconds: unknown = 3_600) => ({
  status: 200,
  body: { token_type: 'Bearer', access_token: token, expires_in: seconds },
});

function openTokens(changes: Partial<EntraIdentity> = {}): EntraTokens {
  const identity = {
    tokenUrl: `${endpoint.origin}/tenant/oauth2/v2.0/token`,
    clientId: 'client',
    scope: 'https://cognitiveservices.azure.com/.default',
    proof: { secret: 'hunter22' },
    ...changes,
  };
  const timers = {
    now: () => nowMs,
    setIdleTimer: (ms: number, fire: () => void) => {
      const timer = { ms, fire };
      due.push(timer);
      return timer;
    },
    clearTimer: (handle: unknown) => {
      due = due.filter((timer) => timer !== handle);
    },
  };
  tokens = new EntraTokens(identity, createUndiciTransport(system), timers);
  return tokens;
}

/** Lets time pass to the next timer. */
function elapse(): void {
  const [next] = due.splice(0, 1);
  if (next === undefined) throw new Error('no timer runs');
  nowMs += next.ms;
  next.fire();
}

async function failureOf(token: string | Promise<string>) {
  const error: unknown = await Promise.resolve(token).catch((thrown: unknown) => thrown);
  if (error instanceof FailureError) return error.failure;
  throw new Error('it has not failed');
}

beforeEach(async () => {
  asked = [];
  due = [];
  nowMs = 0;
  answer = issued('token-1');
  release = undefined;
  const serve = async (incoming: IncomingMessage, outgoing: ServerResponse): Promise<void> => {
    asked.push({ url: incoming.url, form: new URLSearchParams(await text(incoming)) });
    if (release !== undefined) await new Promise<void>((resolve) => (release = resolve));
    outgoing.writeHead(answer.status, { 'content-type': 'application/json' });
    outgoing.end(typeof answer.body === 'string' ? answer.body : JSON.stringify(answer.body));
  };
  endpoint = await listenOnLoopback(createServer((incoming, outgoing) => void serve(incoming, outgoing)));
});

afterEach(async () => {
  await tokens.close();
  await endpoint.close();
});

describe('a token of Microsoft Entra', () => {
  it('is asked for once by all who wait, with the secret of the client, and is at hand from then on', async () => {
    openTokens();
    expect(await Promise.all([tokens.token(), tokens.token()])).toEqual(['token-1', 'token-1']);
    expect(tokens.token()).toBe('token-1');
    expect(asked).toHaveLength(1);
    expect(asked[0]?.url).toBe('/tenant/oauth2/v2.0/token');
    expect(Object.fromEntries(asked[0]?.form ?? [])).toEqual({
      grant_type: 'client_credentials',
      client_id: 'client',
      scope: 'https://cognitiveservices.azure.com/.default',
      client_secret: 'hunter22',
    });
  });

  it('is asked for with the token file of the workload, which is read anew for each', async () => {
    const tokenFile = join(temporaryFolder(), 'token');
    writeFileSync(tokenFile, 'assertion-1\n');
    openTokens({ proof: { tokenFile } });
    await tokens.token();
    writeFileSync(tokenFile, 'assertion-2\n');
    answer = issued('token-2');
    elapse();
    await expect.poll(() => tokens.held).toBe('token-2');
    expect(asked.map(({ form }) => form.get('client_assertion'))).toEqual(['assertion-1', 'assertion-2']);
    expect(asked[0]?.form.get('client_assertion_type')).toBe('urn:ietf:params:oauth:client-assertion-type:jwt-bearer');
    expect(asked[0]?.form.has('client_secret')).toBe(false);
  });

  it.each([
    [3_600, HOUR_MS - 300_000],
    ['3600', HOUR_MS - 300_000],
    [300, 150_000],
    ['soon', 150_000],
  ])('that is good for %s s is replaced %s ms later, while calls have the one before', async (seconds, ms) => {
    answer = issued('token-1', seconds);
    await openTokens().token();
    expect(due.map((timer) => timer.ms)).toEqual([ms]);
    release = () => undefined;
    answer = issued('token-2');
    elapse();
    await expect.poll(() => asked.length).toBe(2);
    expect(tokens.token()).toBe('token-1');
    release();
    await expect.poll(() => tokens.token()).toBe('token-2');
  });

  it('that cannot be replaced is asked for again every half minute, and calls have the one before to its end', async () => {
    await openTokens().token();
    answer = { status: 503, body: 'down' };
    elapse();
    await expect.poll(() => due.map(({ ms }) => ms)).toEqual([30_000]);
    expect(tokens.token()).toBe('token-1');
    nowMs = HOUR_MS;
    expect(await failureOf(tokens.token())).toMatchObject({ class: 'auth', providerCode: 'HTTP_503' });
    answer = issued('token-2');
    expect(await tokens.token()).toBe('token-2');
  });

  it('that a provider refuses is dropped, unless it is new', async () => {
    await openTokens().token();
    tokens.refused('token-1');
    expect(tokens.token()).toBe('token-1');
    nowMs = 60_000;
    tokens.refused('another');
    expect(tokens.token()).toBe('token-1');
    tokens.refused('token-1');
    answer = issued('token-2');
    expect(await tokens.token()).toBe('token-2');
  });
});

describe('without a token, a call fails with class auth', () => {
  it.each([
    [
      {
        status: 401,
        body: { error: 'invalid_client', error_description: 'secret hunter22', error_codes: [7_000_215] },
      },
      { message: 'Microsoft Entra has refused the identity of the gateway.', providerCode: 'AADSTS7000215' },
    ],
    [
      { status: 400, body: { error: 'unauthorized_client' } },
      { message: 'Microsoft Entra has refused the identity of the gateway.', providerCode: 'unauthorized_client' },
    ],
    [
      { status: 500, body: '<html>' },
      { message: 'Microsoft Entra has given the gateway no token.', providerCode: 'HTTP_500' },
    ],
    [
      { status: 200, body: { access_token: 'two words', expires_in: 3_600 } },
      { message: 'Microsoft Entra has given the gateway no token.', providerCode: 'HTTP_200' },
    ],
  ])('where the answer is %j, and says no more than its code', async (given, expected) => {
    answer = given;
    const failure = await failureOf(openTokens().token());
    expect(failure).toEqual({ class: 'auth', reason: 'PROVIDER_AUTH_FAILED', neverSent: true, ...expected });
  });

  it('where nobody answers', async () => {
    openTokens();
    await endpoint.close();
    expect(await failureOf(tokens.token())).toMatchObject({
      class: 'auth',
      message: 'Microsoft Entra could not be asked for a token.',
      providerCode: 'ECONNREFUSED',
    });
    endpoint = await listenOnLoopback(createServer());
  });

  it('where no answer comes in time', async () => {
    release = () => undefined;
    const failing = failureOf(openTokens().token());
    await expect.poll(() => asked.length).toBe(1);
    expect(due.map(({ ms }) => ms)).toEqual([10_000]);
    elapse();
    expect(await failing).toMatchObject({ class: 'auth', providerCode: 'TIMEOUT' });
  });

  it('where the token file is not there', async () => {
    openTokens({ proof: { tokenFile: '/nowhere/token' } });
    expect(await failureOf(tokens.token())).toMatchObject({
      class: 'auth',
      message: 'The token file of the gateway (AZURE_FEDERATED_TOKEN_FILE) cannot be read.',
      providerCode: 'ENOENT',
    });
  });
});
