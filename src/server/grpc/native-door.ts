import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import type { Http2Server, Http2Session } from 'node:http2';
import { Server as NetServer } from 'node:net';
import { Code, type ServiceImpl } from '@connectrpc/connect';
import { Server, ServerCredentials } from '@grpc/grpc-js';
import { Health } from '../../../gen/grpc/health/v1/health_pb.ts';
import { LlmService } from '../../../gen/understudy/v1/llm_pb.ts';
import { OpenRcaService } from '../../../gen/xds/service/orca/v3/orca_pb.ts';
import { UsageService } from '../../../gen/understudy/v1/usage_service_pb.ts';
import { formatAddress } from '../../core/address.ts';
import { Cohort, type EventLoop } from '../../core/cohort.ts';
import type { System } from '../../core/ports.ts';
import type { ConnectionsConfig } from '../../config/port/resolved.ts';
import { addressToBind } from '../http/listener.ts';
import { type GrpcMountOptions, mountService } from './mount.ts';
import { addReflection } from './reflection.ts';
import { silenceGrpcLibrary } from './calls/needed-headers.ts';
import { http2ServersOf, takeCalls } from './take-calls.ts';
import { OpenSessions } from '../http2/open-sessions.ts';
import { RESET_GUARD } from '../http2/reset-budget.ts';
import { widenWindows } from '../http2/wide-windows.ts';
import { createHealthService } from '../health/standard-health.ts';
import { WatchPlaces } from '../health/watch-places.ts';
import { createCoreMetrics } from '../orca/core-metrics.ts';
import { LoadReports } from '../orca/load-reports.ts';
import type { Authentication } from '../port/authentication.ts';
import type { CallMeter } from '../port/observed/call-meter.ts';
import type { LoadFigures } from '../port/load-figures.ts';
import { clampTimeoutHeaders, FLUSH_MS } from '../port/limits.ts';
import type { TlsEvent } from '../port/tls-options.ts';
import { guardClients } from '../tls/guard-clients.ts';
import type { LiveTls } from '../tls/live-tls.ts';
import { DoorCredentials } from './door-credentials.ts';
import { LiveCalls } from '../http/live-calls.ts';
import { paceOfBodies } from '../wire/reading-pace.ts';
import { FairTurns } from '../wire/fair-turns.ts';
import { createTransfers, type Transfers } from '../wire/transfers.ts';
import type { ServingStatus } from '../health/serving-status.ts';
import { shutdownReason } from '../errors/status.ts';
import { within } from '../http/within.ts';
import type { DrainableDoor } from '../shutdown/drain-doors.ts';

/** Options of the gRPC door. */
export interface GrpcDoorOptions {
  /** `host:port`; port 0 lets the system choose. */
  readonly address: string;
  readonly handlers: ServiceImpl<typeof LlmService>;
  /** Answers UsageService; without it there is none. */
  readonly usage?: ServiceImpl<typeof UsageService> | undefined;
  readonly serving: ServingStatus;
  /** How much there is to do, for clients that balance by it; the same object as long as nothing has changed. Without it they are told nothing. */
  readonly loadFigures?: (() => LoadFigures) | undefined;
  readonly runtime: Pick<System, 'now' | 'random' | 'wall' | 'setTimer' | 'clearTimer' | 'setIdleTimer' | 'busyMs'> &
    EventLoop;
  /** Bounds what requests and answers hold, together with the other doors. Default: bounds of its own. */
  readonly transfers?: Transfers;
  /** Whether the schema is told to whoever asks. Default: true. */
  readonly reflection?: boolean;
  /** Default: plain HTTP/2 (h2c). */
  readonly tls?: LiveTls | undefined;
  /** Hears of clients that are refused in the handshake. */
  readonly tlsHappened?: ((event: TlsEvent) => void) | undefined;
  /** How callers are known. Default: nobody is asked. */
  readonly authentication?: (() => Authentication | undefined) | undefined;
  /** Counts the calls. Default: nobody does. */
  readonly meter?: CallMeter | undefined;
  /** How long connections live. Default: {@link DEFAULT_CONNECTIONS}. */
  readonly connections?: ConnectionsConfig | undefined;
}

