import type { TLSSocket } from 'node:tls';

import type { ClientRule } from './live-tls.ts';

/** Why a client is not taken for whom its certificate names. */
export interface CertificateFault {
  readonly reason: 'AUTH_REQUIRED' | 'AUTH_INVALID';
  /** A sentence without its dot. */
  readonly why: string;
}

/** Why OpenSSL does not trust a certificate, by Node's codes (X509_verify_cert_error_string). */
const UNTRUSTED: Readonly<Record<string, string>> = {
  CERT_HAS_EXPIRED: 'The client certificate has expired',
  CERT_NOT_YET_VALID: 'The client certificate is not valid yet',
  INVALID_PURPOSE: 'The client certificate is not made for clients',
  CERT_SIGNATURE_FAILURE: 'The client certificate is not signed by the authority that it names',
};

const UNKNOWN_AUTHORITY = 'The client certificate is not signed by an authority that this gateway trusts';

/** Why a handshake fails, by the codes of OpenSSL. */
const HANDSHAKE: readonly (readonly [code: RegExp, why: string])[] = [
  [
    /^ERR_SSL_(HTTP_REQUEST|WRONG_VERSION_NUMBER|PACKET_LENGTH_TOO_LONG|HTTPS_PROXY_REQUEST|BAD_RECORD_TYPE|RECORD_LAYER_FAILURE|INVALID_RECORD_HEADER)$/,
    'The client does not speak TLS',
  ],
  [/^ERR_SSL_(UNSUPPORTED_PROTOCOL|VERSION_TOO_LOW|TLSV1_ALERT_PROTOCOL_VERSION)$/, 'No version of TLS in common'],
  [/^ERR_SSL_NO_SHARED_CIPHER$/, 'No cipher in common'],
  [/^ERR_SSL_NO_APPLICATION_PROTOCOL$/, 'The client does not offer the protocol of this listener (ALPN)'],
  [/ALERT_UNKNOWN_CA$/, 'The client does not know the authority of our certificate'],
  [/ALERT_CERTIFICATE_EXPIRED$/, 'The client says that our certificate has expired'],
  [/ALERT_(BAD_CERTIFICATE|CERTIFICATE_UNKNOWN|UNSUPPORTED_CERTIFICATE)$/, 'The client does not take our certificate'],
  [/^ERR_TLS_HANDSHAKE_TIMEOUT$/, 'The handshake takes too long'],
];

/** Says why a client is not taken for whom its certificate names; undefined where it need not show one, and shows none. */
export function certificateFault(socket: TLSSocket, clients: ClientRule): CertificateFault | undefined {
  if (socket.getPeerX509Certificate() === undefined) {
    return clients === 'required' ? { reason: 'AUTH_REQUIRED', why: 'A client certificate is required' } : undefined;
  }
  // Node's types say that this is an Error; it is the code.
  const code: unknown = socket.authorizationError;
  return { reason: 'AUTH_INVALID', why: UNTRUSTED[String(code)] ?? UNKNOWN_AUTHORITY };
}

/**
 * Says why a handshake has failed; undefined where the client just went away, as checks of ports do, and where another sentence has
 * said it.
 */
export function handshakeFault(error: unknown, socket: TLSSocket): string | undefined {
  const code = typeof error === 'object' && error !== null && 'code' in error ? String(error.code) : '';
  const known = HANDSHAKE.find(([pattern]) => pattern.test(code));
  if (known !== undefined) return known[1];
  return code === 'ECONNRESET' || code === 'EPIPE' || socket.authorized ? undefined : `The handshake failed (${code})`;
}
