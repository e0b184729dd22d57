import type { SecureClientSessionOptions } from 'node:http2';

/** PEM, as text or bytes. */
export type Pem = string | Uint8Array;

/** Certificates and keys. */
export interface TlsOptions {
  /** Authorities to trust instead of Node's own. */
  readonly ca?: Pem | readonly Pem[] | undefined;
  /** Certificate of this client with its chain, for mTLS. */
  readonly cert?: Pem | undefined;
  /** Private key of this client, for mTLS. */
  readonly key?: Pem | undefined;
  /** Passphrase of the private key. */
  readonly passphrase?: string | undefined;
  /** Name that the certificate of the gateway must have. Default: the host of the address. */
  readonly serverName?: string | undefined;
}

/** Makes what Node takes. Throws a TypeError for a certificate without its key, or a key without its certificate. */
export function nodeTls({ ca, cert, key, passphrase, serverName }: TlsOptions): SecureClientSessionOptions {
  if ((cert === undefined) !== (key === undefined)) throw new TypeError('mTLS needs cert and key');
  return {
    ...(ca === undefined ? {} : { ca: isList(ca) ? ca.map(bufferOf) : bufferOf(ca) }),
    ...(cert === undefined ? {} : { cert: bufferOf(cert) }),
    ...(key === undefined ? {} : { key: bufferOf(key) }),
    ...(passphrase === undefined ? {} : { passphrase }),
    ...(serverName === undefined ? {} : { servername: serverName }),
  };
}

function isList(value: Pem | readonly Pem[]): value is readonly Pem[] {
  return Array.isArray(value);
}

function bufferOf(pem: Pem): string | Buffer {
  return typeof pem === 'string' ? pem : Buffer.from(pem);
}