/** An open gRPC door. */
export interface GrpcDoor extends DrainableDoor {
  /** The bound `host:port`. */
  readonly address: string;
}

const STREAM_CREATED = 'http2.server.stream.created';

/** How long connections live where nothing is configured; as the config's schema says. */
const DEFAULT_CONNECTIONS: ConnectionsConfig = {
  maxAgeMs: 30 * 60_000,
  maxAgeGraceMs: 60 * 60_000,
  idleTimeoutMs: 620_000,
  keepalive: { intervalMs: 60_000, timeoutMs: 20_000 },
};

function serverOptions({ maxAgeMs, maxAgeGraceMs, keepalive }: ConnectionsConfig) {
  return {
    // Of what grpc-js reads itself, which is questions about the schema; also what it expands them to.
    'grpc.max_receive_message_length': 64 * 1024,
    'grpc.max_concurrent_streams': 1000,
    // The counts for channelz, a service that is not mounted here.
    'grpc.enable_channelz': 0,
    // Pings find peers that are gone; Node sends none by itself.
    'grpc.keepalive_time_ms': keepalive.intervalMs,
    'grpc.keepalive_timeout_ms': keepalive.timeoutMs,
    // With jitter of a tenth. Its idle time is ours to watch: grpc-js does not see plain unary calls.
    'grpc.max_connection_age_ms': maxAgeMs,
    'grpc.max_connection_age_grace_ms': maxAgeGraceMs,
  };
}

/** Serves LlmService, UsageService, `grpc.health.v1.Health`, load reports and reflection over native gRPC. Rejects where the address cannot be bound. */
export async function openGrpcDoor(options: GrpcDoorOptions): Promise<GrpcDoor> {
  const { handlers, usage, serving, runtime, loadFigures, connections = DEFAULT_CONNECTIONS } = options;
  silenceGrpcLibrary();
  const asked = addressToBind(options.address);
  const shutdown = new AbortController();
  const calls = new LiveCalls();
  const server = new Server(serverOptions(connections));
  tolerateResets(server);
  const cohort = new Cohort(runtime);
  const mount = { runtime, shutdownSignal: shutdown.signal, cohort };
  // Probes do not wait behind calls, and take turns among themselves.
  const looked = { ...mount, turns: new FairTurns(runtime) };
  const reports = loadFigures && new LoadReports(loadFigures);
  const watchPlaces = new WatchPlaces(Code.Unimplemented, 'No more streams may watch; Check still answers.');
  const methods = new Map([
    ...mountService(LlmService, handlers, { ...mount, calls, trailers: reports?.trailers }),
    ...(usage === undefined ? [] : mountService(UsageService, usage, { ...mount, calls })),
    ...mountService(Health, createHealthService(serving), { ...looked, places: { Watch: watchPlaces } }),
    ...(reports === undefined ? [] : mountReports(reports, serving, looked)),
  ]);
  const services = [LlmService, ...(usage ? [UsageService] : []), ...(reports ? [OpenRcaService] : [])];
  if (options.reflection ?? true) addReflection(server, services);
  subscribe(STREAM_CREATED, clampTimeoutOfStream);
  const credentials = options.tls && new DoorCredentials(options.tls.serverOptions);
  let port: number;
  try {
    port = await bind(server, formatAddress(asked), credentials ?? ServerCredentials.createInsecure());
  } catch (error) {
    unsubscribe(STREAM_CREATED, clampTimeoutOfStream);
    throw error;
  }
  const transfers = options.transfers ?? createTransfers(runtime);
  const { meter, authentication } = options;
  const calling = { runtime, transfers, turns: new FairTurns(runtime), meter, pace: paceOfBodies(runtime) };
  takeCalls(server, methods, calling, authentication);
  // Where nobody is named, whoever connects may call.
  const opened = (session: Http2Session): void => {
    if (authentication?.() === undefined) widenWindows(session, transfers);
  };
  const sessions = new OpenSessions({ runtime, idleTimeoutMs: connections.idleTimeoutMs, opened });
  for (const http2Server of http2ServersOf(server)) {
    if (!isHttp2Server(http2Server)) continue;
    sessions.watch(http2Server);
    if (options.tls === undefined) continue;
    const refused = (why: string): void => options.tlsHappened?.({ kind: 'refused', listener: 'gRPC door', why });
    guardClients(http2Server, { clients: options.tls.clients, runtime, refused });
  }
  const stopFollowing = credentials && options.tls?.follow((context) => credentials.load(context));
  const drain = async (graceMs: number): Promise<void> => {
    serving.startDraining();
    const isIdle = async (): Promise<void> => {
      await sessions.retire();
      await calls.whenIdle();
    };
    await within(runtime, graceMs, isIdle());
    shutdown.abort(shutdownReason());
    await within(runtime, FLUSH_MS, closed(server));
    server.forceShutdown();
    sessions.destroy();
    stopFollowing?.();
    unsubscribe(STREAM_CREATED, clampTimeoutOfStream);
  };
  return {
    address: formatAddress({ host: asked.host, port }),
    usedAtMs: () => sessions.usedAtMs,
    sendAway: () => sessions.retire(),
    drain,
  };
}

