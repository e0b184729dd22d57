import type { SecureServerOptions } from 'node:http2';
import { createSecureContext, type SecureContextOptions } from 'node:tls';

import type { TlsOptions } from '../port/tls-options.ts';

/** How long a handshake may take, in milliseconds. */
const HANDSHAKE_TIMEOUT_MS = 10_000;

/**
 * TLS 1.3, and of 1.2 what has forward secrecy and authenticated encryption, as HTTP/2 wants it (RFC 9113, appendix A; Mozilla's
 * "intermediate" list without DHE).
 */
const CIPHERS = [
  'TLS_AES_128_GCM_SHA256',
  'TLS_AES_256_GCM_SHA384',
  'TLS_CHACHA20_POLY1305_SHA256',
  'ECDHE-ECDSA-AES128-GCM-SHA256',
  'ECDHE-RSA-AES128-GCM-SHA256',
  'ECDHE-ECDSA-AES256-GCM-SHA384',
  'ECDHE-RSA-AES256-GCM-SHA384',
  'ECDHE-ECDSA-CHACHA20-POLY1305',
  'ECDHE-RSA-CHACHA20-POLY1305',
].join(':');

/** Which clients a listener takes by their certificates. */
export type ClientRule = 'any' | 'required' | 'optional';

/** The transport security of listeners: certificates that may be replaced, for new connections, while connections go on. */
export class LiveTls {
  /** Whether clients are asked for certificates; does not change. */
  readonly clients: ClientRule;
  #context: SecureContextOptions;
  readonly #followers = new Set<(context: SecureContextOptions) => void>();

  /** Throws where OpenSSL does not take the certificates. */
  constructor(options: TlsOptions) {
    this.clients = options.clientCaPem === undefined ? 'any' : (options.clientAuth ?? 'required');
    this.#context = contextOf(options);
  }

  /**
   * What a server is made with besides its context. Who has not shown the certificate that it must show is refused behind the
   * handshake, by `guardClients`, in words: Node would close the connection and send no alert that says why.
   */
  get serverOptions(): SecureServerOptions {
    return {
      requestCert: this.clients !== 'any',
      rejectUnauthorized: false,
      handshakeTimeout: HANDSHAKE_TIMEOUT_MS,
    };
  }

  /** What new connections are made with. */
  get context(): SecureContextOptions {
    return this.#context;
  }

  /** Tells a server of the context, now and whenever it is replaced. Returns how to stop. */
  follow(apply: (context: SecureContextOptions) => void): () => void {
    this.#followers.add(apply);
    apply(this.#context);
    return () => void this.#followers.delete(apply);
  }

  /** Has new connections use other certificates. Throws where OpenSSL does not take them; then all stays as it is. */
  replace(options: TlsOptions): void {
    const context = contextOf(options);
    this.#context = context;
    for (const apply of this.#followers) apply(context);
  }
}

function contextOf({ certPem, keyPem, clientCaPem, minVersion = 'TLSv1.2' }: TlsOptions): SecureContextOptions {
  const context: SecureContextOptions = {
    cert: certPem,
    key: keyPem,
    ...(clientCaPem !== undefined && { ca: clientCaPem }),
    minVersion,
    ciphers: CIPHERS,
  };
  createSecureContext(context);
  return context;
}
