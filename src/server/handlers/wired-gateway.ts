import type { ServiceImpl } from '@connectrpc/connect';

import type { AdminService } from '../../../gen/understudy/v1/admin_pb.ts';
import type { LlmService } from '../../../gen/understudy/v1/llm_pb.ts';
import type { Config } from '../../config/port/resolved.ts';
import type { EngineLoad } from '../../engine/port/engine-load.ts';
import type { TargetSnapshot } from '../../engine/target/state.ts';
import type { Transfers } from '../wire/transfers.ts';
import type { Authentication } from '../port/authentication.ts';
import type { CallMeter } from '../port/observed/call-meter.ts';
import type { ConfigEvent } from '../../config/port/config-event.ts';
import type { GatewayPort } from '../port/gateway-port.ts';
import type { LoadFigures } from '../port/load-figures.ts';
import type { StatusParts } from '../port/shown/status-parts.ts';
import type { UsageParts } from '../port/usage-parts.ts';
import type { TlsEvent } from '../port/tls-options.ts';

/** What a gateway knows of its targets' circuits and rate limits: plain data in ages, so that it needs no clock (engine rule K10). */
export type GatewaySnapshot = readonly TargetSnapshot[];

/** A gateway without any door. */
export interface WiredGateway {
  /** Handlers of LlmService, for a program that calls them itself. */
  handlers(): ServiceImpl<typeof LlmService>;
  /** Handlers of LlmService, to be mounted on doors. `isAccepting` false refuses new calls while doors drain. */
  doorHandlers(isAccepting: () => boolean): ServiceImpl<typeof LlmService>;
  /** Handlers of AdminService, for the admin listener alone. */
  adminHandlers(): ServiceImpl<typeof AdminService>;
  /** Tells of usage. */
  readonly usage: UsageParts;
  /** What the status page shows; absent where nothing is measured. */
  readonly status: StatusParts | undefined;
  readonly port: GatewayPort;
  /** How the doors find out who makes a call, asked for each; undefined where callers are not named. */
  readonly authentication: () => Authentication | undefined;
  /** How much there is to do. */
  load(): EngineLoad;
  /** How much this process has had to do of late; absent where nothing is measured. */
  readonly loadFigures: (() => LoadFigures) | undefined;
  /** What holds requests and answers at the doors in bounds. */
  readonly transfers: Transfers;
  /** Writes all metrics in Prometheus' text format, or in OpenMetrics; absent where nothing is measured. */
  readonly metrics:
    | ((isOpenMetrics: boolean) => Promise<{ readonly contentType: string; readonly body: string }>)
    | undefined;
  /** Counts the calls of the gRPC door; absent where nothing is measured. */
  readonly callMeter: CallMeter | undefined;
  /**
   * Opens the ledger, brings it what an earlier process has left, and reads what callers have spent: before any call is taken. Throws
   * ConfigError where that cannot be.
   */
  open(): Promise<void>;
  /** Loads ahead what the first calls will need; contacts nobody. */
  warmUp(): Promise<void>;
  /** Logs a fault that nobody has caught: its class and where it came from. */
  reportFault(thrown: unknown): void;
  /** Calls back whenever the availability of a target may have changed. */
  onTargetChange(listener: () => void): void;
  /**
   * Goes on with another configuration, of which `server`, `ledger` and `limits` are as they were. Calls under way end by the one that they
   * began with; circuits, limits, budgets and counts go on. Rejects, and changes nothing, where it cannot be used.
   */
  configure(config: Config): Promise<void>;
  /** Returns what another gateway can go on from. */
  snapshot(): GatewaySnapshot;
  /** Tells of the transport security of the listeners. */
  tlsHappened(event: TlsEvent): void;
  /** Tells what has become of the configuration. */
  configHappened(event: ConfigEvent): void;
  /** Writes a sentence of ours to the log, where there is one. Default level: info. */
  note(message: string, level?: 'info' | 'warn'): void;
  /** Repeats nothing any more, while new calls are still taken (engine rule D2). There is no way back. */
  repeatNothing(): void;
  /** Takes nothing new; what is under way goes on, but repeats nothing (engine rule D2). There is no way back. */
  drain(): void;
  /**
   * Destroys what is under way, closes all connections to providers and sends what of log and exports still waits. A reader of the log
   * that reads nothing, or a collector that takes nothing, holds it up by a second.
   */
  close(): Promise<void>;
}
