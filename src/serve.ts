import { env, stdout } from 'node:process';
import { isatty } from 'node:tty';

import type { ServeFlags } from './cli/command-line.ts';
import { showsColors } from './cli/terminal/terminal.ts';
import { PACKAGE_VERSION } from './config/package-version.ts';
import type { Config, DrainConfig } from './config/port/resolved.ts';
import { loadProcessConfig } from './config/process-config.ts';
import { describeProxies } from './config/outbound/proxied-targets.ts';
import { ConfigReload } from './config/reload/config-reload.ts';
import { describeStartup, shownDoors } from './config/summary.ts';
import { openTlsFiles } from './config/tls/watched-files.ts';
import { NotedReads } from './files/noted-reads.ts';
import { wireGateway } from './wire-gateway.ts';
import { openAdmin } from './server/admin/operator-door.ts';
import { openGrpcDoor } from './server/grpc/native-door.ts';
import type { WiredGateway } from './server/handlers/wired-gateway.ts';
import { Room } from './server/health/room.ts';
import { ServingStatus } from './server/health/serving-status.ts';
import { drainDoors } from './server/shutdown/drain-doors.ts';
import type { TlsEvent } from './server/port/tls-options.ts';
import type { LiveTls } from './server/tls/live-tls.ts';
import { type CertificateWatch, watchCertificates } from './server/tls/certificate-watch.ts';
import { openWebDoor } from './server/web/http-door.ts';
import { audienceOf } from './server/usage/audience.ts';
import { createUsageHandlers } from './server/usage/serve-usage.ts';
import { system } from './system.ts';

/** How long the process may take to end once the grace is over (engine rule D2), in milliseconds. */
const EXIT_SLACK_MS = 2_000;
/** Within this time a second signal is the first once more: a terminal and npm, say, both pass Ctrl-C on. In milliseconds. */
const SAME_SIGNAL_MS = 1_000;

/**
 * Loads the configuration, wires the gateway, opens its doors, says so, and listens for the signals that end it. Throws ConfigError, or
 * what a door throws that cannot open.
 *
 * @param logFormat - `auto`: text where standard output is a terminal, JSON elsewhere
 */
export async function serve({ logFormat = 'auto', ...flags }: ServeFlags): Promise<void> {
  const reads = new NotedReads();
  const load = (readFile = reads.read) => loadProcessConfig(flags, system, readFile);
  const config = await load();
  const log = {
    text: logFormat === 'auto' ? isatty(stdout.fd) : logFormat === 'text',
    colors: showsColors(stdout.fd, env),
  };
  const gateway = wireGateway({ config, version: PACKAGE_VERSION, system, reports: log, env });
  const room = new Room(() => gateway.load(), system);
  const serving = new ServingStatus(() => gateway.port.targets(), system, room.isLeft);
  gateway.onTargetChange(() => {
    serving.changed();
  });
  let isAccepting = true;
  const refuseNew = (): void => {
    isAccepting = false;
    gateway.drain();
  };
  const tls = openTls(config.server, gateway);
  await gateway.open();
  const doors = await openDoors(config.server, gateway, serving, tls, () => isAccepting);
  serving.startServing();
  const addresses = { grpc: doors.grpc.address, web: doors.web.address, admin: doors.admin.address };
  gateway.configHappened({ kind: 'started' });
  const reload = new ConfigReload({
    config,
    reads,
    load,
    apply: (next) => gateway.configure(next),
    happened: (outcome) => gateway.configHappened(outcome),
    fault: (thrown) => gateway.reportFault(thrown),
    timers: system,
    env,
  });
  listenForSignals(gateway, reload, async (drain) => {
    reload.stop();
    const repeatNothing = (): void => gateway.repeatNothing();
    const open = [doors.grpc, doors.web];
    await drainDoors({ ...drain, serving, doors: open, repeatNothing, refuseNew, runtime: system });
    for (const watch of tls.watches) watch.stop();
    await Promise.all([doors.admin.close(), gateway.close()]);
  });
  surviveFaults(gateway);
  // Whoever reads this may send a signal at once.
  const description = describeStartup(config, addresses, PACKAGE_VERSION);
  if (logFormat !== 'json') stdout.write(log.text ? `${description}\n` : description);
  else {
    const { grpc, web, admin } = shownDoors(addresses, config.server);
    gateway.note(`serving: gRPC ${grpc}, web ${web}, admin ${admin}`);
    // Text has them above.
    for (const line of describeProxies(config.targets)) gateway.note(line);
    for (const warning of config.warnings) gateway.note(`warning: ${warning}`, 'warn');
  }
  await gateway.warmUp();
}