/** Who finds no place comes again by itself, later and later. */
function mountReports(reports: LoadReports, serving: ServingStatus, mount: GrpcMountOptions) {
  const places = { StreamCoreMetrics: new WatchPlaces(Code.Unavailable, 'No more streams may hear of the load.') };
  return mountService(OpenRcaService, createCoreMetrics({ reports, serving, timers: mount.runtime }), {
    ...mount,
    places,
  });
}

/** grpc-js has no option for the guard; a test watches that it still makes its HTTP/2 servers from `commonServerOptions`. */
function tolerateResets(server: Server): void {
  const options: unknown = Reflect.get(server, 'commonServerOptions');
  if (typeof options === 'object' && options !== null) Object.assign(options, RESET_GUARD);
}

function isHttp2Server(value: unknown): value is Http2Server {
  return value instanceof NetServer;
}

/**
 * Shortens a deadline of more than 24 days before grpc-js reads it: no timer of Node runs for so long, and grpc-js would end the
 * call at once. The channel tells of the streams of all HTTP/2 servers of the process; none of them needs a longer deadline.
 */
function clampTimeoutOfStream(message: unknown): void {
  if (typeof message !== 'object' || message === null || !('headers' in message)) return;
  const { headers } = message;
  if (isHeaders(headers)) clampTimeoutHeaders(headers);
}

function isHeaders(value: unknown): value is Record<string, string | readonly string[] | undefined> {
  return typeof value === 'object' && value !== null;
}

function bind(server: Server, address: string, serverCredentials: ServerCredentials): Promise<number> {
  return new Promise((resolve, reject) => {
    server.bindAsync(address, serverCredentials, (error, port) => {
      if (error === null) resolve(port);
      else reject(listenError(error));
    });
  });
}

/** Turns the error of grpc-js for an address that cannot be bound into the one that `node:net` would have thrown. */
function listenError(error: Error): Error {
  const [message, code] = /listen ([A-Z]+): [^\],]+/.exec(error.message) ?? [];
  return code === undefined ? error : Object.assign(new Error(message, { cause: error }), { code, syscall: 'listen' });
}

/** Resolves when all streams have ended and all connections are closed. */
function closed(server: Server): Promise<void> {
  return new Promise((resolve) => {
    server.tryShutdown(() => resolve());
  });
}
