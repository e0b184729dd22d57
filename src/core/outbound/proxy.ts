/** A proxy that calls go through: what is asked over TLS in a tunnel (CONNECT), the rest as it stands. */
export interface Proxy {
  /** `http://host:port` or `https://host:port`. */
  readonly origin: string;
  /** What it is sent as `proxy-authorization`. A secret. */
  readonly authorization?: string | undefined;
}
