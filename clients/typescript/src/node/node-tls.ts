import type { SecureClientSessionOptions } from 'node:http2';
import type { Pem, TlsOptions } from './tls-options.ts';

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
