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
