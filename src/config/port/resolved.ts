import type { EntraIdentity } from '../../core/outbound/entra-identity.ts';
import type { OpenAiApi, ProviderName } from '../../core/provider.ts';
import type { Proxy } from '../../core/outbound/proxy.ts';
import type { AdmissionConfig, CircuitBreakerConfig, RetryConfig } from '../../engine/port/config.ts';
import type { RouteEntry } from '../../engine/route/route.ts';
import type { LedgerConfig } from './ledger-config.ts';
import type { LogConfig } from './log-config.ts';
import type { UpstreamMode } from '../../engine/route/upstream-mode.ts';
import type { TlsConfig } from './tls-config.ts';
import type { CallersConfig } from './caller-config.ts';
import type { PriceFile } from '../../pricing/price-file.ts';
import type { LimitStoreConfig } from './limit-store-config.ts';

/** Variables of the process, or names like theirs given by an embedding program. */
export type Environment = Readonly<Record<string, string | undefined>>;

/** Prices of one model in USD per million tokens, as decimal text: never a float. */
export interface PriceConfig {
  readonly model: string;
  readonly input: string;
  /** Absent: as `input`, and what it makes is an estimate. */
  readonly cachedInput?: string | undefined;
  /** Absent: as `input`, and what it makes is an estimate. */
  readonly cacheWrite?: string | undefined;
  readonly output: string;
}

/** Timers that a person has set for one target, in milliseconds; each overrides the engine's rule. */
export interface TimeoutConfig {
  readonly connectMs?: number | undefined;
  readonly firstOutputMs?: number | undefined;
  readonly progressMs?: number | undefined;
}

/** A named instance of a provider. */
export interface TargetConfig {
  /** 1 to 100 of `A-Za-z0-9._~-`, unique among targets and routes. */
  readonly name: string;
  readonly provider: ProviderName;
  /**
   * Without a trailing slash, user name, fragment, or query but Azure's `?api-version=`. On the host `mock.invalid` where only
   * the mock can answer.
   */
  readonly baseUrl: string;
  /** Whether the provider itself answers, or the mock in its place: not another server that speaks its API. */
  readonly ownHost: boolean;
  /** Absent where none is needed: a mock, Ollama, or another host that speaks the provider's API. A secret. */
  readonly apiKey?: string | undefined;
  /** As whom it is called in place of a key; Azure alone. */
  readonly identity?: EntraIdentity | undefined;
  /** OpenAI's organization, from `OPENAI_ORG_ID`. */
  readonly organization?: string | undefined;
  /** The default model, or Azure's deployment. Absent for Ollama alone: its first installed model. */
  readonly model?: string | undefined;
  /** Which of OpenAI's APIs is spoken; present for openai and azure-openai. */
  readonly api?: OpenAiApi | undefined;
  /** Every model that the configuration names for this target, the default model first. */
  readonly models: readonly string[];
  readonly prices: readonly PriceConfig[];
  /** Targets of one group share cooldowns and suspensions; the target's own name unless configured. */
  readonly limitGroup: string;
  readonly timeouts: TimeoutConfig;
  /** Whether it is asked for streams, for whole answers, or as the engine sees fit. Absent: AUTO. */
  readonly upstreamMode?: UpstreamMode | undefined;
  /** What its calls go through. Absent: nothing. */
  readonly proxy?: Proxy | undefined;
  /** Whether the mock upstream answers in this provider's wire format, without network. */
  readonly mock: boolean;
  /** Where the target comes from, for people: `environment (OPENAI_API_KEY)`, `understudy.yaml targets[0]`, `--demo`. */
  readonly source: string;
}

/** A named order of targets. */
export interface RouteConfig {
  readonly name: string;
  readonly entries: readonly RouteEntry[];
}

/** What messages may take at the doors. */
export interface LimitsConfig {
  /** Largest request or answer, in bytes. Default 20 MiB. */
  readonly maxMessageBytes: number;
  /** Most bytes of requests and unread answers together, at least four of the largest messages. Absent: what fits the memory. */
  readonly maxBytesInFlight?: number | undefined;
  /** How long a request may take to arrive, and an answer to be read, in milliseconds. Default 60,000. */
  readonly transferTimeoutMs: number;
}

