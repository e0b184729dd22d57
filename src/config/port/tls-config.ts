/** Whether a client must show a certificate, or may. */
export type ClientAuth = 'required' | 'optional';

/** Where a listener has its certificate from, and whom it talks to. The paths are absolute where the configuration is a file. */
export interface TlsConfig {
  /** The field of the configuration: `server.tls` or `server.admin_tls`. */
  readonly field: string;
  /** The certificate, and the chain behind it. */
  readonly certPath: string;
  readonly keyPath: string;
  /** Authorities that sign the certificates of clients; absent: clients are asked for none. */
  readonly clientCaPath?: string | undefined;
  /** Counts with `clientCaPath` alone. Default `required`. */
  readonly clientAuth: ClientAuth;
  /** Default TLS 1.2. */
  readonly minVersion: 'TLSv1.2' | 'TLSv1.3';
}
