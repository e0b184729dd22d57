import type { Failure } from '../../core/failure.ts';
import type { Caller } from './caller.ts';

/** What a call shows of who makes it. */
export interface ShownCredentials {
  /** The header `authorization`. */
  readonly authorization?: string | undefined;
  /** The header `x-api-key`. */
  readonly apiKey?: string | undefined;
  /** What stands in the client's certificate, which its connection has proved; absent without one. */
  readonly certificate?: CertificateNames | undefined;
  /** What it comes by: stands for all calls of one connection. Absent: of nothing that is known. */
  readonly connection?: object | undefined;
}

/** The names in a certificate. */
export interface CertificateNames {
  /** Subject alternative names without their kind, such as `spiffe://example.org/billing` or `billing.example.org`. */
  readonly alternativeNames: readonly string[];
}

/** Why credentials are refused, for metrics and the log: a closed set, which says nothing of the credentials. */
export type CredentialFault =
  | 'missing'
  | 'malformed'
  | 'unknown_key'
  | 'expired_key'
  | 'invalid_token'
  | 'expired_token'
  | 'unknown_certificate'
  | 'issuer_unavailable';

/**
 * What of a token is not as its caller's entry wants it, for the log: a closed set, the claims by their names (RFC 7519). `form`: it cannot be
 * read, or its header wants what is not done; `kid`: no key of that name signs for its issuer; `caller`: the claim that names callers names
 * none.
 */
export type TokenFault = 'form' | 'iss' | 'aud' | 'exp' | 'nbf' | 'kid' | 'signature' | 'caller';

/** Why nobody shows these credentials. */
export interface CredentialFailure extends Failure {
  readonly credentials: CredentialFault;
  /** Of `invalid_token`; callers are not told. */
  readonly token?: TokenFault | undefined;
}

/** Who calls, or why nobody is known to. */
export type Identified = Caller | CredentialFailure;

/** Knows callers by what they show. */
export interface CallerDirectory {
  /**
   * Returns who shows these credentials, or why nobody does: AUTH_REQUIRED or AUTH_INVALID, of class `local_refusal`; OVERLOADED
   * where the keys of a token's issuer cannot be had. A promise only where something must be asked or reckoned first; it never rejects.
   */
  identify(shown: ShownCredentials): Identified | Promise<Identified>;
}
