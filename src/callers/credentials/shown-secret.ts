import type { CredentialFault, ShownCredentials } from '../port/credentials.ts';

/** Longest API key or token, in characters: what is longer is not looked at. */
const MOST_CHARACTERS = 16 * 1024;

const SCHEME = 'bearer ';

/** Visible characters of ASCII alone: what a key or a token is made of. */
const SECRET = /^[\x21-\x7e]+$/;

/**
 * Reads the key or token that a call shows in its headers; undefined where it shows none. What is there and is none, and two that
 * differ, are malformed.
 */
export function shownSecret({
  authorization,
  apiKey,
}: ShownCredentials): { readonly secret: string } | CredentialFault | undefined {
  if (authorization === undefined && apiKey === undefined) return undefined;
  const bearer = authorization === undefined ? undefined : bearerToken(authorization);
  if (authorization !== undefined && bearer === undefined) return 'malformed';
  const key = apiKey?.trim();
  const secret = bearer ?? key ?? '';
  if (bearer !== undefined && key !== undefined && bearer !== key) return 'malformed';
  if (secret.length > MOST_CHARACTERS || !SECRET.test(secret)) return 'malformed';
  return { secret };
}

/** The word behind `Bearer`, in whatever case that is written (RFC 9110, "Authentication Scheme"). */
function bearerToken(header: string): string | undefined {
  if (header.length > MOST_CHARACTERS + SCHEME.length) return undefined;
  return header.slice(0, SCHEME.length).toLowerCase() === SCHEME ? header.slice(SCHEME.length).trim() : undefined;
}
