/** Where gateways count together what callers do and spend. */
export interface LimitStoreConfig {
  /** `redis://`, `rediss://` or `unix://`; several are nodes of one cluster. Secrets: they may hold a password. */
  readonly urls: readonly [string, ...string[]];
  /** Whether it is a cluster, of which `urls` names some nodes. */
  readonly isCluster: boolean;
  /** How long a question may take, in milliseconds. Default 20. */
  readonly timeoutMs: number;
  /** Whether calls go on, counted by this process alone, while the store does not answer. */
  readonly failureMode: 'open' | 'closed';
  /** With which all keys begin. Default `understudy`. */
  readonly keyPrefix: string;
}
