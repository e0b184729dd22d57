import type { CredentialFailure, CredentialFault, TokenFault } from '../port/credentials.ts';

/** How long a client should wait for the keys of an issuer, in milliseconds. */
const COME_AGAIN_MS = 1_000;

const INVALID = 'The credentials of the call are not valid.';

/** What a caller is told; whether a key is unknown or a signature wrong is for nobody to learn by trying. */
const MESSAGES = {
  missing: 'The call shows no credentials: send an API key or a token as authorization: Bearer, or as x-api-key.',
  malformed:
    'The credentials of the call cannot be read: send one API key or token, as authorization: Bearer or as x-api-key.',
  unknown_key: INVALID,
  expired_key: 'The API key of the call has expired.',
  invalid_token: INVALID,
  expired_token: 'The token of the call has expired.',
  unknown_certificate: INVALID,
  issuer_unavailable: 'The keys of the issuer of the token cannot be had at the moment.',
} as const satisfies Record<CredentialFault, string>;

/** Makes the failure of a call whose token is not as it should be: its caller is told no more than of any other. */
export function tokenFailure(token: TokenFault): CredentialFailure {
  return { ...credentialFailure('invalid_token'), token };
}

/** Makes the failure of a call whose credentials are refused. */
export function credentialFailure(credentials: CredentialFault): CredentialFailure {
  const message = MESSAGES[credentials];
  if (credentials === 'issuer_unavailable') {
    return { class: 'local_refusal', reason: 'OVERLOADED', message, retryAfterMs: COME_AGAIN_MS, credentials };
  }
  const reason = credentials === 'missing' ? 'AUTH_REQUIRED' : 'AUTH_INVALID';
  return { class: 'local_refusal', reason, message, credentials };
}
