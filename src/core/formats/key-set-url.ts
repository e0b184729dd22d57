/** Whether the public keys of an issuer (`jwks`) stand behind a URL; otherwise it is the path of a file. */
export function isKeySetUrl(jwks: string): boolean {
  return jwks.includes('://');
}
