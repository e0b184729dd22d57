import type { Proxy } from './proxy.ts';

/** As whom tokens are asked of Microsoft Entra (OAuth 2.0 client credentials, RFC 6749, 4.4). */
export interface EntraIdentity {
  /** `https://login.microsoftonline.com/TENANT/oauth2/v2.0/token` */
  readonly tokenUrl: string;
  readonly clientId: string;
  /** What the tokens are for. */
  readonly scope: string;
  /** A secret, or the path of a file with a token of the cluster, which is read for each request (RFC 7523, 2.2). */
  readonly proof: { readonly secret: string } | { readonly tokenFile: string };
  /** What the token endpoint is asked through. Absent: nothing. */
  readonly proxy?: Proxy | undefined;
}
