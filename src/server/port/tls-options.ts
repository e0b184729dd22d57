/** Certificates of a door, PEM. */
export interface TlsOptions {
  readonly certPem: string;
  readonly keyPem: string;
  /** Where given, clients must show a certificate that this authority has signed (mTLS). */
  readonly clientCaPem?: string | undefined;
}
