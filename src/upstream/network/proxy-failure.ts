import type { Failure } from '../../core/failure.ts';

/** How far a connection through a proxy had come: the proxy was not reached, or it was and made no tunnel. */
export type ProxyStage = 'reach' | 'tunnel';

/** What went wrong between this process and the proxy of a target, or behind the proxy before it had made a tunnel. */
export class ProxyError extends Error {
  readonly stage: ProxyStage;
  /** HTTP status of the proxy's refusal. */
  readonly status: number | undefined;

  constructor(stage: ProxyStage, { cause, status }: { readonly cause?: unknown; readonly status?: number }) {
    super('The proxy made no connection.', { cause });
    this.name = 'ProxyError';
    this.stage = stage;
    this.status = status;
  }
}

/** What a proxy refuses for want of credentials (RFC 9110, 15.5.8); no server but a proxy does. */
export const PROXY_AUTH_REQUIRED = 407;

/**
 * Makes the failure of a call whose proxy made no connection: of class `auth` where the proxy wants other credentials, otherwise of
 * the class that it would have without a proxy, or `connect`. It never reached the provider.
 *
 * @param failure what its cause would be without a proxy
 */
export function proxyFailure({ stage, status, cause }: ProxyError, failure: Failure): Failure {
  if (status === PROXY_AUTH_REQUIRED) return refusedCredentials();
  if (status !== undefined) {
    return {
      class: 'connect',
      reason: 'PROVIDER_UNAVAILABLE',
      message: 'The proxy has refused to connect to the provider.',
      providerCode: `PROXY_${status}`,
      neverSent: true,
    };
  }
  if (failure.class === 'local_refusal' || failure.class === 'internal') return failure;
  const isTls = stage === 'reach' && failure.class === 'tls';
  return {
    class: isTls ? 'tls' : 'connect',
    reason: 'PROVIDER_UNAVAILABLE',
    message: isTls ? 'No secure connection to the proxy could be made.' : TEXTS[stage],
    providerCode: failure.providerCode,
    neverSent: true,
    cause,
  };
}

/** The failure of a call whose proxy wants other credentials. */
export function refusedCredentials(): Failure {
  return {
    class: 'auth',
    reason: 'PROVIDER_AUTH_FAILED',
    message: 'The proxy has refused the credentials of the gateway, or wants some.',
    providerCode: `PROXY_${PROXY_AUTH_REQUIRED}`,
    neverSent: true,
  };
}

const TEXTS = {
  reach: 'The proxy could not be reached.',
  tunnel: 'The proxy did not connect to the provider.',
} as const satisfies Record<ProxyStage, string>;