/** How the process goes down. */
export interface DrainConfig {
  /** How long new calls are still taken once health says that none are wanted, in milliseconds; may be 0. Default 2 s. */
  readonly pauseMs: number;
  /** How long calls may go on after the signal, the pause included, in milliseconds. Default 25 s. */
  readonly graceMs: number;
}

/** How long connections of the gRPC door live; in milliseconds, gRPC's words (gRFC A9). */
export interface ConnectionsConfig {
  /** After how long a connection is sent away, with a jitter of a tenth. Default 30 min. */
  readonly maxAgeMs: number;
  /** How long its calls may go on after that. Default 1 h. */
  readonly maxAgeGraceMs: number;
  /** After how long without a call it is sent away. Default 620 s. */
  readonly idleTimeoutMs: number;
  readonly keepalive: {
    /** How often a ping asks whether the client is there. Default 60 s. */
    readonly intervalMs: number;
    /** How long the client may take to answer it. Default 20 s. */
    readonly timeoutMs: number;
  };
}

/** What the process listens on; addresses are `host:port`, IPv6 in brackets. */
export interface ServerConfig {
  /** Default 127.0.0.1:50051. */
  readonly grpcAddress: string;
  /** Default 127.0.0.1:8080. */
  readonly httpAddress: string;
  /** Default 127.0.0.1:9464. */
  readonly adminAddress: string;
  /** TLS of both doors. Absent: they are plaintext. */
  readonly tls?: TlsConfig | undefined;
  /** TLS of the admin listener; that of the doors unless configured. Absent: it is plaintext. */
  readonly adminTls?: TlsConfig | undefined;
  /** Whether the gRPC door describes its services. Default true. */
  readonly reflection: boolean;
  /** Whether the admin listener serves AdminService. Default false. */
  readonly adminService: boolean;
  /** Origins of browsers that may call the web door, besides its own; `*` for all. Default none. */
  readonly corsOrigins: readonly string[];
  /** How long connections of the web door and the admin listener may be idle, in milliseconds. Default 620,000. */
  readonly idleTimeoutMs: number;
  /** Names by which the two may be called, besides those of loopback. Default none. */
  readonly allowedHosts: readonly string[];
  /** Whether addresses other than loopback are allowed although callers are not authenticated. */
  readonly allowUnauthenticated: boolean;
  /** Whether other machines can reach a door although nobody is asked who calls. */
  readonly isUnauthenticated: boolean;
  /** Whether health and reflection are for callers alone, too; where there are callers. Default false. */
  readonly authenticateHealth: boolean;
  readonly limits: LimitsConfig;
  readonly drain: DrainConfig;
  readonly connections: ConnectionsConfig;
}

/** Everything that the process is told, checked and with its defaults filled in. */
export interface Config {
  /** Empty where no provider is configured: then calls fail with NO_PROVIDER_CONFIGURED. */
  readonly targets: readonly TargetConfig[];
  /** Always holds `default`; its entries are empty only where `targets` is. */
  readonly routes: readonly RouteConfig[];
  readonly circuitBreaker: CircuitBreakerConfig;
  readonly retry: RetryConfig;
  readonly admission: AdmissionConfig;
  readonly server: ServerConfig;
  readonly log: LogConfig;
  /** Where usage is kept. Absent: nowhere. */
  readonly ledger?: LedgerConfig | undefined;
  /** Who may call; absent: everybody who can reach the doors. */
  readonly callers?: CallersConfig | undefined;
  /** Path of a file of prices; absent: there is none. */
  readonly pricesFile?: string | undefined;
  /** What stands in it. */
  readonly prices?: PriceFile | undefined;
  /** Where callers are counted; absent: in memory. */
  readonly limits?: LimitStoreConfig | undefined;
  /** Absolute paths of the files that `${file:…}` took something from. */
  readonly secretFiles: readonly string[];
  /** What an operator should read at start, one sentence each. */
  readonly warnings: readonly string[];
  /** Whether the mock answers only because of `--demo`: nothing else was found. */
  readonly demo: boolean;
}
