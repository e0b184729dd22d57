/** What is read of a token before its signature is looked at, and believed only after that. */
export interface TokenClaims {
  readonly alg: string;
  readonly kid: string | undefined;
  readonly payload: Readonly<Record<string, unknown>>;
}

/** How far the clock of an issuer may be ahead, in seconds. That of its expiry is ours: a token lives no second longer. */
const AHEAD_S = 5;

/** Signatures that only the issuer can make; never `none`, nor HMAC with a public key for a secret. */
export const SIGNATURES: readonly string[] = [
  'RS256',
  'RS384',
  'RS512',
  'PS256',
  'PS384',
  'PS512',
  'ES256',
  'ES384',
  'ES512',
  'EdDSA',
  'Ed25519',
];

/** Whether a text may be a token: three parts of base64url with dots between them (RFC 7515, "Compact Serialization"). */
export function isTokenForm(text: string): boolean {
  return /^[\w-]+\.[\w-]+\.[\w-]*$/.test(text);
}

/** Reads a token; undefined where it is none that could be valid: malformed, another signature, or an extension that must be known. */
export function readToken(token: string): TokenClaims | undefined {
  const [head = '', body = '', signature = ''] = token.split('.');
  // A signature has one spelling, so that a token has: bits that its last letter does not use are 0 (RFC 4648, 3.5).
  if (Buffer.from(signature, 'base64url').toString('base64url') !== signature) return undefined;
  const header = jsonOf(head);
  const payload = jsonOf(body);
  if (header === undefined || payload === undefined || 'crit' in header || 'b64' in header) return undefined;
  const { alg, kid } = header;
  if (typeof alg !== 'string' || !SIGNATURES.includes(alg)) return undefined;
  if (kid !== undefined && typeof kid !== 'string') return undefined;
  return { alg, kid, payload };
}

/** Whether a token is in its time; without `exp` none is (RFC 7519, `exp` and `nbf`). */
export function tokenTime({ payload: { exp, nbf } }: TokenClaims, wallMs: number): 'valid' | 'expired' | 'exp' | 'nbf' {
  if (typeof exp !== 'number' || !Number.isFinite(exp)) return 'exp';
  if (exp * 1_000 <= wallMs) return 'expired';
  if (nbf === undefined) return 'valid';
  return typeof nbf === 'number' && nbf <= wallMs / 1_000 + AHEAD_S ? 'valid' : 'nbf';
}

/** Whether a token is for one of some audiences. */
export function isFor({ payload: { aud } }: TokenClaims, audiences: readonly string[]): boolean {
  const named: readonly unknown[] = Array.isArray(aud) ? aud : [aud];
  return named.some((audience) => typeof audience === 'string' && audiences.includes(audience));
}

/** Returns the values of a claim as texts: none, one, or those of a list. Dots lead into objects, unless a claim has them in its name. */
export function claimValues({ payload }: TokenClaims, name: string): readonly string[] {
  const value = Object.hasOwn(payload, name) ? payload[name] : walk(payload, name.split('.'));
  const values: readonly unknown[] = Array.isArray(value) ? value : [value];
  return values.flatMap((each) => {
    if (typeof each === 'string') return [each];
    return typeof each === 'number' && Number.isSafeInteger(each) ? [String(each)] : [];
  });
}

function walk(value: unknown, [step, ...rest]: readonly string[]): unknown {
  if (step === undefined) return value;
  if (typeof value !== 'object' || value === null || Array.isArray(value) || !Object.hasOwn(value, step))
    return undefined;
  return walk(Reflect.get(value, step), rest);
}

function jsonOf(part: string): Readonly<Record<string, unknown>> | undefined {
  try {
    const text = new TextDecoder('utf-8', { fatal: true }).decode(Buffer.from(part, 'base64url'));
    const value: unknown = JSON.parse(text);
    const isObject = typeof value === 'object' && value !== null && !Array.isArray(value);
    return isObject ? Object.fromEntries(Object.entries(value)) : undefined;
  } catch {
    return undefined;
  }
}
