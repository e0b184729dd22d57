/** Who may call, and how much; without callers nobody is asked who it is. */
export interface CallersConfig {
  /** In the order of the file. */
  readonly callers: readonly CallerConfig[];
  readonly groups: readonly GroupConfig[];
  /** Path of a file with further API keys, which is watched; absent: there is none. */
  readonly apiKeysFile?: string | undefined;
}

/** One caller, with what `caller_defaults` say where its entry says nothing. */
export interface CallerConfig extends AllowanceConfig {
  /** 1 to 100 of `A-Za-z0-9._~-`, unique among callers. */
  readonly name: string;
  /** Name of one of the groups. */
  readonly group?: string | undefined;
  readonly apiKeys: readonly ApiKeyConfig[];
  readonly jwt?: JwtConfig | undefined;
  /** The subject alternative name, URI or DNS, of its client certificates. */
  readonly certificateName?: string | undefined;
  /** Routes that it may use; absent: all. */
  readonly routes?: readonly string[] | undefined;
  /** Targets that may answer it; absent: all. */
  readonly targets?: readonly string[] | undefined;
}

/** Callers that share limits and budgets. */
export interface GroupConfig extends AllowanceConfig {
  /** As the name of a caller, unique among groups. */
  readonly name: string;
}

/** How much a caller, or a group of them together, may do and spend. */
export interface AllowanceConfig {
  readonly limits: CallerLimitsConfig;
  /** At most one for each period. */
  readonly budgets: readonly BudgetConfig[];
}

/** How much at a time; what is absent has no limit. */
export interface CallerLimitsConfig {
  readonly requestsPerMinute?: number | undefined;
  readonly tokensPerMinute?: number | undefined;
  readonly concurrentCalls?: number | undefined;
}

/** What may be spent in a day or a month of UTC, in nano-USD. */
export interface BudgetConfig {
  readonly nanoUsd: bigint;
  readonly per: 'day' | 'month';
}

/** An API key, of which nobody but its owner has more than the digest. */
export interface ApiKeyConfig {
  /** 64 hexadecimal digits in small letters. */
  readonly sha256: string;
  /** Milliseconds since the epoch from which on it is not valid; absent: it does not expire. */
  readonly expiresAtMs?: number | undefined;
}

/** An API key in the file of keys. */
export interface NamedKeyConfig extends ApiKeyConfig {
  readonly caller: string;
}

/** Which tokens are a caller's. */
export interface JwtConfig {
  /** What `iss` must be. */
  readonly issuer: string;
  /** One of which must be in `aud`. */
  readonly audiences: readonly string[];
  /** Where the keys of the issuer are: a URL with `https:` (on loopback also `http:`), or the path of a file. */
  readonly jwks: string;
  /** Name of the claim that says who calls; dots lead into objects. */
  readonly claim: string;
  /** What the claim must be, or hold where it is a list; absent: each value is a caller of its own. */
  readonly value?: string | undefined;
}
