import { readFile } from 'node:fs/promises';

import type { EntraIdentity } from '../../core/outbound/entra-identity.ts';
import { FailureError } from '../../core/failure.ts';
import type { Transport } from '../../core/transport.ts';
import { keptBytes } from '../network/lent-bytes.ts';
import { networkFailure, propertyOf } from '../network/socket-failure.ts';

/** A token, and how long it is good. */
export interface IssuedToken {
  readonly token: string;
  readonly lifetimeMs: number;
}

/** What an answer may be long, in bytes. */
const MOST_BYTES = 256 * 1024;
/** The life of a token of which it is not said, in seconds. */
const UNSAID_LIFETIME_S = 300;

interface TokenAnswer {
  readonly status: number;
  readonly body: string;
}

/**
 * Asks Microsoft Entra for a token. Rejects with a FailureError of class `auth`, of whatever kind the trouble is: without a token the target
 * cannot be called, and another may be. Nothing that Entra said is in it but its code.
 */
export async function requestToken(
  identity: EntraIdentity,
  transport: Transport,
  signal: AbortSignal,
): Promise<IssuedToken> {
  const form = new URLSearchParams({
    grant_type: 'client_credentials',
    client_id: identity.clientId,
    scope: identity.scope,
    ...(await proofOf(identity)),
  });
  const { status, body } = await post(transport, new URL(identity.tokenUrl), form.toString(), signal);
  const answer = parse(body);
  const token = propertyOf(answer, 'access_token');
  if (status !== 200 || typeof token !== 'string' || !/^[\x21-\x7e]+$/.test(token)) {
    const isRefusal = status >= 400 && status < 500 && status !== 429;
    const what = isRefusal ? 'has refused the identity of the gateway' : 'has given the gateway no token';
    throw withoutToken(`Microsoft Entra ${what}.`, codeOf(answer) ?? `HTTP_${status}`);
  }
  const seconds = Number(propertyOf(answer, 'expires_in'));
  return { token, lifetimeMs: (seconds > 0 ? seconds : UNSAID_LIFETIME_S) * 1_000 };
}

async function proofOf({ proof }: EntraIdentity): Promise<Readonly<Record<string, string>>> {
  if ('secret' in proof) return { client_secret: proof.secret };
  try {
    return {
      client_assertion_type: 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer',
      client_assertion: (await readFile(proof.tokenFile, 'utf8')).trim(),
    };
  } catch (error) {
    const code = propertyOf(error, 'code');
    throw withoutToken(
      'The token file of the gateway (AZURE_FEDERATED_TOKEN_FILE) cannot be read.',
      typeof code === 'string' ? code : undefined,
      error,
    );
  }
}

function post(transport: Transport, url: URL, body: string, signal: AbortSignal): Promise<TokenAnswer> {
  const { promise, resolve, reject } = Promise.withResolvers<TokenAnswer>();
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  let status = 0;
  const fail = (error: unknown, code: string | undefined): void =>
    reject(withoutToken('Microsoft Entra could not be asked for a token.', code, error));
  const headers = { accept: 'application/json', 'content-type': 'application/x-www-form-urlencoded' };
  const exchange = transport.send(
    { method: 'POST', url, headers, body },
    {
      onHeaders: (received) => {
        status = received;
      },
      onData: (chunk) => {
        bytes += chunk.length;
        chunks.push(keptBytes(chunk));
        if (bytes <= MOST_BYTES) return;
        exchange.abort();
        fail(undefined, undefined);
      },
      onEnd: () => resolve({ status, body: Buffer.concat(chunks).toString('utf8') }),
      onError: (error) => fail(error, networkFailure(error).providerCode),
    },
  );
  const stop = (): void => {
    exchange.abort();
    fail(undefined, 'TIMEOUT');
  };
  signal.addEventListener('abort', stop, { once: true });
  if (signal.aborted) stop();
  return promise.finally(() => signal.removeEventListener('abort', stop));
}

function withoutToken(message: string, providerCode: string | undefined, cause?: unknown): FailureError {
  return new FailureError({
    class: 'auth',
    reason: 'PROVIDER_AUTH_FAILED',
    message,
    providerCode,
    neverSent: true,
    cause,
  });
}

/** Entra's number of the error, `AADSTS700016`, or its word of OAuth. */
function codeOf(answer: unknown): string | undefined {
  const numbers = propertyOf(answer, 'error_codes');
  const number: unknown = Array.isArray(numbers) ? numbers[0] : undefined;
  if (typeof number === 'number' && Number.isSafeInteger(number)) return `AADSTS${number}`;
  const word = propertyOf(answer, 'error');
  return typeof word === 'string' && /^[a-z_]{1,64}$/.test(word) ? word : undefined;
}

function parse(body: string): unknown {
  try {
    return JSON.parse(body);
  } catch {
    return undefined;
  }
}
