/** Certificates of a door, PEM, and whom it talks to. */
export interface TlsOptions {
  /** The certificate, and the chain behind it. */
  readonly certPem: string;
  readonly keyPem: string;
  /** Where given, clients are asked for a certificate that one of these authorities has signed (mTLS). */
  readonly clientCaPem?: string | undefined;
  /** Whether a client may come without a certificate where authorities are given. Default: `required`. */
  readonly clientAuth?: 'required' | 'optional' | undefined;
  /** Default: TLS 1.2. */
  readonly minVersion?: 'TLSv1.2' | 'TLSv1.3' | undefined;
}

/** A listener, as people know it. */
export type ListenerName = 'gRPC door' | 'web door' | 'admin listener';

/** What happens to the transport security of a section of the configuration, for log and metrics. */
export type TlsEvent =
  /** At start, and when the files have changed. */
  | {
      readonly kind: 'loaded';
      /** `server.tls` or `server.admin_tls`. */
      readonly section: string;
      readonly isFirst: boolean;
      /** Whom the certificate is for. */
      readonly names: string;
      readonly expiresAtMs: number;
      /** The same as a date (ISO 8601). */
      readonly expires: string;
    }
  /** Files have changed and cannot be used: what there was stays. */
  | { readonly kind: 'kept'; readonly section: string; readonly problem: string }
  /** A client was refused in the handshake. */
  | { readonly kind: 'refused'; readonly listener: ListenerName; readonly why: string };
