import type { LimitStoreFigures } from '../../../callers/port/limit-store-figures.ts';
import type { EngineLoad } from '../../../engine/port/engine-load.ts';
import type { LedgerFigures } from '../../../ledger/port/ledger-figures.ts';
import type { GatewayPort } from '../gateway-port.ts';
import type { RecentHistory } from './recent-history.ts';

/** What the status page is made of. */
export interface StatusParts {
  readonly gateway: Pick<GatewayPort, 'targets' | 'version' | 'uptimeMs'>;
  readonly history: RecentHistory;
  readonly load: () => EngineLoad;
  /** What the process takes, and may take, in bytes. */
  readonly memory: () => { readonly usedBytes: number; readonly limitBytes: number };
  /** Absent: there is no ledger. */
  readonly ledger?: LedgerFigures | undefined;
  /** Absent: gateways do not count callers together. */
  readonly limitStore?: Pick<LimitStoreFigures, 'isUp'> | undefined;
  /** The configuration that was read last and cannot be used, so that the one before holds. */
  readonly refusedConfig: () => RefusedConfig | undefined;
}

/** A configuration that cannot be used. */
export interface RefusedConfig {
  /** When it was read, in milliseconds since the epoch. */
  readonly atMs: number;
  /** Lines that a start would have ended with. */
  readonly problems: readonly string[];
}

/** How callers reach the doors, for who has not called yet. */
export interface ShownDoors {
  /** `host:port` of the gRPC door. */
  readonly grpc: string;
  /** `host:port` of the web door. */
  readonly web: string;
  /** Whether they have TLS. */
  readonly isSecure: boolean;
  /** Whether callers must say who they are. */
  readonly asksWhoCalls: boolean;
}
