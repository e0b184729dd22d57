import { generateKeyPairSync, sign, type KeyObject } from 'node:crypto';

/** An issuer of tokens, made with node:crypto alone, so that it can make what no library would. */
export interface TokenIssuer {
  /** What its JWKS says. */
  readonly jwks: string;
  /** Signs claims. */
  token(claims: object, header?: object): string;
  /** Puts any header and claims before a signature over them, by whatever makes one. */
  signed(header: object | string, claims: object | string, signature: (input: string) => string): string;
  /** Makes the signature that is right. */
  readonly sign: (input: string) => string;
  readonly publicKey: KeyObject;
}

/** Makes an issuer with an elliptic key (ES256). */
export function createIssuer(kid = 'one'): TokenIssuer {
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const right = (input: string): string =>
    sign('sha256', Buffer.from(input), { key: privateKey, dsaEncoding: 'ieee-p1363' }).toString('base64url');
  const signed: TokenIssuer['signed'] = (header, claims, signature) => {
    const input = `${part(header)}.${part(claims)}`;
    return `${input}.${signature(input)}`;
  };
  return {
    jwks: JSON.stringify({ keys: [{ ...publicKey.export({ format: 'jwk' }), kid, alg: 'ES256', use: 'sig' }] }),
    token: (claims, header = {}) => signed({ alg: 'ES256', kid, ...header }, claims, right),
    signed,
    sign: right,
    publicKey,
  };
}

function part(value: object | string): string {
  return Buffer.from(typeof value === 'string' ? value : JSON.stringify(value)).toString('base64url');
}
