import { readFileSync } from 'node:fs';

import packageJson from '../package.json' with { type: 'json' };
import { HELP, parseArguments } from './config/arguments.ts';
import type { Config } from './config/port/resolved.ts';
import { loadConfig } from './config/load.ts';
import { probeOllama } from './config/ollama-probe.ts';
import { ConfigError } from './config/port/problem.ts';
import { describeStartup } from './config/summary.ts';
import { wireGateway } from './gateway.ts';
import { openAdmin } from './server/admin/operator-door.ts';
import { openGrpcDoor } from './server/grpc/native-door.ts';
import { ServingStatus } from './server/health/serving-status.ts';
import { openWebDoor } from './server/web/http-door.ts';
import { system } from './system.ts';

/** How long calls under way may go on after SIGTERM, in milliseconds (engine rule D2). */
const GRACE_MS = 30_000;
/** How long the process may take to end after that. */
const EXIT_SLACK_MS = 2_000;
/** How long an Ollama on this machine may take to answer before it counts as absent, in milliseconds. */
const PROBE_MS = 300;

const { version } = packageJson;

async function main(): Promise<void> {
  const args = parseArguments(process.argv.slice(2));
  if (typeof args === 'string') throw new ConfigError([{ path: 'command line', message: args }]);
  if (args.help || args.version) {
    process.stdout.write(args.help ? HELP : `${version}\n`);
    return;
  }
  const load = (ollamaFound: boolean): Config =>
    loadConfig({
      env: process.env,
      readFile: (path) => readFileSync(path, 'utf8'),
      configPath: args.config,
      demo: args.demo,
      ollamaFound,
    });
  const asConfigured = load(false);
  await serve(asConfigured.demo && (await findOllama()) ? load(true) : asConfigured);
}

async function findOllama(): Promise<boolean> {
  const abort = new AbortController();
  const timer = system.setTimer(PROBE_MS, () => {
    abort.abort();
  });
  try {
    return await probeOllama(fetch, abort.signal);
  } finally {
    system.clearTimer(timer);
  }
}

async function serve(config: Config): Promise<void> {
  const { server } = config;
  const gateway = wireGateway({ config, version, system, reports: true });
  const serving = new ServingStatus(() => gateway.port.targets(), system);
  gateway.onTargetChange(() => {
    serving.changed();
  });
  const handlers = gateway.handlers(() => !serving.isDraining);
  const isReady = (): boolean => serving.isReady;
  const { adminService, corsOrigins, reflection } = server;
  const [grpc, web, admin] = await Promise.all([
    openGrpcDoor({ address: server.grpcAddress, handlers, serving, runtime: system, reflection }),
    openWebDoor({ address: server.httpAddress, handlers, isReady, runtime: system, corsOrigins }),
    openAdmin({
      address: server.adminAddress,
      isReady,
      ...(gateway.metrics && { metrics: gateway.metrics }),
      ...(adminService && { handlers: gateway.adminHandlers() }),
    }),
  ]);
  serving.startServing();
  process.stdout.write(
    describeStartup(config, { grpc: grpc.address, web: web.address, admin: admin.address }, version),
  );
  let isStopping = false;
  const stop = (): void => {
    // A second signal means that somebody does not want to wait.
    if (isStopping) process.exit(1);
    isStopping = true;
    system.exitWithin(GRACE_MS + EXIT_SLACK_MS);
    gateway.drain();
    void (async () => {
      await Promise.all([grpc.drain(GRACE_MS), web.drain(GRACE_MS)]);
      await Promise.all([admin.close(), gateway.close()]);
    })();
  };
  process.on('SIGTERM', stop);
  process.on('SIGINT', stop);
  await gateway.warmUp();
}

try {
  await main();
} catch (error) {
  // An address that cannot be listened on is for the operator to read, not a fault of ours.
  const isKnown =
    error instanceof ConfigError || (error instanceof Error && 'syscall' in error && error.syscall === 'listen');
  process.stderr.write(
    isKnown ? `${error.message}\n` : `${error instanceof Error ? (error.stack ?? error.message) : 'failed'}\n`,
  );
  // A door that is open already would keep the process alive.
  process.exit(1);
}