/** Reads the certificates of the listeners, and keeps them as their files are. Throws ConfigError where they cannot be used. */
function openTls({ tls, adminTls }: Config['server'], gateway: WiredGateway) {
  const watches: CertificateWatch[] = [];
  const open = (config: Config['server']['tls']): LiveTls | undefined => {
    if (config === undefined) return undefined;
    const watch = watchCertificates(...openTlsFiles(config, () => system.wall()), system, (event) =>
      gateway.tlsHappened(event),
    );
    watches.push(watch);
    return watch.tls;
  };
  const doors = open(tls);
  return { doors, admin: adminTls === tls ? doors : open(adminTls), watches };
}

async function openDoors(
  server: Config['server'],
  gateway: WiredGateway,
  serving: ServingStatus,
  tls: ReturnType<typeof openTls>,
  isAccepting: () => boolean,
) {
  const { grpcAddress, httpAddress, adminAddress, adminService, reflection, connections } = server;
  const { corsOrigins, idleTimeoutMs, allowedHosts } = server;
  const handlers = gateway.doorHandlers(isAccepting);
  const shared = { runtime: system, transfers: gateway.transfers };
  const { authentication, callMeter: meter } = gateway;
  const audience = () => audienceOf(authentication() !== undefined, [grpcAddress, httpAddress]);
  const calls = {
    handlers,
    usage: createUsageHandlers(gateway.usage, audience),
    authentication,
    tls: tls.doors,
  };
  const tlsHappened = (event: TlsEvent): void => gateway.tlsHappened(event);
  const http = { idleTimeoutMs, allowedHosts, tlsHappened };
  const native = { tlsHappened, meter, loadFigures: gateway.loadFigures };
  const isReady = (): boolean => serving.isReady;
  const isLeaving = (): boolean => serving.isDraining;
  // One after another: the later ones say where the earlier ones are.
  const places = { address: grpcAddress, serving, reflection, connections };
  const grpc = await openGrpcDoor({ ...shared, ...calls, ...native, ...places });
  const beside = { grpc: { address: grpc.address, reflection }, address: httpAddress };
  const web = await openWebDoor({ ...shared, ...http, ...calls, ...beside, isReady, isLeaving, corsOrigins });
  const admin = await openAdmin({
    ...shared,
    ...http,
    status: gateway.status,
    doors: () => ({
      grpc: grpc.address,
      web: web.address,
      isSecure: tls.doors !== undefined,
      asksWhoCalls: authentication() !== undefined,
    }),
    address: adminAddress,
    tls: tls.admin,
    isReady,
    usage: gateway.usage,
    ...(gateway.metrics && { metrics: gateway.metrics }),
    ...(adminService && { handlers: gateway.adminHandlers() }),
  });
  return { grpc, web, admin };
}

/** Ends in order at the first signal that asks for it, and at once at a second. SIGHUP has the configuration read again. */
function listenForSignals(
  gateway: WiredGateway,
  reload: ConfigReload,
  end: (drain: DrainConfig) => Promise<void>,
): void {
  let stoppedAtMs: number | undefined;
  const stop = (signal: NodeJS.Signals): void => {
    if (stoppedAtMs !== undefined) {
      // A second signal means that somebody does not want to wait.
      if (system.now() - stoppedAtMs > SAME_SIGNAL_MS) process.exit(1);
      return;
    }
    stoppedAtMs = system.now();
    const { pauseMs, graceMs } = reload.config.server.drain;
    system.exitWithin(graceMs + EXIT_SLACK_MS);
    gateway.note(`${signal}: calls under way may go on for ${graceMs} ms`);
    void (async () => {
      // Ctrl-C comes from a person, who has no balancer that would have to notice.
      await end({ pauseMs: signal === 'SIGINT' ? 0 : pauseMs, graceMs });
      // What holds a process that has done all its work is not worth waiting for: an output that nobody reads, say.
      process.exit(0);
    })();
  };
  process.on('SIGTERM', stop);
  process.on('SIGINT', stop);
  process.on('SIGHUP', () => {
    if (stoppedAtMs === undefined) void reload.reload();
  });
}

/**
 * Keeps the process going where something throws that nobody catches, also in a promise: whoever caused it is answered or closed where
 * it was thrown, or runs into its deadline, and everybody else's calls go on.
 */
function surviveFaults(gateway: WiredGateway): void {
  process.on('uncaughtException', (thrown) => {
    gateway.reportFault(thrown);
  });
}
